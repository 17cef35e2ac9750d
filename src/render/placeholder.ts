import type { Topology } from '../topology/topology.ts';
import type { NodeView } from './view.ts';

/** A view of a lab that is not up: stated addresses, and loopback ones for the rest. */
export function placeholderView(topology: Topology, node: string): NodeView {
  const addresses = new Map(
    topology.nodes.map(({ name, address }, index) => [name, address ?? `127.0.1.${index + 1}`]),
  );
  const embedded = topology.provider === 'local';
  return {
    kind: embedded ? 'embedded' : 'machine',
    addresses,
    root: '',
    bind: embedded ? addresses.get(node) : undefined,
  };
}

/** Stands for a secret. */
export const HIDDEN = '********';

/** The topology with its secrets hidden, for showing what would be written. */
export function withoutSecrets(topology: Topology): Topology {
  const { stats } = topology.balancer;
  if (stats?.user === undefined) return topology;
  return { ...topology, balancer: { ...topology.balancer, stats: { ...stats, password: HIDDEN } } };
}
