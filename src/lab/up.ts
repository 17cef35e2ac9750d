import { existsSync, readFileSync } from 'node:fs';
import { readGiven, readKept, writeKept } from '../credentials/kept.ts';
import { type Kept, settleCredentials } from '../credentials/settle.ts';
import { EXIT, LabError } from '../errors.ts';
import { familyOf } from '../os/families.ts';
import type { Desired } from '../plan/desired.ts';
import { sha256 } from '../plan/hash.ts';
import { keepOnly, makePlan, type Op, type Plan, refuseForeign, type Step, setAside } from '../plan/plan.ts';
import type { LabProvider, Observed, ObservedNode } from '../providers/provider.ts';
import { renderNode } from '../render/render.ts';
import { TLS_PATHS } from '../render/tls-files.ts';
import { desire, type Wish } from '../roles/desire.ts';
import { execute } from '../runner/execute.ts';
import { type Run, type StepResult, startRun } from '../runner/run.ts';
import { formerNodes, marksOf } from '../state/former.ts';
import { withLock } from '../state/lock.ts';
import { type FormerNode, type LabRecord, lockPath, readRecord, writeRecord } from '../state/record.ts';
import type { Topology } from '../topology/topology.ts';
import { elsewhere, type Settled, settledIn } from './settled.ts';
import { notesOnFormer } from './status.ts';
import { togetherFor } from './together.ts';

export interface UpOptions {
  readonly only?: readonly string[];
  readonly parallel: number;
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  /** Shows a run; resolves when it is over. */
  readonly show: (plan: Plan, run: Run, desired: Desired, nodes: ShownNodes) => Promise<void>;
}

/** Nodes that are shown otherwise than others. */
export interface ShownNodes {
  /** They have more to do, which waits for one that failed. */
  readonly waiting: ReadonlySet<string>;
  /** They were made by this `up`. */
  readonly made: ReadonlySet<string>;
}

export interface UpReport {
  readonly desired: Desired;
  readonly results: readonly StepResult[];
  /** The statistics page's password, when this run made it. */
  readonly newPassword?: string;
  /** What was not to be done and is no failure: old machines that do not answer. */
  readonly notes: readonly string[];
}

/** Rounds until nothing is left to do: what one round makes (addresses) may be what the next one writes. */
const ROUNDS = 4;

/**
 * Makes a lab what its topology says: look, plan, do, look again. What failed is in the results; the rest stands
 * and the next `up` goes on.
 *
 * @throws LabError when it cannot begin, is interrupted, or does not come to rest.
 */
export function bringUp(topology: Topology, provider: LabProvider, options: UpOptions): Promise<UpReport> {
  return withLock(lockPath(topology.name), 'lablb up', () =>
    // However it ends, nothing of it goes on when the lab is somebody else's again.
    inRounds(topology, provider, options).finally(() => provider.settle?.()),
  );
}

async function inRounds(topology: Topology, provider: LabProvider, options: UpOptions): Promise<UpReport> {
  const results: StepResult[] = [];
  const made = new Set<string>();
  let forced = false;
  const before = readKept(topology.name).statsPassword;
  let kept: Kept | undefined;
  for (let round = 1; ; round++) {
    const planned = await planUp(topology, provider, {
      ...options,
      force: options.force && !forced,
      kept,
    });
    const { plan, wish, observed, notes } = planned;
    kept = planned.kept;
    const former = formerNodes(topology).filter(({ name }) => mayBeOurs(observed.nodes.get(name)));
    remember(topology, asFarAsKnown(wish.desired, observed), {
      finished: plan.steps.length === 0,
      whole: options.only === undefined,
      former,
      marks: topology.provider === 'ssh' ? marksOf(topology, observed) : undefined,
    });
    // The others go on without a node that failed; what is left of it is for the next `up`.
    const failed = results.flatMap(({ step, state }) => (state === 'done' ? [] : [step.node]));
    const { rest, aside } = setAside(plan, failed);
    if (rest.steps.length === 0) {
      const told = new Set(results.map(({ step }) => step.id));
      const untold = aside.filter(({ id }) => !told.has(id));
      results.push(...untold.map((step): StepResult => ({ step, state: 'skipped', ms: 0 })));
      // One that no node was to be given yet was not kept either.
      const password = readKept(topology.name).statsPassword;
      const newPassword = password === before ? undefined : password;
      return { desired: wish.desired, results, newPassword, notes };
    }
    if (round === ROUNDS) throw doesNotSettle(rest);
    const now = firstThings(rest, wish, planned.settled);
    // Before they are on any node: whatever happens next, the same ones are put there again.
    if (now === rest) writeKept(topology.name, kept);
    const hands = handsFor(topology, provider, wish, now, options.signal);
    const run = startRun(now, (step) => execute(step, hands), options);
    for (const { node, op } of now.steps)
      if (op.kind === 'create' && isAbsent(node, observed)) made.add(node);
    const waiting = new Set(aside.map(({ node }) => node).filter((node) => !failed.includes(node)));
    await options.show(now, run, wish.desired, { waiting, made });
    results.push(...(await run.all));
    options.signal?.throwIfAborted();
    if (now !== rest) continue;
    forced = true;
    await provider.settle?.(); // the next look should be the last
  }
}

