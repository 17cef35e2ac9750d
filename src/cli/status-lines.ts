import type { LabStatus, NodeStatus } from '../lab/status.ts';
import type { SiteState } from '../verify/stats.ts';
import type { Colours } from './colours.ts';
import { pad, table } from './table.ts';

/** A lab for people: a line a node, the drift with its reasons, and notes. */
export function statusLines(
  lab: LabStatus & { readonly balancing: readonly SiteState[] },
  c: Colours,
): string[] {
  const head = `${c.bold(lab.lab)} · ${lab.provider}`;
  const drift = lab.drift.length > 0 ? c.yellow(`drift: ${lab.drift.length}`) : '';
  const rows = lab.nodes.map((node) => [
    node.name,
    node.state === 'running' ? node.state : c.red(node.state),
    node.address ?? '',
    portsOf(node),
    node.services.map(({ name, running }) => (running ? name : c.red(`${name} stopped`))).join(', '),
    [...(node.role === 'proxy' ? lab.balancing.map((site) => siteState(site, c)) : [])].join('   '),
  ]);
  const seen = lab.drift.map(({ node, what, why }) => `  ${c.yellow('✖')} ${node}: ${what}, because ${why}`);
  return [
    drift ? `${pad(head, 62)}  ${drift}` : head,
    table(rows),
    ...seen,
    ...(seen.length > 0 ? ['  lablb up puts it right'] : []),
    ...lab.notes.map((note) => c.yellow(`  ${note}`)),
  ];
}

/** `80`, or `80→8080` where the port in fact is another one. */
function portsOf(node: NodeStatus): string {
  return node.ports
    .map(({ port, actual }) => (port === actual ? String(port) : `${port}→${actual}`))
    .join(' ');
}

function siteState({ name, up, total }: SiteState, c: Colours): string {
  const text = `${name} ${up}/${total} servers up`;
  return up === total ? text : up === 0 ? c.red(text) : c.yellow(text);
}
