import { isUp, ROW, readStats, type StatsRow } from '../balancer/csv.ts';
import { balancerStats } from '../balancer/stats.ts';
import { LabError } from '../errors.ts';
import { failNode, healNodes } from '../lab/faults.ts';
import { nodeOf } from '../lab/node.ts';
import { plural, seconds } from '../text.ts';
import { durationText } from '../topology/duration.ts';
import type { Balancer } from '../topology/topology.ts';
import { type Finding, sayCommand, tryCase } from './case.ts';
import { pause } from './pause.ts';
import type { Target } from './request.ts';
import { waitForServers } from './servers-up.ts';
import { senderOf, siteTarget, type TestedSite, testedSites } from './sites.ts';
import { type Rate, type Reply, type Steady, sendSteadily } from './steady.ts';
import type { CaseResult, FailureName, Suite, SuiteContext } from './suite.ts';

const NAME = 'failover';

/** A server fails under steady requests: the balancer must notice, lose nothing that it could send again, and take it back. */
export const failover: Suite = {
  name: NAME,
  summary: 'a server that fails is noticed, loses no request that can be sent again, and comes back',
  how: 'Under steady requests the first server of the first site that has two or more is made to fail, as `lablb fail` does, and healed once the balancer has it DOWN. With `--how stop` (the default) its server is stopped: not one request may fail. With `--how freeze` its processes stand still: what it has taken by then waits in vain, for a request that a server has taken is not sent again; after DOWN not one request may fail. Tells how long DOWN and UP took, beside what `fall × inter` and `rise × inter` let one expect. The server is healed whatever happens.',
  unfit: (topology) => {
    if (siteFor(testedSites(topology))) return undefined;
    return { reason: 'no site has a second server that could stand in', hint: 'a site with two servers' };
  },
  run: async (context) => {
    const site = siteFor(testedSites(context.record.topology))!;
    const results: CaseResult[] = [];
    for (const how of context.how ?? ['stop' as const])
      results.push(await tryFailure(FAILURES[how], site, context));
    return results;
  },
};

/** A way to fail that is tried, and what may be expected of it. */
interface Failure {
  readonly how: FailureName;
  readonly done: string;
  readonly undone: string;
  readonly rate: Rate;
  /**
   * It takes what comes and answers nothing. Checks fail when they have waited for it; requests that it has taken are
   * lost, and nobody could help it.
   */
  readonly silent: boolean;
}

const FAILURES: Readonly<Record<FailureName, Failure>> = {
  stop: {
    how: 'stop',
    done: 'stopped',
    undone: 'started',
    rate: { batch: 5, patience: 20 },
    silent: false,
  },
  freeze: {
    how: 'freeze',
    done: 'frozen',
    undone: 'thawed',
    // Those that wait in vain pile up: fewer of them.
    rate: { batch: 1, patience: 3 },
    silent: true,
  },
};

/** Requests go on for so long before, between and after. */
const STEADY_MS = 1000;
/** A busy machine may be late by so much. */
const SLACK_MS = 10_000;

function siteFor(sites: readonly TestedSite[]): TestedSite | undefined {
  return sites.find(({ servers }) => servers.length > 1);
}

function tryFailure(failure: Failure, site: TestedSite, context: SuiteContext): Promise<CaseResult> {
  const [victim, ...others] = site.servers.map(({ name }) => name);
  const rate = plural(failure.rate.batch * 10, 'request');
  const about = `${failure.how} ${victim} under ${rate}/s from ${senderOf(context).node}`;
  return tryCase(NAME, site.name, about, context, async () => {
    const target = siteTarget(site, context);
    sayCommand(context, target);
    await waitForServers(context);
    const before = await rowsOf(victim!, context);
    const unfit = notReady(victim!, before);
    if (unfit) return { proof: '', failure: unfit, hints: await wayOut(victim!, context) };
    const trial = {
      failure,
      victim: victim!,
      target,
      expected: expect(failure, before, context.record.topology.balancer),
    };
    const seen = await observe(trial, context);
    return judge({ ...trial, others, before, ...seen }, context);
  });
}

function notReady(victim: string, rows: readonly StatsRow[]): string | undefined {
  if (rows.length === 0) return `the balancer has no server called ${victim}`;
  const down = rows.find((row) => !isUp(row));
  return down && `${victim} is ${down.status} before anything was done to it`;
}

