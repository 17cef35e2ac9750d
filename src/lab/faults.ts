import { EXIT, LabError } from '../errors.ts';
import { familyOf } from '../os/families.ts';
import { FAIL_REFUSED, FAULT_NAMES, type FaultName } from '../os/faults.ts';
import type { DesiredNode, DesiredService } from '../plan/desired.ts';
import type { ExecResult, LabProvider } from '../providers/provider.ts';
import { withLock } from '../state/lock.ts';
import { type LabRecord, lockPath } from '../state/record.ts';
import type { Role } from '../topology/topology.ts';

export interface Fault {
  readonly how: FaultName;
  /** How long answers wait, at most (`slow`). Milliseconds. */
  readonly delayMs: number;
}

export interface Healed {
  readonly node: string;
  readonly how: string;
  readonly service: string;
}

/** A restart of a service may take this long. */
const DEADLINE_MS = 60_000;

/** A load balancer's own answers are its configuration's affair. */
const ABLE: Readonly<Record<Role, readonly FaultName[]>> = {
  web: FAULT_NAMES,
  proxy: ['stop', 'freeze'],
  dns: ['stop', 'freeze'],
  client: [],
};

/**
 * Makes a node fail on purpose until it is healed, by `lablb heal` or `lablb up`. The node itself remembers it.
 *
 * @throws LabError `fault.unfit`, `fault.already`, `fault.not-running`; `node.command-failed` when it could not be done,
 * with the node as it was.
 */
export function failNode(
  record: LabRecord,
  node: DesiredNode,
  { how, delayMs }: Fault,
  provider: LabProvider,
): Promise<void> {
  const service = mainService(node);
  if (!ABLE[node.role].includes(how)) throw unfit(node, how);
  if (!service) throw unknownService(node);
  return withLock(lockPath(record.name), 'lablb fail', async () => {
    const port = node.ports[0]?.actual ?? 0;
    const argv = familyOf(node.family).fail({ how, service: service.name, port, delayMs });
    const result = await provider.exec(node.name, argv, { timeoutMs: DEADLINE_MS });
    if (result.exitStatus !== 0) throw notFailed(node, service, how, result);
  });
}

/** Undoes the faults of these nodes, all at once, and tells which there were. */
export function healNodes(
  record: LabRecord,
  nodes: readonly DesiredNode[],
  provider: LabProvider,
): Promise<readonly Healed[]> {
  return withLock(lockPath(record.name), 'lablb heal', async () => {
    const healed = await Promise.all(nodes.map((node) => healNode(node, provider)));
    return healed.flatMap((one) => one ?? []);
  });
}

/** The same for one node, for whoever holds the lock. */
export async function healNode(node: DesiredNode, provider: LabProvider): Promise<Healed | undefined> {
  const service = mainService(node);
  if (!service) return undefined;
  const argv = familyOf(node.family).heal(service.name);
  const asked = provider.exec(node.name, argv, { timeoutMs: DEADLINE_MS });
  const result = await asked.catch((error) => {
    // What is not there has no fault; a machine that does not run has none when it starts.
    if (error instanceof LabError && ['node.absent', 'node.stopped'].includes(error.fields.code))
      return undefined;
    throw error;
  });
  if (!result) return undefined;
  if (result.exitStatus !== 0) {
    throw new LabError(`${service.name} does not start again`, {
      code: 'node.command-failed',
      node: node.name,
      exitStatus: result.exitStatus,
      stderr: result.stderr,
      hints: [`lablb logs ${node.name}`],
    });
  }
  const [how, name] = result.stdout.trim().split(' ');
  return how && name ? { node: node.name, how, service: name } : undefined;
}

function mainService(node: DesiredNode): DesiredService | undefined {
  return node.services.find(({ main }) => main);
}

function unfit({ name, role }: DesiredNode, how: FaultName): LabError {
  const able = ABLE[role];
  const can = able.length > 0 ? `it can: ${able.join(', ')}` : 'it serves nothing that could fail';
  return new LabError(`a ${role} node cannot fail by '${how}'; ${can}`, {
    code: 'fault.unfit',
    node: name,
    exit: EXIT.refused,
    hints: able.length > 0 ? [`lablb fail ${name} --how ${able[0]}`] : undefined,
  });
}

/** Records of an older lablb do not tell. */
function unknownService({ name }: DesiredNode): LabError {
  return new LabError('an older lablb brought it up, and did not note which service is to fail', {
    code: 'fault.unfit',
    node: name,
    exit: EXIT.refused,
    hints: ['lablb up   (nothing is lost by it)'],
  });
}

function notFailed(
  { name }: DesiredNode,
  service: DesiredService,
  how: FaultName,
  { exitStatus, stderr }: ExecResult,
): LabError {
  if (exitStatus === FAIL_REFUSED.already) {
    return new LabError(`it was made to fail already: ${stderr.trim().split(' ')[0]}`, {
      code: 'fault.already',
      node: name,
      exit: EXIT.refused,
      hints: [`lablb heal ${name}`],
    });
  }
  if (exitStatus === FAIL_REFUSED.notRunning) {
    return new LabError(`${service.name} does not run, so it cannot be made to fail`, {
      code: 'fault.not-running',
      node: name,
      hints: ['lablb up', `lablb logs ${name}`],
    });
  }
  return new LabError(`${service.name} could not be made to fail by '${how}'`, {
    code: 'node.command-failed',
    node: name,
    exitStatus,
    stderr,
    hints: ['lablb up   (heals what is left of it)'],
  });
}
