import { describe, expect, it } from 'vitest';
import { coloursFor } from '../../src/cli/colours.ts';
import { EXIT, LabError } from '../../src/errors.ts';
import type { Desired, DesiredNode } from '../../src/plan/desired.ts';
import { MemoryProvider } from '../../src/providers/memory/memory.ts';
import type { LabRecord } from '../../src/state/record.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { provedSomething, runSuites } from '../../src/verify/run-suites.ts';
import type { CaseResult, Suite, SuiteContext } from '../../src/verify/suite.ts';

function contextOf(said: string[], nodes: readonly Partial<DesiredNode>[] = []): SuiteContext {
  return {
    record: { name: 'x', topology: {} as Topology, desired: { nodes } as Desired } as LabRecord,
    provider: new MemoryProvider(),
    requests: 3,
    signal: new AbortController().signal,
    colours: coloursFor({ isTTY: false } as NodeJS.WriteStream),
    say: (line) => said.push(line),
  };
}

function suite(name: string, run: () => Promise<readonly CaseResult[]>, rest: Partial<Suite> = {}): Suite {
  return { name, summary: 's', how: 'h', run, ...rest };
}

const fine = suite('fine', async () => [{ name: 'a', ms: 1 }]);
const unfit = suite('unfit', () => Promise.reject(new Error('must not run')), {
  unfit: () => ({ reason: 'there is nothing', hint: 'add it' }),
});

describe('running suites', () => {
  it('says why one has nothing to try, and goes on', async () => {
    const said: string[] = [];
    const results = await runSuites([unfit, fine], contextOf(said));
    expect(said).toEqual(['○ unfit: skipped, there is nothing (add it)']);
    expect(results.map(({ suite, cases }) => [suite, cases.length])).toEqual([
      ['unfit', 1],
      ['fine', 1],
    ]);
    expect(results[0]!.cases[0]).toEqual({ name: 'unfit', ms: 0, skipped: 'there is nothing (add it)' });
    expect(provedSomething(results)).toBe(true);
    expect(provedSomething(results.slice(0, 1))).toBe(false);
  });

  it('asks nothing of a lab whose balancer has no address yet', async () => {
    const proxyha = { name: 'proxyha', role: 'proxy' } as const;
    await expect(runSuites([fine], contextOf([], [proxyha]))).rejects.toMatchObject({
      fields: { code: 'lab.unfinished', node: 'proxyha', exit: EXIT.failed },
    });
    expect(await runSuites([fine], contextOf([], [{ ...proxyha, address: '192.0.2.1' }]))).toHaveLength(1);
  });

  it('makes a failed case of a suite that cannot go on, with what was said and what to try', async () => {
    const said: string[] = [];
    const error = new LabError('no answer', {
      code: 'x',
      stderr: 'curl: (7) refused\n',
      hints: ['lablb status'],
    });
    const results = await runSuites([suite('broken', () => Promise.reject(error)), fine], contextOf(said));
    expect(said).toEqual(['✖ no answer; curl: (7) refused', '    try: lablb status']);
    expect(results[0]!.cases[0]).toMatchObject({ name: 'broken', failure: 'no answer; curl: (7) refused' });
    expect(results[1]!.cases).toEqual([{ name: 'a', ms: 1 }]);
  });

  it.each([
    ['Ctrl-C', new LabError('interrupted', { code: 'interrupted', exit: EXIT.interrupted })],
    ['a missing program', new LabError('no curl', { code: 'curl.missing', exit: EXIT.missing })],
    ['a fault of lablb', new TypeError('x is undefined')],
  ])('ends at once on %s', async (_, error) => {
    await expect(runSuites([suite('s', () => Promise.reject(error)), fine], contextOf([]))).rejects.toBe(
      error,
    );
  });
});
