import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driftOf, Host, type Status } from './support.ts';

/** Images made of those of the sandbox. */
const VARIANTS = {
  'rockylinux/10': {
    of: 'rockylinux/8',
    // The real NetworkManager, and neither cron nor dhclient, nor systemd-networkd.
    change: `dnf install -y -q NetworkManager
rm -f /usr/sbin/cron* /sbin/dhclient* /usr/lib/systemd/system/crond.service /usr/lib/systemd/systemd-networkd
rm -f /usr/lib/systemd/system/systemd-networkd.* /etc/systemd/system/systemd-networkd.service
sed -i 's/8\\.10/10.0/; s/el8/el10/' /etc/os-release`,
  },
  'rockylinux/9': {
    of: 'rockylinux/8',
    // NetworkManager beside cron and dhclient.
    change: 'dnf install -y -q NetworkManager',
  },
  'rockylinux/8-nocron': {
    of: 'rockylinux/8',
    change: 'rm -f /usr/sbin/cron* /usr/lib/systemd/system/crond.service',
  },
  'debian/12-dhcpcd': {
    of: 'debian/12',
    change: `apt-get update -qq; apt-get install -y -qq dhcpcd-base
systemctl disable -q systemd-networkd; rm /etc/systemd/network/eth0.network`,
  },
  'debian/12-plain': {
    of: 'debian/12',
    change: 'systemctl disable -q systemd-networkd; rm /etc/systemd/network/eth0.network',
  },
} as const;

const LAB = `name: dhcp
provider: lxd
lxd: { image: 'images:rockylinux/10', macvlan: auto, prepare: false }
nodes:
  web1: { server: httpd }
  web2: { server: httpd, image: 'images:rockylinux/8-nocron' }
  web3: { server: nginx, image: 'images:debian/12-plain' }
  client: { role: client, image: 'images:rockylinux/9' }
  proxyha: { role: proxy, image: 'images:debian/12-dhcpcd', nameserver: true }
  ns1: { role: dns, image: 'images:rockylinux/8' }
`;

