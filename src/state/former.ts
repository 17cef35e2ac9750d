import type { Topology, TopologyNode } from '../topology/topology.ts';
import { readRecord } from './record.ts';

/**
 * Nodes that earlier topologies of a lab had and this one has not, as far as they may not be gone yet; with all it takes
 * to reach them, for what `ssh:` says now is about others.
 */
export function formerNodes({ name: lab, nodes }: Topology): TopologyNode[] {
  const record = readRecord(lab);
  if (!record) return [];
  const { topology, former = [] } = record;
  const last = topology.nodes.map((node) => {
    const ssh = { ...topology.ssh, ...(node.extra.ssh as object | undefined) };
    return { ...node, extra: { ...node.extra, ssh } };
  });
  const known = new Map([...former, ...last].map((node) => [node.name, node]));
  for (const { name } of nodes) known.delete(name);
  return [...known.values()].filter(({ name }) => record.nodes.includes(name));
}
