import type { Topology, TopologyNode } from '../topology/topology.ts';

export interface NodePort {
  readonly port: number;
  readonly use: string;
  /** Over UDP as well. */
  readonly udp?: boolean;
}

/** The ports that a node listens on, as the topology has them, each once, the first use named. */
export function portsOf(topology: Topology, node: TopologyNode): NodePort[] {
  const all = USES[node.role](topology, node).filter(({ port }) => port > 0);
  return all.filter((entry, i) => all.findIndex(({ port }) => port === entry.port) === i);
}

/** What others must reach a node at, as firewalls call it: `80/tcp`. */
export function opensOf(topology: Topology, node: TopologyNode): string[] {
  // Published ports are the host's, unless nobody but the user's own configuration knows what it listens on.
  const own = topology.balancer.config !== undefined;
  const listens = portsOf(topology, node).filter(({ use }) => own || use !== 'published');
  return listens.flatMap(({ port, udp }) => [`${port}/tcp`, ...(udp ? [`${port}/udp`] : [])]);
}

const USES: Readonly<Record<TopologyNode['role'], (topology: Topology, node: TopologyNode) => NodePort[]>> = {
  web: (_, node) => [{ port: node.port, use: 'http' }],
  proxy: ({ balancer }, node) => [
    { port: balancer.port, use: 'http' },
    ...(balancer.tls ? [{ port: balancer.tls.port, use: 'https' }] : []),
    ...(balancer.static ? [{ port: balancer.static.port, use: 'files' }] : []),
    ...(balancer.stats ? [{ port: balancer.stats.port, use: 'statistics' }] : []),
    ...node.publish.map((port) => ({ port, use: 'published' })),
  ],
  client: () => [],
  dns: (_, node) => [{ port: node.port, use: 'dns', udp: true }],
};