/** On macvlan a system without cron, or without dhclient, gets what it has in their place. */
describe('nodes without cron or dhclient', () => {
  const host = new Host();
  let script: string;
  beforeAll(async () => {
    await Promise.all(Object.entries(VARIANTS).map(([name, variant]) => image(host, name, variant)));
    host.write(LAB);
    script = await host.must('up', '--dry-run', '--format', 'sh');
    await host.must('up');
  });
  afterAll(async () => {
    for (const name of Object.keys(VARIANTS)) await host.tryLxc('image', 'delete', name);
    await host.close();
  });

  it('have an address of the LAN, and its name server', async () => {
    const [lab] = await host.json<Status[]>('status');
    for (const node of lab!.nodes) {
      expect(node.address, node.name).toMatch(/^198\.18\.0\.\d+$/);
      expect(await addresses(host, node.name)).toEqual([node.address]);
    }
    for (const node of ['web1', 'web2', 'client'])
      expect(await host.on(node, 'cat', '/etc/resolv.conf')).toMatch(/^nameserver 198\.18\.0\.1$/m);
  });

  it('have it from cron and dhclient where both are', async () => {
    expect(await host.on('client', 'journalctl', '--no-pager', '-o', 'cat')).toMatch(/bound to 198\.18\.0\./);
    expect(
      (await host.tryLxc('exec', 'client', '-T', '--', 'systemctl', 'cat', 'lablb-dhcp')).status,
    ).not.toBe(0);
  });

  it.each([
    ['web1', /^ExecStart=\S+python3 \/var\/lib\/lablb\/dhcp\.py eth0$/m],
    ['web2', /^ExecStart=\S+dhclient -d eth0$/m],
    ['proxyha', /^ExecStart=\S+dhcpcd -4 -A -B eth0$/m],
  ])('%s has it from a unit with its own client', async (node, client) => {
    expect(await host.on(node, 'systemctl', 'cat', 'lablb-dhcp')).toMatch(client);
    expect((await host.on(node, 'systemctl', 'is-active', 'lablb-dhcp')).trim()).toBe('active');
  });

  it('leaves NetworkManager what it does not manage, and systemd-networkd what it does', async () => {
    expect((await host.on('web1', 'systemctl', 'is-active', 'NetworkManager')).trim()).toBe('active');
    for (const node of ['web1', 'client'])
      expect(await host.on(node, 'nmcli', '-t', '-f', 'DEVICE,TYPE,STATE', 'device')).toMatch(
        /^eth0:macvlan:unmanaged$/m,
      );
    expect(await host.on('web3', 'networkctl', '--no-legend', 'list', 'eth0')).toMatch(
      /routable +configured/,
    );
  });

  it('are not for the script, which says so', () => {
    expect(script).toMatch(
      /# \(Rocky Linux 10\) stays without an address here; `lablb up` gives it a DHCP client/,
    );
  });

  it('ask the name server of the lab where they are told to, also when dhcpcd gets a lease anew', async () => {
    const [lab] = await host.json<Status[]>('status');
    const { address } = lab!.nodes.find(({ name }) => name === 'ns1')!;
    const asked = `nameserver ${address}\nnameserver 198.18.0.1\n`;
    expect(await host.on('proxyha', 'cat', '/etc/resolv.conf')).toContain(asked);
    const leases = async (): Promise<number> => {
      const said = await host.on('proxyha', 'journalctl', '-u', 'lablb-dhcp', '--no-pager', '-o', 'cat');
      return said.split('adding default route').length;
    };
    const before = await leases();
    await host.on('proxyha', 'systemctl', 'restart', 'lablb-dhcp');
    await expect.poll(leases, { timeout: 30_000 }).toBeGreaterThan(before);
    expect(await host.on('proxyha', 'cat', '/etc/resolv.conf')).toContain(asked);
    await host.must('test', 'dns');
  });

  it('balance, and have nothing to do a second time', async () => {
    expect(await host.must('test', 'roundrobin')).toMatch(/in turn: 12 of 12/);
    expect(await host.must('up')).toMatch(/nothing to do/);
    expect(await driftOf(host)).toEqual([]);
  });

  it('get an address again when they boot', async () => {
    for (const node of ['web1', 'web2', 'web3', 'client', 'proxyha']) {
      await host.must('restart', node);
      expect(await addresses(host, node)).toEqual([expect.stringMatching(/^198\.18\.0\.\d+$/)]);
    }
    // NetworkManager comes after cron.
    expect(await addresses(host, 'client')).toHaveLength(1);
    expect(await host.must('up')).toMatch(/nothing to do/);
    await host.must('test', 'roundrobin');
  });

  it('get one again where it was lost', async () => {
    await Promise.all(
      ['web1', 'web2', 'web3', 'proxyha'].map((node) => host.on(node, 'ip', 'address', 'flush', 'eth0')),
    );
    await host.must('up');
    await host.must('test', 'roundrobin');
    expect(await driftOf(host)).toEqual([]);
  });

  it('are told when there is nothing that could ask for one', async () => {
    await host.on('client', 'sh', '-c', 'rm /sbin/dhclient /usr/bin/python3*');
    await host.lxc('stop', '--force', 'client');
    const up = await host.lablb('up');
    expect(up.status).toBe(1);
    expect(up.stderr).toMatch(
      /✖ client: it has no DHCP client for an interface of macvlan\n[\s\S]*Python 3\n[\s\S]*macvlan: false/,
    );
  });

  it('leave nothing behind', async () => {
    await host.must('down');
    expect(await host.instances()).toEqual([]);
    expect(await host.lxc('profile', 'list', '--format', 'csv')).not.toContain('macvlan');
  });
});

/** Publishes a changed image under a name of its own; it is on the bridge while it is changed. */
async function image(
  host: Host,
  name: string,
  { of, change }: { of: string; change: string },
): Promise<void> {
  const made = name.replaceAll('/', '-');
  await host.lxc('launch', '--quiet', of, made);
  await host.on(
    made,
    'sh',
    '-ec',
    `until [ -S /run/systemd/private ]; do sleep 0.1; done\n${change}\n: >/etc/machine-id; rm -f /etc/resolv.conf`,
  );
  await host.lxc('stop', '--force', made);
  await host.lxc('publish', '--quiet', made, '--alias', name, '--compression', 'none');
  await host.lxc('delete', made);
}

/** All IPv4 addresses of a node’s eth0. */
async function addresses(host: Host, node: string): Promise<string[]> {
  const said = await host.on(node, 'ip', '-4', '-o', 'address', 'show', 'eth0');
  return [...said.matchAll(/inet ([\d.]+)\//g)].map(([, address]) => address!);
}