/** One that was made to fail and not healed, by hand or by a test that was killed. */
async function wayOut(victim: string, { record, provider }: SuiteContext): Promise<readonly string[]> {
  const { nodes } = await provider.observe(record.name);
  return nodes.get(victim)?.fault ? [`lablb heal ${victim}`] : [`lablb status`, `lablb logs ${victim}`];
}

interface Trial {
  readonly failure: Failure;
  /** The server that is made to fail. */
  readonly victim: string;
  readonly target: Target;
  readonly expected: Expected;
}

interface Seen {
  /** Milliseconds from the failure to DOWN, and from the healing to UP; undefined when it did not come to that. */
  readonly downMs: number | undefined;
  readonly upMs: number | undefined;
  /** Requests that began before the balancer knew, and those after. */
  readonly early: readonly Reply[];
  readonly late: readonly Reply[];
  readonly after: readonly StatsRow[];
}

/** Does it, with requests going on. Whatever happens, the server is healed and the requests end. */
async function observe({ failure, victim, target, expected }: Trial, context: SuiteContext): Promise<Seen> {
  const { record, provider, signal } = context;
  const node = nodeOf(record, victim);
  const loads: Steady[] = [];
  const load = (): Steady => {
    loads.push(sendSteadily(target, failure.rate, senderOf(context)));
    return loads.at(-1)!;
  };
  let touched = true;
  try {
    const early = load();
    await pause(STEADY_MS, signal);
    await failNode(record, node, { how: failure.how, delayMs: 0 }, provider).catch((error) => {
      // Refused, so nothing was done; a fault that somebody else made is theirs to undo.
      touched = !(error instanceof LabError && error.fields.code.startsWith('fault.'));
      throw error;
    });
    const failed = performance.now();
    const tell = (event: string): void =>
      context.say(`  ${clock(performance.now() - failed).padStart(7)}  ${event}`);
    tell(`${victim} ${failure.done}`);
    const downMs = await timeUntil((row) => !isUp(row), victim, expected.down.limitMs, context);
    tell(downMs === undefined ? `${victim} still UP` : `${victim} DOWN  (${expected.down.text})`);
    const late = load();
    const first = early.end();
    await pause(STEADY_MS, signal);
    await healNodes(record, [node], provider);
    tell(`${victim} ${failure.undone}`);
    const upMs = await timeUntil(isUp, victim, expected.up.limitMs, context);
    if (downMs !== undefined)
      tell(upMs === undefined ? `${victim} still DOWN` : `${victim} UP    (${expected.up.text})`);
    await pause(STEADY_MS, signal);
    const replies = [await first, await late.end()] as const;
    return { downMs, upMs, early: replies[0], late: replies[1], after: await rowsOf(victim, context) };
  } finally {
    const heal = touched ? [healNodes(record, [node], provider)] : [];
    await Promise.allSettled([...loads.map((one) => one.end()), ...heal]);
  }
}

/** When DOWN and UP may be expected. */
interface Expected {
  readonly down: Expectation;
  readonly up: Expectation;
}

interface Expectation {
  /** For people. */
  readonly text: string;
  /** What is waited at most, generously. Milliseconds. */
  readonly limitMs: number;
}

/** What the server's checks let one expect: `fall` or `rise` of them in a row, `inter` apart. */
function expect({ silent }: Failure, rows: readonly StatsRow[], { check, config }: Balancer): Expected {
  if (!check || rows.every(({ status }) => status === 'no check')) return UNCHECKED;
  if (config) return OWN;
  const { rise, fall, inter, timeout } = check;
  const interval = `inter ${durationText(inter)}`;
  const each = silent ? `(${interval} + timeout ${durationText(timeout)})` : interval;
  const limit = (checks: number): number => checks * (inter + timeout) + SLACK_MS;
  const down = `fall ${fall} × ${each}: expected ≤ ${clock(fall * (inter + (silent ? timeout : 0)))}`;
  const up = `rise ${rise} × ${interval}: expected ≤ ${clock(rise * inter)} + one check`;
  return { down: { text: down, limitMs: limit(fall) }, up: { text: up, limitMs: limit(rise + 1) } };
}

