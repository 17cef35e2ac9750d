import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { type Engine, engineFile, type RunningProxy, startProxy } from '../support/proxy.ts';
import { differences, shortcomings, summary } from './compare.ts';
import { ERROR_FILES } from './errorfiles.ts';
import { type Case, type Config, DEFAULTS, type Slot, type Subject, web } from './fixture.ts';
import { GENEROUS, type Observation, observe, type Patience, scriptOf, USUAL } from './observe.ts';
import { type Origin, startOrigin } from './origin.ts';
import { sideBySide } from './transcript.ts';

/** Cases of one subject that run at the same time. */
const AT_ONCE = 24;

/** Register the tests of a subject: one test a case, two proxies for each configuration that its cases use. */
export function differential(subject: Subject): void {
  const engine = engineFile('lablb');
  if (!engine) {
    if (process.env.LABLB_TEST_ALL === '1') throw new Error('the engine is not built: npm run build');
    console.warn(`skipped: ${subject.name} against HAProxy: the engine is not built (npm run build)`);
  }
  describe.skipIf(!engine || !needs('haproxy'))(subject.name, () => {
    const run = new Run(subject);
    beforeAll(() => run.start(), 60_000);
    afterAll(() => run.stop());
    for (const fixture of subject.cases) {
      test(fixture.name, async () => expect(await run.verdict(fixture)).toBe(AS_EXPECTED), 90_000);
    }
  });
}

const AS_EXPECTED = 'as expected';

/** One subject being run: its proxies, and the verdict on each case. */
class Run {
  readonly #subject: Subject;
  readonly #groups: readonly Group[];
  readonly #verdicts = new Map<Case, Promise<string>>();
  readonly #lane = new Lane(AT_ONCE);
  /** Second looks go one at a time. */
  readonly #calmLane = new Lane(1);

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#groups = groupByConfig(subject.cases);
  }

  async start(): Promise<void> {
    // One group after another: processes that start all at once on a small machine start late.
    for (const group of this.#groups) {
      for (const engine of ['haproxy', 'lablb'] as const) {
        try {
          group.sides[engine] = await startSide(group, engine);
        } catch (error) {
          group.refusal = (error as Error).message;
        }
      }
    }
    // All cases start now; each test waits for its own.
    for (const fixture of this.#subject.cases) {
      const verdict = this.#judge(fixture);
      verdict.catch(() => {});
      this.#verdicts.set(fixture, verdict);
    }
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#verdicts.values());
    for (const group of this.#groups) {
      for (const side of Object.values(group.sides)) {
        await side.proxy.stop();
        for (const origin of side.origins) origin.close();
      }
    }
  }

  verdict(fixture: Case): Promise<string> {
    return this.#verdicts.get(fixture)!;
  }

  async #judge(fixture: Case): Promise<string> {
    const group = this.#groups.find((candidate) => candidate.cases.includes(fixture))!;
    if (group.refusal) return `the configuration does not start:\n${group.refusal}`;
    const first = await this.#lane.run(() => look(fixture, group, USUAL));
    if (first === AS_EXPECTED) return first;
    return this.#calmLane.run(() => look(fixture, group, GENEROUS));
  }
}

interface Group {
  readonly config: Config;
  readonly cases: Case[];
  readonly sides: Partial<Record<Engine, Side>>;
  /** Why it could not start. */
  refusal?: string;
}

/** One process for all cases of a group. */
interface Side {
  readonly proxy: RunningProxy;
  /** One for each case, in their order. */
  readonly origins: readonly Origin[];
}

function groupByConfig(cases: readonly Case[]): Group[] {
  const anySlot: Slot = { id: 'any', port: '1', origin: '2', dir: '/' };
  const groups = new Map<string, Group>();
  for (const fixture of cases) {
    const config = fixture.config ?? web();
    const text = config(anySlot);
    const group = groups.get(text) ?? { config, cases: [], sides: {} };
    group.cases.push(fixture);
    groups.set(text, group);
  }
  return [...groups.values()];
}

/** Each case has sections, a port and an origin of its own, so that cases cannot disturb each other. */
async function startSide(group: Group, engine: Engine): Promise<Side> {
  const origins = await Promise.all(group.cases.map((fixture) => startOrigin(scriptOf(fixture))));
  const text = origins
    .map(({ port }, index) =>
      group.config({ id: `c${index}`, port: `\${port:c${index}}`, origin: String(port), dir: PROXY_FOLDER }),
    )
    .join('\n');
  try {
    return { proxy: await startProxy(`${DEFAULTS}${text}`, { engine, files: ERROR_FILES }), origins };
  } catch (error) {
    for (const origin of origins) origin.close();
    throw error;
  }
}

/** What startProxy replaces by the proxy's folder. */
const PROXY_FOLDER = '$' + '{dir}';

/** Play a case through both proxies and judge. */
async function look(fixture: Case, group: Group, patience: Patience): Promise<string> {
  const [haproxy, engine] = await Promise.all([
    lookAt(fixture, group, 'haproxy', patience),
    lookAt(fixture, group, 'lablb', patience),
  ]);
  const found = judge(fixture, haproxy, engine);
  if (process.env.LABLB_SHOW)
    console.log(`${fixture.name}\n    haproxy ${summary(haproxy)}\n    engine  ${summary(engine)}`);
  return found.length === 0 ? AS_EXPECTED : `${found.join('\n')}\n\n${sideBySide(haproxy, engine)}\n`;
}

async function lookAt(fixture: Case, group: Group, engine: Engine, patience: Patience): Promise<Observation> {
  const index = group.cases.indexOf(fixture);
  const { proxy, origins } = group.sides[engine]!;
  const origin = origins[index]!;
  origin.reset();
  return observe(fixture, proxy.ports[`c${index}`]!, origin, patience);
}

/** What is not as the case says, as sentences. `engineIsHaproxy`: the suite runs HAProxy against itself. */
export function judge(
  fixture: Case,
  haproxy: Observation,
  engine: Observation,
  engineIsHaproxy = ENGINE_IS_HAPROXY,
): string[] {
  const expected = fixture.expect ?? 'same';
  if (expected === 'same') return differences(fixture, haproxy, engine);
  return [
    ...shortcomings(expected.haproxy, haproxy).map((text) => `haproxy: ${text}`),
    ...shortcomings(engineIsHaproxy ? expected.haproxy : expected.engine, engine).map(
      (text) => `engine: ${text}`,
    ),
  ];
}

/** LABLB_ENGINE=…/haproxy: everything must be the same, and what must differ does as HAProxy does. */
const ENGINE_IS_HAPROXY = /^haproxy/.test(basename(engineFile('lablb') ?? ''));

/** Lets so many run at a time. */
class Lane {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number) {
    this.#free = width;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
