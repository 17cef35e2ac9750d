import type { Topology } from '../topology/topology.ts';

/**
 * Every name and IPv4 address under which something in the lab is looked for, so that the certificate fits whatever a
 * client asks for: sites (with their short names, as `lablb hosts` has them), nodes, addresses as far as they are
 * known, this machine itself, and what the topology adds. Lower case, each once.
 */
export function certificateNames(
  { balancer, nodes }: Topology,
  addresses: ReadonlyMap<string, string>,
): string[] {
  const hosts = balancer.sites.flatMap(({ host, aliases }) => [host, ...aliases]);
  const shorts = balancer.sites.map(({ host }) => host.split('.')[0]!);
  const proxiesFirst = [...nodes].sort((a, b) => Number(b.role === 'proxy') - Number(a.role === 'proxy'));
  const all = [
    ...hosts,
    ...shorts.filter((short) => shorts.filter((other) => other === short).length === 1),
    ...proxiesFirst.flatMap(({ names }) => names),
    ...(balancer.tls?.names ?? []),
    'localhost',
    ...proxiesFirst.flatMap(({ name }) => addresses.get(name) ?? []),
    '127.0.0.1',
  ];
  return [...new Set(all.map((name) => name.toLowerCase()))];
}
