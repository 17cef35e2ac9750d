import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driftOf, Host, type Status } from './support.ts';

const ROCKY = 'images:rockylinux/8';
const DEBIAN = 'images:debian/12';

/** Both servers on both families; a node of each family that asks them. */
const LAB = `
name: names
provider: lxd
lxd: { image: "${DEBIAN}", macvlan: auto, prepare: false }
defaults: { nameserver: true }
nodes:
  web1: { image: "${ROCKY}", names: [site1.testdomain.com, site1] }
  proxyha: { engine: haproxy }
  ns1: { role: dns, image: "${ROCKY}" }
  ns2: { role: dns, image: "${ROCKY}", server: bind }
  ns3: { role: dns }
  ns4: { role: dns, server: bind }
  client:
balancer:
  sites: { site1.testdomain.com: { servers: [web1], aliases: [www.testdomain.com] } }
`;

const UPSTREAM = '198.51.100.1';
const LEASED = `search lan.example\\nnameserver ${UPSTREAM}\\n`;

describe('dns nodes', () => {
  const host = new Host();
  const before = new Map<string, string>();
  const resolv = (node: string): Promise<string> => host.on(node, 'cat', '/etc/resolv.conf');
  const addresses = new Map<string, string>();
  const addressOf = (name: string): string => addresses.get(name)!;
  beforeAll(async () => {
    writeFileSync(join(host.folder, 'topology.yaml'), LAB.replace('nameserver: true', 'nameserver: false'));
    await host.must('up', '--parallel', '3');
    // The sandbox's LAN has no nameserver: as if its DHCP server had named one.
    for (const node of ['ns1', 'ns2', 'ns3', 'ns4', 'web1', 'client'])
      await host.on(node, 'sh', '-c', `printf '${LEASED}' >/etc/resolv.conf`);
    for (const node of ['web1', 'client']) before.set(node, await resolv(node));
    host.edit((text) => text.replace('nameserver: false', 'nameserver: true'));
    await host.must('up');
    const [lab] = await host.json<Status[]>('status');
    for (const { name, address } of lab!.nodes) addresses.set(name, address!);
  });
  afterAll(() => host.close());

  it('know every name, whichever the server and the system; clients ask them without saying whom', async () => {
    const said = await host.must('test', 'dns');
    expect(said.match(/✔ \d+ of \d+ names/g)).toHaveLength(5);
    expect(said).not.toMatch(/dig is not installed/);
  });

  it('lead back from an address to a name', async () => {
    const address = addressOf('proxyha');
    for (const server of ['ns1', 'ns2', 'ns3', 'ns4']) {
      const at = addressOf(server);
      expect((await host.on('client', 'dig', '+short', '-x', address, `@${at}`)).trim()).toBe('proxyha.');
    }
  });

  it('are asked first, and have nothing to do afterwards', async () => {
    expect(await resolv('web1')).toMatch(
      /^# Lab 'names'.*\nsearch lan\.example\nnameserver 198\.18\.0\.\d+\nnameserver 198\.18\.0\.\d+\nnameserver 198\.51\.100\.1\n/,
    );
    expect(await driftOf(host)).toEqual([]);
  });

  it('forward other names to the servers that they had', async () => {
    // Nobody answers there, so neither do the nodes.
    for (const at of ['ns1', 'ns3'].map(addressOf))
      await host.tryLxc(
        'exec',
        'client',
        '-T',
        '--',
        'dig',
        '+tries=1',
        '+time=1',
        `@${at}`,
        'elsewhere.example',
      );
    const logs = await Promise.all(
      ['ns1', 'ns3'].map((node) => host.on(node, 'cat', '/var/log/dnsmasq.log')),
    );
    for (const log of logs) expect(log).toContain(`forwarded elsewhere.example to ${UPSTREAM}`);
  });

  it('are asked no more when nobody wants it, and the file is what it was', async () => {
    host.edit((text) => text.replace('nameserver: true', 'nameserver: false'));
    await host.must('up');
    for (const [node, text] of before) expect(await resolv(node)).toBe(text);
    for (const node of before.keys())
      expect((await host.on(node, 'sh', '-c', 'ls -d /etc/resolv.conf.* 2>/dev/null; true')).trim()).toBe('');
  });
});
