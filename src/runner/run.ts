import type { Plan, Step } from '../plan/plan.ts';

export interface StepResult {
  readonly step: Step;
  /** `skipped`: something that it needs failed, or the run was interrupted before. */
  readonly state: 'done' | 'failed' | 'skipped';
  readonly ms: number;
  readonly error?: unknown;
}

/** A plan being carried out: a promise for each step, which never rejects. */
export interface Run {
  readonly results: ReadonlyMap<string, Promise<StepResult>>;
  readonly all: Promise<StepResult[]>;
}

export interface RunOptions {
  /** Steps at a time; nodes go in parallel, the steps of one node never do, for they need each other. */
  readonly parallel: number;
  readonly signal?: AbortSignal;
}

/** Carries out a plan: each step as soon as what it needs is done. A failure stops only what depends on it. */
export function startRun(plan: Plan, execute: (step: Step) => Promise<void>, options: RunOptions): Run {
  const slots = new Slots(options.parallel);
  const results = new Map<string, Promise<StepResult>>();
  for (const step of inOrderOfNeed(plan.steps)) {
    const needs = step.needs.map((id) => results.get(id)!);
    results.set(step.id, runStep(step, needs, execute, slots, options.signal));
  }
  return { results, all: Promise.all(plan.steps.map((step) => results.get(step.id)!)) };
}

async function runStep(
  step: Step,
  needs: readonly Promise<StepResult>[],
  execute: (step: Step) => Promise<void>,
  slots: Slots,
  signal: AbortSignal | undefined,
): Promise<StepResult> {
  const before = await Promise.all(needs);
  if (before.some((result) => result.state !== 'done')) return { step, state: 'skipped', ms: 0 };
  await slots.take();
  const started = performance.now();
  const took = (): number => performance.now() - started;
  try {
    if (signal?.aborted) return { step, state: 'skipped', ms: 0 };
    await execute(step);
    return { step, state: 'done', ms: took() };
  } catch (error) {
    return { step, state: 'failed', ms: took(), error };
  } finally {
    slots.give();
  }
}

/** Steps so that each comes after what it needs; what is not in the plan is done already. */
function inOrderOfNeed(steps: readonly Step[]): Step[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const ordered = new Map<string, Step>();
  const entered = new Set<string>();
  const visit = (step: Step): void => {
    if (ordered.has(step.id)) return;
    if (entered.has(step.id)) throw new Error(`steps need each other in a circle: ${step.id}`);
    entered.add(step.id);
    const needs = step.needs.filter((id) => byId.has(id));
    for (const id of needs) visit(byId.get(id)!);
    ordered.set(step.id, { ...step, needs });
  };
  for (const step of steps) visit(step);
  return [...ordered.values()];
}

class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = Math.max(1, count);
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
