import { expect, it } from 'vitest';
import type { Plan, Step } from '../../src/plan/plan.ts';
import { startRun } from '../../src/runner/run.ts';

function plan(...steps: [id: string, needs?: string[]][]): Plan {
  const made = steps.map(
    ([id, needs = []]): Step => ({ id, node: id[0]!, op: { kind: 'create', as: [] }, why: 'x', needs }),
  );
  return { lab: 'x', steps: made };
}

/** Runs a plan and writes down what began and ended. */
async function trace(p: Plan, parallel: number, failing: string[] = []) {
  const log: string[] = [];
  let running = 0;
  let most = 0;
  const execute = async ({ id }: Step): Promise<void> => {
    log.push(id);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    if (failing.includes(id)) throw new Error(id);
  };
  const results = await startRun(p, execute, { parallel }).all;
  return { log, most, states: results.map(({ step, state }) => `${step.id} ${state}`) };
}

it('goes by need, not by place', async () => {
  const { log } = await trace(plan(['b', ['a']], ['a']), 8);
  expect(log).toEqual(['a', 'b']);
});

it('never has more in hand than allowed, and no less than possible', async () => {
  expect((await trace(plan(['a'], ['b'], ['c'], ['d']), 2)).most).toBe(2);
  expect((await trace(plan(['a'], ['b'], ['c'], ['d']), 1)).most).toBe(1);
});

it('skips what needs the failed, and nothing else', async () => {
  const { states } = await trace(plan(['a1'], ['a2', ['a1']], ['b1'], ['b2', ['b1', 'a2']], ['c1']), 8, [
    'a1',
  ]);
  expect(states).toEqual(['a1 failed', 'a2 skipped', 'b1 done', 'b2 skipped', 'c1 done']);
});

it('takes needs that are not in the plan as met', async () => {
  expect((await trace(plan(['a', ['gone']]), 1)).states).toEqual(['a done']);
});

it('does not deadlock with one slot when a node waits for another', async () => {
  const { states } = await trace(plan(['p', ['w']], ['w']), 1);
  expect(states).toEqual(['p done', 'w done']);
});

it('begins nothing after an interruption', async () => {
  const controller = new AbortController();
  const seen: string[] = [];
  const execute = async ({ id }: Step): Promise<void> => {
    seen.push(id);
    controller.abort();
  };
  const results = await startRun(plan(['a'], ['b', ['a']]), execute, {
    parallel: 1,
    signal: controller.signal,
  }).all;
  expect(seen).toEqual(['a']);
  expect(results.map(({ state }) => state)).toEqual(['done', 'skipped']);
});

it('refuses a circle', () => {
  expect(() => startRun(plan(['a', ['b']], ['b', ['a']]), async () => undefined, { parallel: 1 })).toThrow(
    /circle/,
  );
});
