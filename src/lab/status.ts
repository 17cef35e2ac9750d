import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { curlLine, statsUrl } from '../cli/lab-lines.ts';
import { readKept } from '../credentials/kept.ts';
import { daysLeft, renewalDays } from '../credentials/settle.ts';
import type { PortMapping } from '../plan/desired.ts';
import { sha256 } from '../plan/hash.ts';
import { whyGone } from '../plan/moved.ts';
import { describe, makePlan } from '../plan/plan.ts';
import type { LabProvider, Observed, ObservedFault, ObservedNode } from '../providers/provider.ts';
import type { LabRecord } from '../state/record.ts';
import { plural } from '../text.ts';
import type { ProviderName, Role, Topology, TopologyNode } from '../topology/topology.ts';

export interface LabStatus {
  readonly lab: string;
  readonly provider: ProviderName;
  readonly file?: string;
  readonly upAt?: string;
  /** A request that anyone can repeat, and the statistics page. */
  readonly curl?: string;
  readonly statistics?: string;
  /** Of the statistics page. */
  readonly user?: string;
  readonly nodes: readonly NodeStatus[];
  /** What `up` would do, and why: nothing when the lab is as it should be. */
  readonly drift: readonly Drift[];
  /** What is worth knowing and no drift: the file changed since, an `up` that did not finish. */
  readonly notes: readonly string[];
}

export interface NodeStatus {
  readonly name: string;
  readonly role: Role;
  readonly state: ObservedNode['state'];
  /** Why it cannot be looked at. */
  readonly problem?: string;
  readonly address?: string;
  readonly ports: readonly PortMapping[];
  readonly services: readonly { readonly name: string; readonly running: boolean }[];
  readonly about: string;
  /** What `lablb fail` made it do. */
  readonly fault?: ObservedFault;
}

export interface Drift {
  readonly node: string;
  readonly what: string;
  readonly why: string;
  /** What `lablb fail` made the node do, when undoing that is the step. */
  readonly fault?: string;
}

/** What is there, beside what the last `up` was to make true. Needs no file and renders nothing. */
export async function labStatus(record: LabRecord, provider: LabProvider): Promise<LabStatus> {
  const observed = await provider.observe(record.name);
  const plan = makePlan(record.desired, observed);
  const nodes = record.desired.nodes.map((node): NodeStatus => {
    const seen = observed.nodes.get(node.name);
    return {
      name: node.name,
      role: node.role,
      state: seen?.state ?? 'absent',
      problem: seen?.problem,
      address: seen?.address ?? node.address,
      ports: node.ports,
      services: node.services.map(({ name }) => ({
        name,
        running: seen?.services.get(name)?.running ?? false,
      })),
      about: node.about,
      fault: seen?.fault,
    };
  });
  const notices = [...observed.nodes].flatMap(([name, { notices = [] }]) =>
    notices.map((notice) => `${name}: ${notice}`),
  );
  // What a node that is not there lacks goes without saying.
  const made = new Set(plan.steps.filter(({ op }) => op.kind === 'create').map(({ node }) => node));
  const told = plan.steps.filter(({ node, op }) => op.kind === 'create' || !made.has(node));
  // What is gone is as it was wished.
  const drift = (record.leaving ? [] : told).map(({ node, op, why }) => ({
    node,
    what: describe(op),
    why,
    fault: op.kind === 'heal' ? op.how : undefined,
  }));
  return {
    lab: record.name,
    provider: record.provider,
    file: record.file,
    upAt: record.upAt,
    curl: curlLine(record.topology, record.desired),
    statistics: statsUrl(record.topology, record.desired),
    user: record.topology.balancer.stats?.user,
    nodes,
    drift,
    notes: [...notesOn(record), ...notices, ...notesOnFormer(record.former ?? [], record.topology, observed)],
  };
}

function notesOn(record: LabRecord): string[] {
  if (record.leaving) return ['`lablb down` did not finish: `lablb down` goes on, `lablb up` brings it back'];
  const unfinished = [
    ...(record.upAt === undefined ? ['the last `lablb up` did not finish'] : []),
    ...noteOnCertificate(record),
  ];
  if (record.file === undefined) return unfinished;
  if (!existsSync(record.file))
    return [...unfinished, `${record.file} is gone; \`lablb down --name ${record.name}\` works`];
  return [...unfinished, ...changedFiles(record).map((file) => `${file} changed since: \`lablb up\``)];
}

/** Machines that are to be given back, and cannot be. */
export function notesOnFormer(
  former: readonly TopologyNode[],
  { nodes }: Topology,
  { nodes: seen }: Observed,
): string[] {
  return former.flatMap(({ name }) => {
    const { state, problem } = seen.get(name) ?? {};
    if (state !== 'unreachable') return [];
    const why = whyGone(name, nodes);
    return [`${name}: ${why}, and it cannot be given back: ${problem}; the next \`lablb up\` tries again`];
  });
}

function noteOnCertificate({ name, topology: { balancer } }: LabRecord): string[] {
  const server = readKept(name).tls?.server;
  if (!server || !balancer.tls || balancer.tls.given) return [];
  const left = daysLeft(server, new Date());
  if (left >= renewalDays(server.days)) return [];
  const when = left < 0 ? 'has ended' : `ends in ${plural(Math.floor(left), 'day')}`;
  return [`the certificate ${when}; \`lablb up\` makes another one`];
}

/** The topology, and the configuration of the user's own that it names, where they are not what `up` read. */
function changedFiles({ file = '', fileHash, topology }: LabRecord): string[] {
  const { config } = topology.balancer;
  const own = config && resolve(dirname(file), config.file);
  return [
    ...(hashOf(file) === fileHash ? [] : [file]),
    ...(own === undefined || hashOf(own) === sha256(config!.text) ? [] : [own]),
  ];
}

function hashOf(file: string): string | undefined {
  try {
    return sha256(readFileSync(file));
  } catch {
    return undefined;
  }
}
