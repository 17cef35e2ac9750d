import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Host } from './support.ts';

/** Each part of the tutorials' labs is proved, on real systems with real web servers. */
describe.each(['rocky-lxd-apache.yaml', 'debian-lxd-nginx.yaml'])('lablb test all on %s', (topology) => {
  const host = new Host();
  beforeAll(async () => {
    host.topology(topology);
    await host.must('up');
  });
  afterAll(() => host.close());

  it('proves it with the engine', () => proveAll(host, 'lablb-proxy'));

  it('proves it with HAProxy', async () => {
    host.edit((text) => text.replace('proxyha:\n', 'proxyha:\n    engine: haproxy\n'));
    await host.must('up');
    await proveAll(host, 'haproxy');
  });

  it('leaves the lab as it was', async () => {
    expect(await host.must('up')).toMatch(/nothing to do/);
    await expect
      .poll(() => host.on('proxyha', 'find', '/tmp', '-name', 'lablb-side-*'), { timeout: 20_000 })
      .toBe('');
    const processes = await host.on('proxyha', 'ps', '-eo', 'args');
    expect(processes).not.toContain('lablb-side-');
  });

  it('tells a lab that is wrong', async () => {
    await host.on('proxyha', 'sed', '-i', '/set-header X-Client-IP/d', '/etc/haproxy/haproxy.cfg');
    const said = await host.lablb('test', 'headers');
    expect(said.status).toBe(1);
    expect(said.stdout).toMatch(/✖ site1\/web\d does not get X-Client-IP/);
    await host.must('up');
    await host.must('test', 'headers');
  });
});

async function proveAll(host: Host, program: string): Promise<void> {
  const said = await host.lablb('test', 'all');
  expect(said.stdout).not.toContain('✖');
  expect(said.stdout).toContain(`on a twin of the balancer of proxyha (${program})`);
  expect(said).toMatchObject({ status: 0, stderr: '' });
  for (const name of ['roundrobin', 'leastconn', 'source', 'acl', 'headers', 'errorfiles', 'l4'])
    expect(said.stdout).toContain(`${name} · `);
}
