import type { LabStatus, NodeStatus } from '../lab/status.ts';
import type { FaultName } from '../os/faults.ts';
import type { SiteState } from '../verify/stats.ts';
import type { Colours } from './colours.ts';
import { pad, table } from './table.ts';

/** A lab for people: a line a node, the drift with its reasons, and notes. */
export function statusLines(
  lab: LabStatus & { readonly balancing: readonly SiteState[]; readonly password?: string },
  c: Colours,
): string[] {
  const head = `${c.bold(lab.lab)} · ${lab.provider}`;
  const drift = lab.drift.length > 0 ? c.yellow(`drift: ${lab.drift.length}`) : '';
  const rows = lab.nodes.map((node) => {
    if (node.problem) return [node.name, `${c.red(node.state)} (${node.problem})`];
    return [
      node.name,
      node.state === 'running' ? node.state : c.red(node.state),
      node.address ?? '',
      portsOf(node),
      node.state === 'running'
        ? node.services.map((service) => serviceState(service, node, c)).join(', ')
        : '',
      [...(node.role === 'proxy' ? lab.balancing.map((site) => siteState(site, c)) : [])].join('   '),
    ];
  });
  const seen = lab.drift.map(({ node, what, why, fault }) => {
    const line = fault
      ? `${node} failed by hand: ${fault} · lablb heal ${node}`
      : `${node}: ${what}, because ${why}`;
    return `  ${c.yellow('✖')} ${line}`;
  });
  return [
    drift ? `${pad(head, 62)}  ${drift}` : head,
    table(rows),
    ...seen,
    ...(seen.length > 0 ? ['  `lablb up` puts it right'] : []),
    ...(lab.password === undefined
      ? []
      : [`  statistics: ${lab.statistics}   (user ${lab.user}, password ${lab.password})`]),
    ...lab.notes.map((note) => c.yellow(`  ${note}`)),
  ];
}

function serviceState(
  { name, running }: NodeStatus['services'][number],
  { fault }: NodeStatus,
  c: Colours,
): string {
  if (fault?.service === name) return c.red(`${name} ${FAULT_STATE[fault.how as FaultName] ?? fault.how}`);
  return running ? name : c.red(`${name} stopped`);
}

const FAULT_STATE: Readonly<Record<FaultName, string>> = {
  stop: 'stopped',
  freeze: 'frozen',
  slow: 'slow',
  refuse: 'refusing',
  error: 'answering 500',
};

/** `80`, or `80→8080` where the port in fact is another one. Who listens on a published one, the topology does not say. */
function portsOf(node: NodeStatus): string {
  return node.ports
    .map(({ port, actual, use }) => {
      const place = port === actual ? String(port) : `${port}→${actual}`;
      return use === 'published' ? `${place} (published)` : place;
    })
    .join(' ');
}

function siteState({ name, up, total }: SiteState, c: Colours): string {
  const text = `${name} ${up}/${total} servers up`;
  return up === total ? text : up === 0 ? c.red(text) : c.yellow(text);
}
