import { expect, it } from 'vitest';
import { coloursFor } from '../../src/cli/colours.ts';
import { EXIT, LabError } from '../../src/errors.ts';
import { tryCase } from '../../src/verify/case.ts';
import type { SuiteContext } from '../../src/verify/suite.ts';
import { cannotTry } from '../../src/verify/unfit.ts';

function context(said: string[]): SuiteContext {
  const colours = coloursFor({ isTTY: false } as NodeJS.WriteStream);
  return {
    colours,
    signal: new AbortController().signal,
    say: (line: string) => said.push(line),
  } as Partial<SuiteContext> as SuiteContext;
}

it('shows what is tried, what was found, and hands both back', async () => {
  const said: string[] = [];
  const right = await tryCase('s', 'a.test', 'from node', context(said), async () => ({
    proof: 'fine',
    data: { n: 1 },
  }));
  const wrong = await tryCase('s', 'b.test', '', context(said), async () => ({
    proof: 'fine',
    failure: 'bad',
  }));
  expect(said).toEqual(['s · a.test · from node', '✔ fine', 's · b.test', '✖ bad']);
  expect(right).toMatchObject({ name: 'a.test', failure: undefined, data: { n: 1 } });
  expect(wrong).toMatchObject({ name: 'b.test', failure: 'bad' });
});

it('is a case that failed when a request has no answer, with what to try', async () => {
  const said: string[] = [];
  const error = new LabError('no answer', {
    code: 'x',
    stderr: 'curl: (52) Empty reply\n',
    hints: ['lablb status'],
  });
  const result = await tryCase('s', 'a', '', context(said), () => Promise.reject(error));
  expect(result.failure).toBe('no answer; curl: (52) Empty reply');
  expect(said.slice(1)).toEqual(['✖ no answer; curl: (52) Empty reply', '    try: lablb status']);
});

it.each([
  ['Ctrl-C', new LabError('interrupted', { code: 'interrupted', exit: EXIT.interrupted })],
  ['nothing to try here', cannotTry('no curl')],
  ['a fault of lablb', new TypeError('x')],
])('does not take %s for a failure of the lab', async (_, error) => {
  await expect(tryCase('s', 'a', '', context([]), () => Promise.reject(error))).rejects.toBe(error);
});
