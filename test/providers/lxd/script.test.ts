import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { LxdProvider } from '../../../src/providers/lxd/lxd.ts';
import { topologyOf } from '../../support/topology.ts';

const folder = mkdtempSync(join(tmpdir(), 'lablb-script-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Puts what is pushed under the folder; every instance has an address. */
const LXC = `#!/bin/sh
case "$1 $2" in
"list "*) echo '10.0.0.9 (eth0)' ;;
"file push")
  for to; do :; done
  mkdir -p "$OUT/$(dirname "$to")"
  cat >"$OUT/$to" ;;
esac
`;

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
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'lxc'), LXC, { mode: 0o755 });
  const script = await new LxdProvider(topology).script(topology);
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    OUT: join(folder, 'out'),
  };
  execFileSync('bash', ['-c', script], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  for (const [path, content] of Object.entries(files))
    expect(readFileSync(join(folder, 'out', 'web1', path), 'utf8')).toBe(content);
  expect(() => readFileSync(join(folder, 'harm'))).toThrow();
});
