import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { NodeView } from '../../src/render/render.ts';
import { needs, which } from '../support/needs.ts';
import { contentOf, filesOf } from './support.ts';

const LAB = `
name: lab
provider: ssh
defaults: { nameserver: true }
nodes:
  web1: { address: 192.0.2.1, names: [site1.testdomain.com, site1] }
  web2: { address: 192.0.2.2 }
  proxyha: { address: 192.0.2.3 }
  ns1: { role: dns, address: 192.0.2.5 }
  ns2: { role: dns, server: bind, address: 192.0.2.9 }
balancer:
  sites: { site1.testdomain.com: { servers: [web1, web2], aliases: [www.testdomain.com] } }
`;
const resolver = {
  owner: 'file',
  nameservers: ['192.0.2.5', '127.0.0.53', '198.51.100.1'],
  search: ['lan'],
} as const;
const folder = mkdtempSync(join(tmpdir(), 'lablb-dns-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a dns node', () => {
  it('with dnsmasq answers for sites with the balancer, for nodes with themselves, and forwards the rest', () => {
    const text = contentOf(filesOf(LAB, 'ns1', { resolver }), '/etc/dnsmasq.conf');
    expect(text.split('\n').filter((line) => line && !line.startsWith('#'))).toEqual([
      'listen-address=192.0.2.5',
      'bind-dynamic',
      'no-hosts',
      'no-resolv',
      'local-ttl=5',
      'log-queries',
      'log-facility=/var/log/dnsmasq.log',
      'local=/site1/',
      'local=/web1/',
      'local=/web2/',
      'local=/proxyha/',
      'local=/testdomain.com/',
      'local=/ns1/',
      'local=/ns2/',
      'host-record=site1,192.0.2.1',
      'host-record=web1,192.0.2.1',
      'host-record=web2,192.0.2.2',
      'host-record=proxyha,192.0.2.3',
      'host-record=site1.testdomain.com,192.0.2.3',
      'host-record=www.testdomain.com,192.0.2.3',
      'host-record=ns1,192.0.2.5',
      'host-record=ns2,192.0.2.9',
      'domain-needed',
      'bogus-priv',
      'server=198.51.100.1', // neither itself nor a loopback address
    ]);
  });

  it('with BIND has a zone for each domain, and one back', () => {
    const files = filesOf(LAB, 'ns2', { resolver, family: 'debian' });
    const serial = /\( (\d+) 3600/.exec(contentOf(files, '/etc/bind/lablb/testdomain.com.zone'))?.[1];
    expect(contentOf(files, '/etc/bind/lablb/testdomain.com.zone').split('\n').slice(1)).toEqual([
      '$TTL 5',
      `@ IN SOA ns1. hostmaster.ns1. ( ${serial} 3600 600 86400 5 )`,
      '@ IN NS ns1.',
      '@ IN NS ns2.',
      'site1 IN A 192.0.2.3',
      'www IN A 192.0.2.3',
      '',
    ]);
    expect(contentOf(files, '/etc/bind/lablb/2.0.192.in-addr.arpa.zone')).toContain('\n5 IN PTR ns1.\n');
    const config = contentOf(files, '/etc/bind/named.conf');
    expect(config).toMatch(/forwarders \{\s+198\.51\.100\.1;\s+\}/);
    expect(config).toContain('listen-on { 192.0.2.9; };');
  });

  it.each(['false', '[198.51.100.7]'])('asks whom the topology says: forward: %s', (forward) => {
    const lab = `${LAB}dns: { forward: ${forward}, ttl: 1m }\n`;
    const dnsmasq = contentOf(filesOf(lab, 'ns1', { resolver }), '/etc/dnsmasq.conf');
    const bind = contentOf(filesOf(lab, 'ns2', { resolver }), '/etc/named.conf');
    expect(dnsmasq.includes('server=198.51.100.7')).toBe(forward !== 'false');
    expect(/forwarders \{\s+198\.51\.100\.7;\s+\}/.test(bind)).toBe(forward !== 'false');
    expect(bind.includes('recursion no;')).toBe(forward === 'false');
    expect(dnsmasq).toContain('local-ttl=60');
  });

  it.skipIf(!needs('dnsmasq'))('has a configuration that dnsmasq takes', () => {
    const file = join(folder, 'dnsmasq.conf');
    writeFileSync(file, contentOf(filesOf(LAB, 'ns1', { resolver }), '/etc/dnsmasq.conf'));
    const { stderr, status } = spawnSync(which('dnsmasq')!, ['--test', '-C', file], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: 'dnsmasq: syntax check OK.\n' });
  });

  it.skipIf(!needs('named-checkconf'))('has a configuration and zones that BIND takes', () => {
    const root = join(folder, 'bind');
    for (const { path, content } of filesOf(LAB, 'ns2', { resolver, family: 'debian' })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), String(content).replaceAll(/"(?=\/(?:etc|var))/g, `"${root}`));
    }
    mkdirSync(join(root, 'var/cache/bind'), { recursive: true });
    const said = execFileSync(which('named-checkconf')!, ['-z', join(root, '/etc/bind/named.conf')], {
      encoding: 'utf8',
    });
    expect(said).toMatch(/zone testdomain.com\/IN: loaded serial \d+/);
    expect(said.split('\n').filter((line) => line && !/: loaded serial/.test(line))).toEqual([]);
  });
});

describe('a node that asks the lab', () => {
  const asks = (view: Partial<NodeView>, node = 'web1') =>
    filesOf(LAB, node, view).filter(({ path }) => /resolv|dhc|NetworkManager/.test(path));

  it('has the dns nodes before the servers that it had, the domains that it searched, and its own file kept', () => {
    const [file, ...others] = asks({ resolver });
    expect(others).toEqual([]);
    expect(file).toMatchObject({ path: '/etc/resolv.conf', keepOriginal: true });
    expect(String(file!.content).split('\n').slice(1)).toEqual([
      'search lan',
      'nameserver 192.0.2.5',
      'nameserver 192.0.2.9',
      'nameserver 198.51.100.1',
      'options timeout:2 attempts:2',
      '',
    ]);
  });

  it.each([
    ['dhcpcd', 'debian', ['/etc/dhcpcd.enter-hook', '/etc/resolv.conf']],
    ['dhclient', 'debian', ['/etc/dhcp/dhclient-enter-hooks.d/lablb', '/etc/resolv.conf']],
    ['dhclient', 'rhel', ['/etc/dhcp/dhclient-enter-hooks', '/etc/resolv.conf']],
    ['networkmanager', 'rhel', ['/etc/NetworkManager/conf.d/90-lablb.conf', '/etc/resolv.conf']],
    ['resolved', 'debian', ['/etc/systemd/resolved.conf.d/lablb.conf']],
  ] as const)('where %s writes the file on %s: %j', (owner, family, paths) => {
    expect(asks({ family, resolver: { ...resolver, owner } }).map(({ path }) => path)).toEqual(paths);
  });

  it('is refused where a stranger writes the file', () => {
    expect(() =>
      asks({ resolver: { ...resolver, owner: 'link', target: '/run/resolvconf/resolv.conf' } }),
    ).toThrow(
      expect.objectContaining({
        fields: expect.objectContaining({ code: 'resolver.unknown', node: 'web1' }),
      }),
    );
  });

  it('is no dns node, and no local one', () => {
    expect(asks({ resolver }, 'ns1')).toEqual([]);
    expect(asks({ resolver, kind: 'embedded' })).toEqual([]);
  });
});
