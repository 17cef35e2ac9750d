import { EXIT, LabError } from '../errors.ts';
import type { LabProvider, NodeName, Snapshots } from '../providers/provider.ts';
import { withLock } from '../state/lock.ts';
import { type LabRecord, lockPath } from '../state/record.ts';

/** What a snapshot may be called: a word that every provider takes. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Keeps the state of every node under one name, at once; one of that name is replaced. */
export function takeSnapshot(record: LabRecord, provider: LabProvider, name: string): Promise<void> {
  const able = snapshotsOf(record, provider, name);
  return withLock(lockPath(record.name), 'lablb snapshot', () =>
    each(record, (node) => able.makeSnapshot(node, name)).then(() => undefined),
  );
}

/** Puts every node back to what it was, and waits until each has its address again. */
export function restoreSnapshot(record: LabRecord, provider: LabProvider, name: string): Promise<void> {
  const able = snapshotsOf(record, provider, name);
  return withLock(lockPath(record.name), 'lablb restore', async () => {
    const lacking = await lackingIn(record, able, name);
    if (lacking.length > 0) throw unknownSnapshot(record, name, lacking, await namesIn(record, able));
    await each(record, (node) => able.restoreSnapshot(node, name));
  });
}

/** The names that every node of the lab has a snapshot of. */
export async function listSnapshots(record: LabRecord, provider: LabProvider): Promise<string[]> {
  return namesIn(record, snapshotsOf(record, provider));
}

async function namesIn(record: LabRecord, able: Snapshots): Promise<string[]> {
  const lists = await each(record, (node) => able.snapshots(node));
  return (lists[0] ?? []).filter((name) => lists.every((list) => list.includes(name)));
}

async function lackingIn(record: LabRecord, able: Snapshots, name: string): Promise<NodeName[]> {
  const has = await each(record, async (node) => (await able.snapshots(node)).includes(name));
  return nodesOf(record).filter((_, i) => !has[i]);
}

function each<T>(record: LabRecord, action: (node: NodeName) => Promise<T>): Promise<T[]> {
  return Promise.all(nodesOf(record).map(action));
}

function nodesOf({ desired }: LabRecord): NodeName[] {
  return desired.nodes.map((node) => node.name);
}

function snapshotsOf(record: LabRecord, provider: LabProvider, name?: string): Snapshots {
  if (name !== undefined && !NAME.test(name)) {
    throw new LabError(`'${name}' is unfit for a snapshot`, {
      code: 'snapshot.name',
      exit: EXIT.refused,
      hints: ['lower-case letters, digits and dashes, 63 at most'],
    });
  }
  const { makeSnapshot, restoreSnapshot, snapshots } = provider;
  if (makeSnapshot && restoreSnapshot && snapshots) return provider as LabProvider & Snapshots;
  throw new LabError(`provider '${record.provider}' has no snapshots`, {
    code: 'snapshot.provider',
    exit: EXIT.refused,
    hints: ["provider: lxd   has them; 'lablb down' and 'lablb up' give a fresh lab anywhere"],
  });
}

function unknownSnapshot(
  { name: lab }: LabRecord,
  name: string,
  lacking: readonly NodeName[],
  there: readonly string[],
): LabError {
  return new LabError(`${lab} has no snapshot '${name}' (${lacking.join(', ')})`, {
    code: 'snapshot.unknown',
    exit: EXIT.refused,
    hints: there.length > 0 ? [`there are: ${there.join(', ')}`] : ['lablb snapshot NAME'],
  });
}
