import { expect, it } from 'vitest';
import { elsewhere, settledIn } from '../../src/lab/settled.ts';
import { machinePrograms } from '../../src/providers/machine/programs.ts';
import { renderNode } from '../../src/render/render.ts';
import type { NodeView } from '../../src/render/view.ts';
import { desire } from '../../src/roles/desire.ts';
import { topologyOf } from '../support/topology.ts';

const topology = topologyOf(`name: x
provider: lxd
lxd: {image: rockylinux/8, macvlan: false}
nodes:
  web: {count: 2, server: httpd}
  proxyha: {commands: [hostname]}
balancer:
  tls: true
  stats: {user: admin}
  log: {rsyslog: /var/log/haproxy.log}
`);

function settled(provisional: NodeView['provisional']) {
  const view: NodeView = {
    kind: 'machine',
    family: 'rhel',
    root: '',
    provisional,
    addresses: new Map(),
    credentials: { statsPassword: 's', tls: { certificate: 'c', key: 'k', authority: 'a' } },
  };
  const views = new Map(topology.nodes.map(({ name }) => [name, view]));
  const wish = (seen: typeof views) =>
    desire(topology, seen, { ...machinePrograms, engine: () => ENGINE }, renderNode);
  return settledIn(wish(views), wish(new Map(elsewhere(views))));
}
const ENGINE = {
  argv: ['/usr/local/sbin/lablb-proxy'],
  build: 'b',
  file: { path: '/usr/local/sbin/lablb-proxy', content: '', source: '/x', sha256: 'e' },
};

it('is what says the same at any address, with any secret, on a node that waits for others', () => {
  const { hasFile, hasService } = settled('address');
  const files = [
    '/usr/local/sbin/lablb-proxy',
    '/etc/haproxy/errors/503.http',
    '/etc/rsyslog.d/99-haproxy.conf',
    '/etc/systemd/system/lablb-proxy.service',
  ];
  for (const path of files) expect([path, hasFile('proxyha', path)]).toEqual([path, true]);
  for (const path of ['/etc/hosts', '/etc/haproxy/haproxy.cfg', '/etc/haproxy/tls/cert.pem'])
    expect([path, hasFile('proxyha', path)]).toEqual([path, false]);
  expect(hasService('proxyha', 'rsyslog')).toBe(true);
  // It reads /etc/hosts; and the topology's own commands may do anything.
  expect([hasService('proxyha', 'lablb-proxy'), hasService('proxyha', 'lablb-commands')]).toEqual([
    false,
    false,
  ]);
});

it('is nothing on a node that waits for nobody, or whose system is not known', () => {
  expect(settled('address').hasFile('web1', '/usr/share/httpd/noindex/index.html')).toBe(false);
  expect(settled('system').hasFile('proxyha', '/etc/haproxy/errors/503.http')).toBe(false);
});