/** Nothing is waited for: just long enough to see what becomes of requests. */
const UNCHECKED: Expected = {
  down: { text: 'it is not checked', limitMs: 3000 },
  up: { text: 'it is not checked', limitMs: 3000 },
};

const OWN: Expected = {
  down: { text: 'as your own configuration has it', limitMs: 60_000 },
  up: { text: 'as your own configuration has it', limitMs: 60_000 },
};

function clock(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** Milliseconds until the balancer has the server so, wherever it has it; undefined when that takes too long. */
async function timeUntil(
  is: (row: StatsRow) => boolean,
  victim: string,
  withinMs: number,
  context: SuiteContext,
): Promise<number | undefined> {
  const started = performance.now();
  for (;;) {
    const rows = await rowsOf(victim, context);
    const passed = performance.now() - started;
    if (rows.length > 0 && rows.every(is)) return passed;
    if (passed > withinMs) return undefined;
    await pause(50, context.signal);
  }
}

/** The server as the balancer has it: once in each backend. */
async function rowsOf(server: string, { record, provider, signal }: SuiteContext): Promise<StatsRow[]> {
  const rows = readStats(await balancerStats(record, provider, signal));
  return rows.filter(({ type, svname }) => type === ROW.server && svname === server);
}

interface Evidence extends Trial, Seen {
  readonly others: readonly string[];
  readonly before: readonly StatsRow[];
}

function judge(evidence: Evidence, { say }: SuiteContext): Finding {
  const { failure, victim, expected, others, early, late, before, after, downMs, upMs } = evidence;
  const wrong = [...early, ...late].filter(isLost);
  // Before DOWN a request may be with a server that has taken it and will not answer.
  const hung = failure.silent && downMs !== undefined ? early.filter(({ status }) => status === 0).length : 0;
  const failed = wrong.length - hung;
  const total = early.length + late.length;
  const again = sum(after, 'wredis') - sum(before, 'wredis');
  const elsewhere = others.length === 1 ? others[0] : 'others';
  const account = [
    plural(total, 'request'),
    `${failed} failed`,
    ...(hung > 0 ? [`${hung} hung on ${victim} before it was DOWN`] : []),
    `${again} sent again to ${elsewhere}`,
  ].join(', ');
  say(`  ${account}`);
  const complaints = [
    downMs === undefined && unnoticed(evidence),
    downMs !== undefined &&
      upMs === undefined &&
      `${victim} did not come back within ${seconds(expected.up.limitMs)}`,
    total === 0 && 'no request was sent at all',
    failed > 0 &&
      `${failed} of ${total} requests failed (${tally(wrong, hung)}); 'retries' and 'option redispatch' send again what a server did not take`,
  ].filter((complaint) => complaint !== false);
  return {
    proof: hung > 0 ? 'nothing lost that could be sent again' : 'nothing lost',
    failure: complaints.length > 0 ? complaints.join('; ') : undefined,
    data: {
      how: failure.how,
      server: victim,
      requests: total,
      failed,
      hung,
      again,
      downMs: round(downMs),
      upMs: round(upMs),
    },
  };
}

/** No answer, or one that says that there is none. Servers themselves may say 403: Apache's welcome page does. */
function isLost({ status }: Reply): boolean {
  return status === 0 || status >= 500;
}

function unnoticed({ victim, failure, expected }: Evidence): string {
  const what = `${victim} was ${failure.done} and the balancer did not notice`;
  return expected === UNCHECKED
    ? `${what}: its servers are not checked (balancer.check: false)`
    : `${what} within ${seconds(expected.down.limitMs)}`;
}

/** `15 × 503, 2 × no answer`. */
function tally(wrong: readonly Reply[], hung: number): string {
  const statuses = wrong.map(({ status }) => status).sort((a, b) => b - a);
  const counted = hung > 0 ? statuses.slice(0, -hung) : statuses; // those without an answer are last
  return [...new Set(counted)]
    .map((one) => `${counted.filter((status) => status === one).length} × ${one || 'no answer'}`)
    .join(', ');
}

function sum(rows: readonly StatsRow[], column: string): number {
  return rows.reduce((total, row) => total + Number(row[column] ?? 0), 0);
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}
