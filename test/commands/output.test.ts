import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABLB } from '../support/cli.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lablb-output-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs lablb with its standard output on a file that is open, or on a pipe that nobody reads. */
function run(
  args: readonly string[],
  stdout: number | 'closed',
): Promise<{ status: unknown; stderr: string }> {
  const child = spawn(process.execPath, [LABLB, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, XDG_STATE_HOME: folder, NO_COLOR: '1' },
    stdio: ['ignore', stdout === 'closed' ? 'pipe' : stdout, 'pipe'],
  });
  child.stdout?.destroy();
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stderr }));
  });
}

const COMMANDS = [['--version'], ['--help'], ['status'], ['status', '--json'], ['schema']];

describe.skipIf(!existsSync('/dev/full'))('output on a disk that is full', () => {
  it.each(COMMANDS)('is told, and a failure: lablb %s %s', async (...args) => {
    const full = openSync('/dev/full', 'w');
    const said = await run(args.filter(Boolean), full).finally(() => closeSync(full));
    expect(said).toEqual({ status: 1, stderr: '✖ the output cannot be written: its disk is full\n' });
  });
});

it.each(COMMANDS)('a reader that goes away is no failure: lablb %s %s', async (...args) => {
  expect(await run(args.filter(Boolean), 'closed')).toEqual({ status: 0, stderr: '' });
});

it('where the results go is looked at before anything else', async () => {
  const said = await run(['test', '--junit', join(folder, 'no', 'x.xml')], 'closed');
  expect(said).toEqual({
    status: 2,
    stderr: expect.stringMatching(/^✖ --junit: \/.*: there is no such file or folder\n/),
  });
});
