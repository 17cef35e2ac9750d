import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testEngine } from '../support/cli.ts';
import { reservePort, untilListening } from '../support/ports.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';

/** Names of servers at start. `init-addr last` asks no name server, so the test needs none. */
describe.skipIf(testEngine() === undefined)('servers whose names have no address', () => {
  const CONFIG = `
global
    stats socket \${dir}/admin.sock level admin
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
listen www
    bind 127.0.0.1:\${port:www}
    server lost lost.invalid:80 init-addr last
    server later later.invalid:80 init-addr last,none
    server known known.invalid:80 init-addr last,127.0.0.9
    server plain 127.0.0.8:80 init-addr none
`;
  let proxy: RunningProxy;
  beforeAll(async () => {
    proxy = await startProxy(CONFIG, { args: ['-dr'] });
  });
  afterAll(() => proxy?.stop());

  it('are refused with their place, as in HAProxy, unless init-addr or -dr allow for it', async () => {
    await expect(startProxy(CONFIG)).rejects.toMatchObject({
      stderr: expect.stringMatching(
        /:11:12 {2}error: server 'lost': no address for 'lost\.invalid'; put the name/,
      ),
    });
    const allowed = await startProxy(CONFIG.replace('init-addr last\n', 'init-addr last,none\n'));
    await allowed.stop();
    expect(allowed.stderr()).toBe('');
    expect(proxy.stderr()).toBe('');
  });

  it('do not keep the others from theirs', async () => {
    const rows = (await ask(join(proxy.folder, 'admin.sock'), 'show servers state'))
      .split('\n')
      .map((line) => line.split(' '))
      .filter((fields) => fields[1] === 'www');
    expect(rows.map(([, , , name, address]) => [name, address])).toEqual([
      ['lost', '-'],
      ['later', '-'],
      ['known', '127.0.0.9'],
      ['plain', '127.0.0.8'],
    ]);
  });
});

describe.skipIf(testEngine() === undefined)('a port that is taken', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lablb-taken-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('ends the start, also when other ports were free', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(
      file,
      `
defaults
    mode http
    timeout client 1s
frontend free
    bind 127.0.0.1:${await reservePort()}
    http-request return status 200
frontend taken
    bind 127.0.0.1:${(taken.address() as AddressInfo).port}
    http-request return status 200
`,
    );
    const { status, stderr } = spawnSync(testEngine()!, ['-f', file], { encoding: 'utf8', timeout: 10_000 });
    taken.close();
    expect(stderr).toMatch(/haproxy\.cfg:9:\d+ {2}error: frontend 'taken': cannot listen on .* in use/);
    expect(status).toBe(1);
  });

  it('is shared with another of its kind, and with -dR not', async () => {
    const port = await reservePort();
    const file = join(folder, 'shared.cfg');
    writeFileSync(
      file,
      `defaults\n  mode http\n  timeout client 1s\nfrontend f\n  bind 127.0.0.1:${port}\n  http-request return status 200\n`,
    );
    const first = spawn(testEngine()!, ['-db', '-dR', '-f', file], { stdio: 'ignore' });
    expect(await untilListening([port], 10_000)).toBe(true);
    const second = (...flags: string[]) =>
      spawnSync(testEngine()!, [...flags, '-f', file], { encoding: 'utf8', timeout: 10_000 });
    expect(second('-db')).toMatchObject({ status: 1, stderr: expect.stringMatching(/in use/) });
    first.kill('SIGTERM');
    await once(first, 'exit');
    const shared = spawn(testEngine()!, ['-db', '-f', file], { stdio: 'ignore' });
    expect(await untilListening([port], 10_000)).toBe(true);
    expect(second('-db', '-dR')).toMatchObject({ status: 1, stderr: expect.stringMatching(/in use/) });
    shared.kill('SIGTERM');
    await once(shared, 'exit');
  });
});

function ask(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    connect(path)
      .on('data', (chunk) => {
        answer += chunk;
      })
      .on('end', () => resolve(answer))
      .on('error', reject)
      .end(`${command}\n`);
  });
}