interface Planned {
  readonly plan: Plan;
  readonly wish: Wish;
  readonly kept: Kept;
  readonly observed: Observed;
  readonly notes: readonly string[];
  /** What of the wish is not a guess, while others are. */
  readonly settled: () => Settled;
}

/** What `up` would do now. Touches nothing. */
export async function planUp(
  topology: Topology,
  provider: LabProvider,
  options: Pick<UpOptions, 'only' | 'force'> & {
    /** What was made for the lab and is not kept yet; read where it is kept unless said. */
    readonly kept?: Kept;
    /** What was seen just now; looked at unless said. */
    readonly observed?: Observed;
  },
): Promise<Planned> {
  refuseUnknownNodes(topology, options.only ?? []);
  refuseRival(topology);
  const observed = options.observed ?? (await provider.observe(topology.name));
  refuseForeign(
    topology.nodes.map((node) => node.name),
    observed,
  );
  const views = await provider.views(topology, observed);
  const { credentials, kept, because } = await settleCredentials(topology, {
    addresses: views.get(topology.nodes[0]!.name)!.addresses,
    kept: options.kept ?? readKept(topology.name),
    given: readGiven(topology.balancer.tls),
    now: new Date(),
  });
  const informed = new Map([...views].map(([name, view]) => [name, { ...view, credentials }]));
  const wishFor = (seen: typeof views): Wish =>
    desire(topology, seen, provider.programs(topology), renderNode);
  const wish = wishFor(informed);
  const reasons = new Map(because === undefined ? [] : TLS_PATHS.map((path) => [path, because]));
  return {
    plan: makePlan(wish.desired, observed, { ...options, reasons }),
    wish,
    kept,
    observed,
    notes: notesOnFormer(formerNodes(topology), topology, observed),
    settled: () => settledIn(wish, wishFor(elsewhere(informed))),
  };
}

/** Steps after which a node's address is known. */
const MAKES: ReadonlySet<Op['kind']> = new Set(['create', 'start', 'address']);

/**
 * While nodes have yet to be made, what is known of them is a guess: they are made, then looked at again. Until then go
 * packages, which need no address of a neighbour, and, on a new node that has to wait for others, whatever is the same
 * at any address.
 */
function firstThings(plan: Plan, wish: Wish, settledNow: () => Settled): Plan {
  const makes = plan.steps.filter(({ node, op }) => MAKES.has(op.kind) && wish.provisional.has(node));
  if (makes.length === 0) return plan;
  const settled = settledNow();
  const now = ({ node, op }: Step): boolean =>
    MAKES.has(op.kind) ||
    ['reach', 'destroy', 'configure'].includes(op.kind) ||
    (op.kind === 'install' && wish.provisional.get(node) !== 'system') ||
    (op.kind === 'push' && settled.hasFile(node, op.path)) ||
    (op.kind === 'service' && settled.hasService(node, op.service));
  return keepOnly(plan, now);
}

