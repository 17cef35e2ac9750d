import type { NodeName } from '../providers/provider.ts';
import type { Topology, TopologyNode } from '../topology/topology.ts';
import { renderTemplate } from './templates.ts';

/** One line of /etc/hosts: the canonical name first. */
export interface HostRecord {
  readonly address: string;
  readonly names: readonly string[];
}

/**
 * The lab's names as `node` must see them. To a client, a site is where the proxy is; to everyone else, a web
 * node's names (which may be those of sites, as in the tutorials) are where that web node is.
 */
export function hostRecords(
  topology: Topology,
  node: Pick<TopologyNode, 'role'>,
  addresses: ReadonlyMap<NodeName, string>,
): HostRecord[] {
  const sites = node.role === 'client' ? siteNames(topology) : [];
  const proxy = topology.nodes.find((other) => other.role === 'proxy' && addresses.has(other.name));
  return topology.nodes.flatMap((other) => {
    const address = addresses.get(other.name);
    if (address === undefined) return [];
    const own = other.names.filter((name) => name === other.name || !sites.includes(name.toLowerCase()));
    return [{ address, names: other === proxy ? [...new Set([...own, ...sites])] : own }];
  });
}

/** Every host that some site answers to. */
function siteNames({ balancer }: Topology): string[] {
  return balancer.sites.flatMap(({ host, aliases }) => [host, ...aliases].map((name) => name.toLowerCase()));
}

export function renderHosts(lab: string, node: string, records: readonly HostRecord[]): string {
  return renderTemplate('hosts/hosts.hbs', { lab, node, records });
}

/** The managed block of /etc/hosts with its marker lines: what `placeBlock` puts in. */
export function hostsBlock(lab: string, lines: string): string {
  return placeBlock('', lab, lines);
}

/** What a system of its own has in /etc/hosts before any lab. */
export const LOCALHOST =
  '127.0.0.1  localhost localhost.localdomain\n::1  localhost ip6-localhost ip6-loopback\n';

/**
 * `text` with lablb's block for `lab` in it: in place of the one that is there, else at the end. Lines around it
 * stay as they are. An empty block takes it away.
 */
export function placeBlock(text: string, lab: string, block: string): string {
  const begin = `# >>> lablb ${lab}`;
  const end = `# <<< lablb ${lab}`;
  const marked = block === '' ? [] : [begin, ...block.trimEnd().split('\n'), end];
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const first = lines.indexOf(begin);
  const last = lines.indexOf(end, first);
  // A marker without its partner is somebody's edit: drop that line, keep what they wrote.
  const whole = first !== -1 && last !== -1;
  const rest = whole
    ? lines.toSpliced(first, last - first + 1, ...marked)
    : lines.filter((l) => l !== begin && l !== end);
  const result = whole ? rest : [...rest, ...marked];
  return result.length === 0 ? '' : `${result.join('\n')}\n`;
}
