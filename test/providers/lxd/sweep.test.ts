import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { failureIn, sweepArgv } from '../../../src/providers/lxd/sweep.ts';
import { isWhole } from '../../../src/providers/machine/probe.ts';

/** The real script, without files: those are PUSH's, which has tests of its own. */
function sweep(...commands: string[][]) {
  const [file, ...args] = sweepArgv([], commands);
  const { status, stdout, stderr } = spawnSync(file!, args, { encoding: 'utf8', input: 'not for commands' });
  return { exitStatus: status!, stdout, stderr };
}

it('runs commands with their words as they are, without standard input, and looks afterwards', () => {
  const words = ['two words', '$HOME `id` "\'', '', '*'];
  const result = sweep(['printf', '%s|', ...words], ['cat'], ['true']);
  expect(result.stderr).toContain(words.map((word) => `${word}|`).join(''));
  expect(result.stderr).not.toContain('not for commands');
  expect([result.exitStatus, isWhole(result.stdout)]).toEqual([0, true]);
});

it('ends with the first that fails, and says which and how', () => {
  const result = sweep(['true'], ['sh', '-c', 'echo because >&2; exit 7'], ['sh', '-c', 'echo more >&2']);
  expect(failureIn(result)).toEqual({
    done: 1,
    failure: { exitStatus: 7, stdout: '', stderr: expect.stringMatching(/^because\n/) },
  });
  expect(result.stderr).not.toContain('more');
});

it('tells a file that could not be put from a command that failed', () => {
  const [file, ...args] = sweepArgv([{ path: '/dev/null/x', content: '' }], [['true']]);
  const broken = args.map((arg) => arg.replace('\nset -eu\n', '\nset -eu\nfalse\necho went on >&2\n'));
  const { status, stdout, stderr } = spawnSync(file!, broken, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([93, '']);
  expect(failureIn({ exitStatus: status!, stdout, stderr })).toBeUndefined();
});