function handsFor(
  topology: Topology,
  provider: LabProvider,
  wish: Wish,
  plan: Plan,
  signal: AbortSignal | undefined,
) {
  return {
    provider,
    spec: (name: string) => ({ ...topology.nodes.find((node) => node.name === name)!, lab: topology.name }),
    file: (name: string, path: string) => wish.files.get(name)!.get(path)!,
    together: togetherFor(provider, wish, plan, signal),
    family: (name: string) => familyOf(wish.desired.nodes.find((node) => node.name === name)?.family),
    address: (name: string) => topology.nodes.find((node) => node.name === name)?.address,
    signal,
  };
}

/** Written before anything is made: whatever happens next, `status` and `down` know of it. */
export function remember(
  topology: Topology,
  desired: Desired,
  {
    finished,
    whole = true,
    former = [],
    marks,
  }: {
    finished: boolean;
    /** All nodes were looked after, not only some. */
    whole?: boolean;
    former?: readonly FormerNode[];
    marks?: LabRecord['marks'];
  },
): void {
  const before = readRecord(topology.name);
  const names = [...topology.nodes, ...former].map((node) => node.name);
  const record: LabRecord = {
    version: 1,
    name: topology.name,
    provider: topology.provider,
    file: topology.file,
    fileHash: hashOfFile(topology.file),
    topology,
    nodes: finished && whole ? names : [...new Set([...(before?.nodes ?? []), ...names])],
    former: former.length > 0 ? former : undefined,
    marks,
    desired,
    upAt: finished ? (before?.upAt ?? new Date().toISOString()) : undefined,
  };
  if (JSON.stringify(record) !== JSON.stringify(before)) writeRecord(record);
}

/** What is wished of a node that does not answer is a guess: what was known of it stays. */
function asFarAsKnown(desired: Desired, { nodes: seen }: Observed): Desired {
  const before = readRecord(desired.lab)?.desired.nodes ?? [];
  const nodes = desired.nodes.map((node) =>
    seen.get(node.name)?.state === 'unreachable'
      ? (before.find(({ name }) => name === node.name) ?? node)
      : node,
  );
  return { ...desired, nodes };
}

function isAbsent(node: string, { nodes }: Observed): boolean {
  return (nodes.get(node)?.state ?? 'absent') === 'absent';
}

/** One that does not answer may be: what is known of it must last until it does. */
function mayBeOurs(seen: ObservedNode | undefined): boolean {
  return seen !== undefined && seen.state !== 'absent' && seen.state !== 'foreign';
}

/** A lab of this name that is another one: from a file that is still there, or on another provider. */
function refuseRival({ name, file, provider }: Topology): void {
  const known = readRecord(name);
  if (!known) return;
  if (known.provider !== provider) {
    throw new LabError(`${name} is up on ${known.provider}; it cannot be on ${provider} as well`, {
      code: 'lab.rival',
      exit: EXIT.refused,
      hints: [`lablb down --name ${name}`],
    });
  }
  if (known.file !== file && known.file && existsSync(known.file)) {
    throw new LabError(`a lab called '${name}' is up already, from ${known.file}`, {
      code: 'lab.rival',
      exit: EXIT.refused,
      hints: [`lablb down --name ${name}`, `another 'name:' in ${file ?? 'this topology'}`],
    });
  }
}

function refuseUnknownNodes({ nodes, name }: Topology, only: readonly string[]): void {
  const stranger = only.find((wanted) => !nodes.some((node) => node.name === wanted));
  if (stranger === undefined) return;
  throw new LabError(`${name} has no node '${stranger}'`, {
    code: 'node.unknown',
    exit: EXIT.refused,
    hints: [`one of: ${nodes.map((node) => node.name).join(', ')}`],
  });
}

function doesNotSettle(plan: Plan): LabError {
  const { node, why, id } = plan.steps[0]!;
  return new LabError(
    `does not come to rest: after ${ROUNDS - 1} rounds ${id} is to be done again, because ${why}`,
    {
      code: 'lab.unsettled',
      node,
      hints: ['something else changes the same thing; lablb up --dry-run shows what'],
    },
  );
}

function hashOfFile(file: string | undefined): string | undefined {
  try {
    return file === undefined ? undefined : sha256(readFileSync(file));
  } catch {
    return undefined;
  }
}
