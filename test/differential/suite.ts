import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { type Engine, engineFile, type RunningProxy, startProxy } from '../support/proxy.ts';
import { differences, laxities, shortcomings, summary } from './compare.ts';
import { ERROR_FILES } from './errorfiles.ts';
import { type Case, type Config, DEFAULTS, type Slot, type Subject, web } from './fixture.ts';
import { startLogSink } from './logsink.ts';
import {
  GENEROUS,
  type Observation,
  observe,
  type Patience,
  type Scene,
  scriptOf,
  USUAL,
} from './observe.ts';
import { startOrigin } from './origin.ts';
import { sideBySide } from './transcript.ts';

/** Cases of one subject that run at the same time. */
const AT_ONCE = 24;

/** Register the tests of a subject: one test a case, all of them through one pair of proxies. */
export function differential(subject: Subject): void {
  const engine = engineFile('lablb');
  if (!engine) {
    if (process.env.LABLB_TEST_ALL === '1') throw new Error('the engine is not built: npm run build');
    console.warn(`skipped: ${subject.name} against HAProxy: the engine is not built (npm run build)`);
  }
  describe.skipIf(!engine || !needs('haproxy'))(subject.name, () => {
    const run = new Run(subject);
    beforeAll(() => run.start(), 180_000);
    afterAll(() => run.stop());
    for (const fixture of subject.cases) {
      test(fixture.name, async () => expect(await run.verdict(fixture)).toBe(AS_EXPECTED), 90_000);
    }
  });
}

const AS_EXPECTED = 'as expected';
const ENOUGH = 8;

/** One subject being run: its proxies, and the verdict on each case. */
class Run {
  readonly #subject: Subject;
  readonly #places: Record<Engine, Map<Case, Place>> = { haproxy: new Map(), lablb: new Map() };
  readonly #refusals = new Map<Case, string>();
  readonly #verdicts = new Map<Case, Promise<string>>();
  readonly #lane = new Lane(AT_ONCE);
  /** Second looks go one at a time; once so many have failed, the machine is not what is slow. */
  readonly #calmLane = new Lane(1);
  #confirmed = 0;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  async start(): Promise<void> {
    const { cases } = this.#subject;
    for (const engine of ['haproxy', 'lablb'] as const) {
      // One process for all cases; when it refuses, one for each configuration, so that the others still run.
      if (await this.#startProxy(cases, engine)) continue;
      const lane = new Lane(3);
      await Promise.all(groupByConfig(cases).map((group) => lane.run(() => this.#startProxy(group, engine))));
    }
    // All cases start now; each test waits for its own.
    for (const fixture of cases) {
      const verdict = this.#judge(fixture);
      verdict.catch(() => {});
      this.#verdicts.set(fixture, verdict);
    }
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#verdicts.values());
    for (const places of Object.values(this.#places)) {
      for (const { proxy, origin, log } of places.values()) {
        await proxy.stop();
        origin.close();
        log.close();
      }
    }
  }

  verdict(fixture: Case): Promise<string> {
    return this.#verdicts.get(fixture)!;
  }

  async #startProxy(cases: readonly Case[], engine: Engine): Promise<boolean> {
    try {
      for (const [fixture, place] of await startTogether(cases, engine)) {
        this.#places[engine].set(fixture, place);
        this.#refusals.delete(fixture);
      }
      return true;
    } catch (error) {
      for (const fixture of cases) this.#refusals.set(fixture, (error as Error).message);
      return false;
    }
  }

  async #judge(fixture: Case): Promise<string> {
    const refusal = this.#refusals.get(fixture);
    if (refusal) return `the configuration does not start:\n${refusal}`;
    const first = await this.#lane.run(() => this.#look(fixture, USUAL));
    if (first === AS_EXPECTED) return first;
    return this.#calmLane.run(async () => {
      if (this.#confirmed >= ENOUGH) return first;
      const second = await this.#look(fixture, GENEROUS);
      if (second !== AS_EXPECTED) this.#confirmed++;
      return second;
    });
  }

  /** Play a case through both proxies and judge. */
  async #look(fixture: Case, patience: Patience): Promise<string> {
    const [haproxy, engine] = await Promise.all(
      (['haproxy', 'lablb'] as const).map((name) => {
        const place = this.#places[name].get(fixture)!;
        place.origin.reset();
        place.log.reset();
        return observe(fixture, place, patience);
      }),
    );
    if (process.env.LABLB_SHOW) {
      console.log(`${fixture.name}\n    haproxy ${summary(haproxy!)}\n    engine  ${summary(engine!)}`);
    }
    const found = [...this.#deaths(fixture), ...judge(fixture, haproxy!, engine!)];
    return found.length === 0 ? AS_EXPECTED : `${found.join('\n')}\n\n${sideBySide(haproxy!, engine!)}\n`;
  }

  /** A proxy that is gone explains everything that follows. */
  #deaths(fixture: Case): string[] {
    return (['haproxy', 'lablb'] as const).flatMap((name) => {
      const { proxy } = this.#places[name].get(fixture)!;
      return proxy.alive() ? [] : [`${name} is not running any more: ${proxy.stderr().trim().slice(-2000)}`];
    });
  }
}

/** Where a case is played: its own port of a proxy that it may share, and its own origin. */
interface Place extends Scene {
  readonly proxy: RunningProxy;
}

/** Start one proxy for these cases: each has sections, a port and an origin of its own, so they cannot disturb each other. */
async function startTogether(cases: readonly Case[], engine: Engine): Promise<Map<Case, Place>> {
  const origins = await Promise.all(cases.map((fixture) => startOrigin(scriptOf(fixture))));
  const logs = await Promise.all(cases.map(startLogSink));
  const slots = origins.map(({ port }, index) => slot(`c${index}`, port, logs[index]!.port));
  const text = cases.map((fixture, index) => configOf(fixture)(slots[index]!)).join('\n');
  try {
    const proxy = await startProxy(`${DEFAULTS}${text}`, { engine, files: ERROR_FILES });
    return new Map(
      cases.map((fixture, index) => [
        fixture,
        { proxy, port: proxy.ports[slots[index]!.id]!, origin: origins[index]!, log: logs[index]! },
      ]),
    );
  } catch (error) {
    for (const socket of [...origins, ...logs]) socket.close();
    throw error;
  }
}

function groupByConfig(cases: readonly Case[]): Case[][] {
  const anySlot = slot('any', 0, 0);
  const groups = new Map<string, Case[]>();
  for (const fixture of cases) {
    const text = configOf(fixture)(anySlot);
    groups.set(text, [...(groups.get(text) ?? []), fixture]);
  }
  return [...groups.values()];
}

function configOf(fixture: Case): Config {
  return fixture.config ?? web();
}

/** `startProxy` replaces these by a free port and by the proxy's folder. */
function slot(id: string, origin: number, log: number): Slot {
  return { id, port: `\${port:${id}}`, origin: String(origin), log: String(log), dir: '$' + '{dir}' };
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
  if (expected === 'stricter') return laxities(fixture, haproxy, engine);
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
