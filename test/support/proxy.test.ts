import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { needs } from './needs.ts';
import { reservePort } from './ports.ts';
import { ProxyStartError, startProxy } from './proxy.ts';

const CONFIG = `
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
listen web
  bind 127.0.0.1:\${port:web}
  http-request return status 200 content-type text/plain string "in \${dir}"
`;

describe.skipIf(!needs('haproxy'))('a proxy for a test', () => {
  test('listens on the ports it was given, answers, and leaves nothing behind', async () => {
    const proxy = await startProxy(CONFIG, { engine: 'haproxy' });
    const answer = await fetch(`http://127.0.0.1:${proxy.ports.web}/`);
    expect(await answer.text()).toBe(`in ${proxy.folder}`);
    await proxy.stop();
    await proxy.stop();
    expect(existsSync(proxy.folder)).toBe(false);
    expect(() => process.kill(proxy.pid, 0)).toThrow(/ESRCH/);
  });

  test('a refused configuration is an error that carries what the proxy said', async () => {
    const refused = startProxy(`${CONFIG}  balence roundrobin\n`, { engine: 'haproxy' });
    await expect(refused).rejects.toThrow(ProxyStartError);
    await expect(refused).rejects.toThrow(/balence/);
  });

  test('the end of the process is seen', async () => {
    const proxy = await startProxy(CONFIG, { engine: 'haproxy' });
    proxy.signal('SIGTERM');
    expect([0, 143, 'SIGTERM']).toContain(await proxy.ended);
    await proxy.stop();
  });
});

test('reserved ports are all different', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, reservePort));
  expect(new Set(ports).size).toBe(50);
});
