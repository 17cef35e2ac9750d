import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driftOf, Host, type Status } from './support.ts';

/** The tutorial of Rocky Linux, step by step, each part looked at where the tutorial has it. */
describe('rocky-lxd-apache', () => {
  const host = new Host();
  beforeAll(async () => {
    host.topology('rocky-lxd-apache.yaml');
    await host.must('up');
  });
  afterAll(() => host.close());

  it('has three containers on the LAN, on the macvlan profile', async () => {
    expect(await host.instances()).toEqual(['proxyha', 'web1', 'web2']);
    const [lab] = await host.json<Status[]>('status');
    for (const node of lab!.nodes) expect(node.address).toMatch(/^198\.18\.0\.\d+$/);
    expect(await host.lxc('config', 'show', 'web1')).toMatch(/profiles:\n- default\n- macvlan\n/);
    expect(await host.lxc('profile', 'device', 'show', 'macvlan')).toMatch(
      /nictype: macvlan\n\s+parent: lan0\n/,
    );
  });

  it('has the cron line, which took the address at the first boot', async () => {
    expect(await host.on('web1', 'crontab', '-l')).toContain('@reboot /usr/sbin/dhclient');
    const log = await host.on('web1', 'journalctl', '--no-pager', '-o', 'cat');
    expect(log).toMatch(/bound to 198\.18\.0\./);
    expect(log).not.toMatch(/bound to 198\.18\.1\./);
  });

  it('has Apache from the package, enabled, with its page changed and the original kept', async () => {
    expect(await host.on('web1', 'rpm', '-q', 'httpd')).toMatch(/^httpd-2/);
    expect((await host.on('web2', 'systemctl', 'is-enabled', 'httpd')).trim()).toBe('enabled');
    const page = '/usr/share/httpd/noindex/index.html';
    expect(await host.on('web1', 'cat', page)).toContain(
      '<h1>SITE1 HTTP Server <strong>Test Page</strong></h1>',
    );
    expect(await host.on('web1', 'cat', `${page}.orig`)).toContain(
      '<h1>HTTP Server <strong>Test Page</strong></h1>',
    );
  });

  it('has the balancer with the paths of HAProxy', async () => {
    const hosts = await host.on('proxyha', 'cat', '/etc/hosts');
    expect(hosts).toMatch(/^198\.18\.0\.\d+ {2}site1\.testdomain\.com site1 web1$/m);
    expect(hosts).toMatch(/^198\.18\.0\.\d+ {2}site2\.testdomain\.com site2 web2\.testdomain\.com web2$/m);
    expect(hosts).toContain('127.0.0.1   localhost');
    const errors = await host.on('proxyha', 'ls', '/etc/haproxy/errors');
    expect(errors.trim().split('\n')).toEqual(
      [400, 403, 408, 500, 502, 503, 504].map((code) => `${code}.http`),
    );
    await host.on('proxyha', 'test', '-S', '/run/haproxy/admin.sock');
    await host.on('proxyha', 'test', '-S', '/var/lib/haproxy/dev/log');
    const devices = await host.lxc('config', 'device', 'show', 'proxyha');
    expect(devices).toContain('listen: tcp:0.0.0.0:80\n');
    expect(devices).toContain('listen: tcp:0.0.0.0:443\n');
  });

  it('balances, from the nodes and through the port on the host', async () => {
    expect(await host.must('test', 'roundrobin')).toMatch(/in turn: 12 of 12[\s\S]*in turn: 12 of 12/);
    const pages = [];
    for (let i = 0; i < 4; i++)
      pages.push(
        (await host.run('curl', '-s', '-H', 'Host: site2.testdomain.com', 'http://127.0.0.1/')).stdout,
      );
    expect(pages.map((page) => /<h1>(SITE\d)/.exec(page)?.[1]).sort()).toEqual([
      'SITE1',
      'SITE1',
      'SITE2',
      'SITE2',
    ]);
    expect((await host.run('curl', '-s', 'http://127.0.0.1/')).stdout).toContain('503 Service Unavailable');
  });

  it('logs through rsyslog', async () => {
    expect(await host.on('proxyha', 'cat', '/var/log/haproxy.log')).toMatch(
      /haproxy\[\d+\]: .* http_frontend site\d\/web\d /,
    );
  });

  it('has nothing to do a second time', async () => {
    expect(await host.must('up')).toMatch(/nothing to do/);
    expect(await driftOf(host)).toEqual([]);
  });

  it('sees what was changed by hand, and mends just that', async () => {
    await host.on('web1', 'systemctl', 'stop', 'httpd');
    await host.on('web2', 'systemctl', 'disable', 'httpd');
    await host.on('proxyha', 'sed', '-i', 's/site1.testdomain/gone/', '/etc/hosts');
    await host.on('proxyha', 'sh', '-c', 'echo "192.0.2.9 mine" >>/etc/hosts');
    await host.lxc('config', 'device', 'remove', 'proxyha', 'https');
    expect(await driftOf(host)).toEqual([
      'web1: start service httpd',
      'web2: start service httpd',
      'proxyha: set device https',
      'proxyha: write /etc/hosts',
    ]);
    expect(await host.must('up')).toContain('4 steps done');
    expect(await driftOf(host)).toEqual([]);
    expect(await host.on('proxyha', 'cat', '/etc/hosts')).toContain('192.0.2.9 mine');
  });

  it('puts a profile back that was taken away, and the address with it', async () => {
    await host.lxc('profile', 'remove', 'web2', 'macvlan');
    expect(await driftOf(host)).toContain('web2: set profiles');
    await host.must('up');
    expect(await driftOf(host)).toEqual([]);
    await host.must('test', 'roundrobin');
  });

  it('makes an instance again that was deleted, and tells its neighbours its address', async () => {
    await host.lxc('delete', '--force', 'web1');
    expect(await driftOf(host)).toContain('web1: create');
    await host.must('up');
    await host.must('test', 'roundrobin');
    expect(await driftOf(host)).toEqual([]);
  });

  it('comes back after a reboot of a node, balancer and all', async () => {
    await host.lxc('restart', 'proxyha');
    await expect
      .poll(async () => (await host.lablb('test', 'roundrobin')).status, { timeout: 60_000, interval: 1000 })
      .toBe(0);
    expect(await driftOf(host)).toEqual([]);
  });

  it('takes HAProxy in the place of the engine, and back, in one up each', async () => {
    host.edit((text) => text.replace('proxyha:\n', 'proxyha:\n    engine: haproxy\n'));
    await host.must('up');
    expect((await host.on('proxyha', 'ps', '-eo', 'comm')).split('\n')).toContain('haproxy');
    expect((await host.on('proxyha', 'ps', '-eo', 'comm')).split('\n')).not.toContain('lablb-proxy');
    await host.must('test', 'roundrobin');
    expect(await host.must('up')).toMatch(/nothing to do/);
    host.edit((text) => text.replace('    engine: haproxy\n', ''));
    await host.must('up');
    expect((await host.on('proxyha', 'ps', '-eo', 'comm')).split('\n')).toContain('lablb-proxy');
    await host.must('test', 'roundrobin');
    expect(await host.must('up')).toMatch(/nothing to do/);
  });

  it('reloads by hand-over: no request is lost while the configuration changes', async () => {
    const [lab] = await host.json<Status[]>('status');
    const address = lab!.nodes.find(({ name }) => name === 'proxyha')!.address;
    const script = `i=0; bad=0; while [ $i -lt 150 ]; do i=$((i+1)); curl -s -o /dev/null --max-time 5 -H "Host: site1.testdomain.com" http://${address}/ || bad=$((bad+1)); sleep 0.02; done; echo bad=$bad`;
    const load = host.on('proxyha', 'sh', '-c', script);
    host.edit((text) => text.replace('inter: 1s', 'inter: 900ms'));
    expect(await host.must('up')).toMatch(/reload service lablb-proxy/);
    expect(await load).toContain('bad=0');
    expect(await driftOf(host)).toEqual([]);
  });

  it('leaves nothing behind', async () => {
    await host.lxc('init', '--quiet', 'rockylinux/8', 'stranger');
    await host.must('down');
    expect(await host.instances()).toEqual(['stranger']);
    expect(await host.lxc('profile', 'list', '--format', 'csv')).not.toContain('macvlan');
    expect((await host.lablb('status')).stdout).toContain('no lab is up');
  });
});
