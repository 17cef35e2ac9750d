import { describe, expect, it } from 'vitest';
import { togetherFor } from '../../src/lab/together.ts';
import { keepOnly, type Plan, type Step, stepsTogether } from '../../src/plan/plan.ts';
import type { LabProvider, SweepResult } from '../../src/providers/provider.ts';
import type { Wish } from '../../src/roles/desire.ts';

const push = (path: string, ...needs: string[]): Step => ({
  id: `a:push:${path}`,
  node: 'a',
  op: { kind: 'push', path },
  why: '',
  needs,
});
const start = (service: string, ...needs: string[]): Step => ({
  id: `a:start:${service}`,
  node: 'a',
  op: { kind: 'service', action: 'start', service },
  why: '',
  needs,
});
const ids = (steps: readonly Step[]): string[] => steps.map(({ id }) => id);

describe('stepsTogether', () => {
  const steps = [
    push('/1'),
    push('/2', 'a:push:/1'),
    start('log', 'a:push:/2'),
    start('proxy', 'a:start:log', 'b:start:web'),
    { ...start('web'), id: 'b:start:web', node: 'b' },
  ];
  const plan: Plan = { lab: 'x', steps };

  it('is all files of a node and the services that need nothing else, whichever is asked for', () => {
    for (const step of steps.slice(0, 3))
      expect(ids(stepsTogether(plan, step))).toEqual(['a:push:/1', 'a:push:/2', 'a:start:log']);
  });

  it('is one that waits for another node alone, until nothing of that is in the plan', () => {
    expect(ids(stepsTogether(plan, steps[3]!))).toEqual(['a:start:proxy']);
    const later = keepOnly(plan, ({ node }) => node === 'a');
    expect(ids(stepsTogether(later, steps[3]!))).toHaveLength(4);
  });

  it('leaves out what comes after a step of another kind', () => {
    const allow: Step = {
      id: 'a:allow',
      node: 'a',
      op: { kind: 'allow', guard: 'ufw', what: '80/tcp' },
      why: '',
      needs: ['a:push:/1'],
    };
    const guarded = { lab: 'x', steps: [push('/1'), allow, start('web', 'a:allow')] };
    expect(ids(stepsTogether(guarded, guarded.steps[0]!))).toEqual(['a:push:/1']);
  });
});

describe('keepOnly', () => {
  it('keeps the order across what it leaves out', () => {
    const plan = { lab: 'x', steps: [push('/1'), push('/2', 'a:push:/1'), push('/3', 'a:push:/2')] };
    const { steps } = keepOnly(plan, ({ id }) => id !== 'a:push:/2');
    expect(steps.map(({ id, needs }) => [id, needs])).toEqual([
      ['a:push:/1', []],
      ['a:push:/3', ['a:push:/1']],
    ]);
  });
});

describe('togetherFor', () => {
  const steps = [push('/1'), push('/2', 'a:push:/1'), start('log', 'a:push:/2'), start('web', 'a:start:log')];
  const files = new Map([
    [
      'a',
      new Map([
        ['/1', { path: '/1', content: '' }],
        ['/2', { path: '/2', content: '' }],
      ]),
    ],
  ]);
  const wish = { files, desired: { nodes: [{ name: 'a', family: 'rhel' }] } } as unknown as Wish;
  const plan: Plan = { lab: 'x', steps };

  function hands(result: SweepResult) {
    const swept: [string[], number][] = [];
    const provider = {
      sweep: async (_: string, put: readonly { path: string }[], commands: readonly unknown[]) => {
        swept.push([put.map(({ path }) => path), commands.length]);
        return result;
      },
    } as unknown as LabProvider;
    return { swept, together: togetherFor(provider, wish, plan, undefined) };
  }

  it('does them once', async () => {
    const { swept, together } = hands({ done: 2 });
    await Promise.all(steps.map((step) => together(step)));
    expect(swept).toEqual([[['/1', '/2'], 2]]);
  });

  it('blames the command that failed, and no other', async () => {
    const { together } = hands({ done: 1, failure: { exitStatus: 3, stdout: '', stderr: 'no port' } });
    await Promise.all(steps.slice(0, 3).map((step) => together(step)));
    await expect(together(steps[3]!)).rejects.toMatchObject({
      message: 'could not start service web',
      fields: { node: 'a', exitStatus: 3, stderr: 'no port' },
    });
  });

  it('leaves services to a provider that can take files alone together, and all to one that cannot', async () => {
    const pushed: number[] = [];
    const pushAll = async (_: string, put: readonly unknown[]) => void pushed.push(put.length);
    const together = togetherFor({ pushAll } as unknown as LabProvider, wish, plan, undefined);
    expect(together(steps[2]!)).toBeUndefined();
    await Promise.all([together(steps[0]!), together(steps[1]!)]);
    expect(pushed).toEqual([2]);
    expect(togetherFor({} as LabProvider, wish, plan, undefined)(steps[0]!)).toBeUndefined();
  });
});
