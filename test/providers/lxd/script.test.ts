import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readGiven, readKept } from '../../../src/credentials/kept.ts';
import { settleCredentials } from '../../../src/credentials/settle.ts';
import { LxdProvider } from '../../../src/providers/lxd/lxd.ts';
import { loadTopology } from '../../../src/topology/load.ts';
import type { Topology } from '../../../src/topology/topology.ts';
import { needs } from '../../support/needs.ts';
import { topologyOf } from '../../support/topology.ts';

const folder = mkdtempSync(join(tmpdir(), 'lablb-script-'));
const out = join(folder, 'out');
const state = join(folder, 'state');
beforeAll(() => {
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'lxc'), LXC, { mode: 0o755 });
});
beforeEach(() => vi.stubEnv('XDG_STATE_HOME', state));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Puts what is pushed under the folder; every instance has an address. */
const LXC = `#!/bin/sh
case "$1 $2" in
"list "*) echo '10.0.0.9 (eth0)' ;;
"file push")
  for to; do from=$last last=$to; done
  mkdir -p "$OUT/$(dirname "$to")"
  cat "$from" >"$OUT/$to" ;;
esac
`;

/** What it says; what it pushes is in `out`. */
async function runScript(topology: Topology): Promise<string> {
  const script = await new LxdProvider(topology).script(topology);
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, OUT: out };
  return execFileSync('bash', ['-c', script], { env, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
}

const pushed = (node: string, path: string): string => readFileSync(join(out, node, path), 'utf8');

it('brings files byte for byte, whatever is in them', async () => {
  const files = {
    '/etc/plain': 'a\n',
    '/etc/ends': `a\nEND\ntouch ${folder}/harm\nEND_\n`,
    '/etc/open': `no end of line, "$HOME" \`touch ${folder}/harm\` \\ 'x'`,
    '/etc/empty': '',
  };
  const topology = topologyOf(`
name: x
provider: lxd
lxd: { command: lxc, image: 'images:debian/12' }
nodes:
  web1: { files: ${JSON.stringify(files)} }
  proxyha: { engine: haproxy }
`);
  await runScript(topology);
  for (const [path, content] of Object.entries(files)) expect(pushed('web1', path)).toBe(content);
  expect(() => readFileSync(join(folder, 'harm'))).toThrow();
});

const TLS = (more: string, balancer: string): string => `
name: secret
provider: lxd
lxd: { command: lxc, image: 'images:debian/12' }
nodes: { web1: , proxyha: , client: }
balancer:
  tls: {${more}}
  ${balancer}
`;

describe.skipIf(!needs('openssl'))('a lab with TLS', () => {
  const tls = (name: string): string => pushed('proxyha', `/etc/haproxy/tls/${name}`);

  it('gets a certificate from an authority of its own, and lablb takes both for what it made', async () => {
    const topology = topologyOf(TLS('days: 90, names: [shop.test]', 'stats: { user: admin }'));
    const said = await runScript(topology);
    const [authority, server] = [tls('ca.pem'), tls('crt.pem')].map((pem) => new X509Certificate(pem));
    expect([server!.checkIssued(authority!), server!.verify(authority!.publicKey)]).toEqual([true, true]);
    expect([authority!.ca, server!.ca]).toEqual([true, false]);
    expect(server!.checkHost('shop.test')).toBe('shop.test');
    expect(server!.checkIP('10.0.0.9')).toBe('10.0.0.9');
    expect(tls('cert.pem')).toBe(`${tls('crt.pem')}${tls('key.pem')}`);
    expect(pushed('client', '/etc/haproxy/tls/ca.pem')).toBe(tls('ca.pem'));

    const kept = readKept('secret');
    const addresses = new Map(topology.nodes.map(({ name }) => [name, '10.0.0.9']));
    const settled = await settleCredentials(topology, { addresses, kept, now: new Date() });
    expect(settled.kept).toBe(kept);
    expect(settled.credentials.tls).toMatchObject({
      certificate: tls('crt.pem'),
      key: tls('key.pem'),
      authority: tls('ca.pem'),
    });
    expect(said).toContain(`user admin, password ${settled.credentials.statsPassword}\n`);
    expect(pushed('proxyha', '/etc/haproxy/haproxy.cfg')).toContain(
      `stats auth admin:${settled.credentials.statsPassword}\n`,
    );
    expect(statSync(join(state, 'lablb', 'secret', 'credentials.json')).mode & 0o777).toBe(0o600);
  });

  it('takes a password from the environment, if it needs no quoting', async () => {
    const topology = topologyOf(TLS('', 'stats: { user: admin }'));
    vi.stubEnv('STATS_PASSWORD', 'yours-1');
    expect(await runScript(topology)).toContain('user admin, password yours-1\n');
    expect(readKept('secret').statsPassword).toBe('yours-1');
    vi.stubEnv('STATS_PASSWORD', 'a b');
    await expect(runScript(topology)).rejects.toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^STATS_PASSWORD: letters, digits/),
    });
  });

  it('gets the files that the topology names, which the script does not hold', async () => {
    const given = ['cert.pem', 'ca.pem'].map((name) => {
      writeFileSync(join(folder, name), tls(name));
      return join(folder, name);
    });
    const file = join(folder, 'secret.lab.yaml');
    writeFileSync(file, TLS(`certificate: ${given[0]}, authority: ${given[1]}`, 'balance: first'));
    const topology = await loadTopology(file);
    const expected = readGiven(topology.balancer.tls)!;
    rmSync(out, { recursive: true });
    expect(await new LxdProvider(topology).script(topology)).not.toContain('PRIVATE KEY');
    await runScript(topology);
    expect([tls('crt.pem'), tls('key.pem'), tls('ca.pem')]).toEqual([
      expected.certificate,
      expected.key,
      expected.authority,
    ]);
  });
});
