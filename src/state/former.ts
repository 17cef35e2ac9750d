import { calledAt, nameInLab } from '../plan/moved.ts';
import type { Observed } from '../providers/provider.ts';
import type { Topology, TopologyNode } from '../topology/topology.ts';
import { type FormerNode, readRecord } from './record.ts';

/**
 * Machines of a lab that its topology no longer has, as far as they may be marked still: of nodes that are gone, and of
 * nodes that are elsewhere now. With all it takes to reach them, for what `ssh:` says now is about others.
 */
export function formerNodes({ name: lab, provider, nodes, ssh }: Topology): FormerNode[] {
  const record = readRecord(lab);
  if (!record) return [];
  const { topology, former = [], marks } = record;
  const last = topology.nodes
    .map((node): FormerNode => ({ ...withSsh(node, topology.ssh), mark: marks?.[node.name] }))
    // Nothing was ever done to one that never answered.
    .filter(({ mark }) => marks === undefined || mark !== undefined);
  const left = [...former, ...last]
    .filter(({ name }) => record.nodes.includes(name))
    .flatMap((node): FormerNode[] => {
      const name = nameInLab(node.name);
      const now = nodes.find((one) => one.name === name);
      if (!now) return [node];
      const place = placeOf(node);
      // Elsewhere than on machines that exist, a node has no place of its own: it is made anew, or changed.
      if (provider !== 'ssh' || place === undefined || place === placeOf(withSsh(now, ssh))) return [];
      return [{ ...node, name: calledAt(name, place) }];
    });
  return [...new Map(left.map((node) => [node.name, node])).values()];
}

/**
 * What is known of the machines of these nodes: the mark, or '' for one that answered and may have one by now; nothing of
 * one that never did.
 */
export function marksOf(
  { name: lab, nodes, ssh }: Topology,
  { nodes: seen }: Observed,
): Record<string, string> {
  const before = readRecord(lab);
  const known = nodes.flatMap((node): [string, string | undefined][] => {
    const { state, mark = '' } = seen.get(node.name) ?? {};
    if (state !== 'unreachable') return [[node.name, mark]];
    const last = before?.topology.nodes.find(({ name }) => name === node.name);
    const stayed = last && placeOf(withSsh(last, before?.topology.ssh)) === placeOf(withSsh(node, ssh));
    return stayed ? [[node.name, before?.marks?.[node.name]]] : [];
  });
  return Object.fromEntries(known.filter((one): one is [string, string] => one[1] !== undefined));
}

/** With what the topology says of all. */
function withSsh(node: TopologyNode, all: Topology['ssh']): TopologyNode {
  return { ...node, extra: { ...node.extra, ssh: { ...all, ...(node.extra.ssh as object | undefined) } } };
}

/** Which machine it is, as far as a topology tells: who one is there makes no difference. */
function placeOf({ address, extra }: TopologyNode): string | undefined {
  const {
    host = address,
    port = SSH_PORT,
    jump,
  } = extra.ssh as { host?: string; port?: number; jump?: string };
  if (host === undefined) return undefined;
  return `${host}${port === SSH_PORT ? '' : `:${port}`}${jump === undefined ? '' : ` through ${jump}`}`;
}

const SSH_PORT = 22;
