import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driftOf, Host, type Status } from './support.ts';

describe('faults, on LXD', () => {
  const host = new Host();
  beforeAll(async () => {
    host.write(`name: faults
provider: lxd
lxd: { image: images:rockylinux/8 }
nodes:
  web1: { server: httpd }
  web2: { server: nginx, image: images:debian/12 }
  proxyha: { image: images:debian/12 }
balancer: { check: { inter: 500ms } }
`);
    await host.must('up');
  });
  afterAll(() => host.close());

  /** What a request from another node to the web server gets: a status, or curl's own exit status below zero. */
  async function ask(node: string): Promise<number> {
    const [lab] = await host.json<Status[]>('status');
    const { address } = lab!.nodes.find(({ name }) => name === node)!;
    const argv = ['curl', '-s', '-m', '3', '-o', '/dev/null', '-w', '%{http_code}', `http://${address}/`];
    const said = await host.lablb('exec', 'proxyha', '--', ...argv);
    return said.status === 0 ? Number(said.stdout) : -Number(said.status);
  }
  const REFUSED = -7;
  const SILENT = -28;

  for (const [node, service] of [
    ['web1', 'httpd'],
    ['web2', 'nginx'],
  ] as const)
    it.each([
      ['stop', REFUSED, 'inactive'],
      ['freeze', SILENT, 'active'],
      ['refuse', REFUSED, 'active'],
      ['error', 500, 'active'],
    ])(`${node} fails by %s, and is well again`, async (how, got, state) => {
      await host.must('fail', node, '--how', how);
      expect(await ask(node)).toBe(got);
      const active = await host.lablb('exec', node, '--', 'systemctl', 'is-active', service);
      expect(active.stdout).toBe(`${state}\n`);
      expect(await driftOf(host)).toEqual([`${node}: heal service ${service}`]);
      await host.must(how === 'error' ? 'up' : 'heal');
      expect([200, 403]).toContain(await ask(node));
      expect(await driftOf(host)).toEqual([]);
      expect(await host.on(node, 'ls', '/run/lablb')).toBe(`${service}\n`);
    });

  it('lets the answers of a slow server wait', async () => {
    await host.must('fail', 'web2', '--how', 'slow', '--delay', '30s');
    expect(await ask('web2')).toBe(SILENT);
    await host.must('heal');
    expect(await ask('web2')).toBe(200);
  });

  it('loses no request when a server stops, and none after a frozen one is DOWN', async () => {
    const said = await host.must('test', 'failover', '--how', 'stop', '--how', 'freeze');
    expect(said).toMatch(/stop web1 [\s\S]*, 0 failed, \d+ sent again to web2\n✔ nothing lost\n/);
    expect(said).toMatch(/freeze web1 [\s\S]*, 0 failed, .*\n✔ nothing lost/);
    expect(await driftOf(host)).toEqual([]);
  });

  it('shows the statistics, also of a real HAProxy and after a reload', async () => {
    expect(await host.must('stats')).toMatch(/ {2}web1 +UP .*\n {2}web2 +UP /);
    await host.must('up', '--force');
    expect(await host.must('stats', '--csv')).toMatch(/^# pxname,/);
    host.edit((text) => text.replace('proxyha: {', 'proxyha: { engine: haproxy,'));
    await host.must('up');
    expect(await host.must('stats')).toMatch(/ {2}web1 +\S/);
    await host.must('fail', 'proxyha', '--how', 'freeze');
    await host.must('heal');
    await host.must('test', 'failover');
  });

  it('is over when the machine restarts', async () => {
    await host.must('fail', 'web1', '--how', 'refuse');
    await host.must('restart', 'web1');
    await expect.poll(() => ask('web1'), { timeout: 60_000, interval: 500 }).toBe(403);
    expect((await driftOf(host)).filter((step) => /heal/.test(step))).toEqual([]);
  });
});
