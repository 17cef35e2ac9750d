import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { canWrite, writeOutput } from '../../src/cli/output-file.ts';

it('is known before the work whether the result can be written, and nothing is written for that', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lablb-output-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'x.xml');
  canWrite(file, '--junit');
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, 'old');
  canWrite(file, '--junit');
  for (const [path, reason] of [
    ['', 'the name of the file is empty'],
    [folder, 'is a folder'],
    [join(folder, 'no', 'x.xml'), 'there is no such file or folder'],
    [join(file, 'x.xml'), 'a part of its path is a file'],
  ] as const)
    expect(() => canWrite(path, '--junit')).toThrow(reason);
});

it.skipIf(!existsSync('/dev/full'))('a write that fails names its file', () => {
  expect(() => writeOutput('/dev/full', 'x')).toThrow(
    expect.objectContaining({ code: 'ENOSPC', path: '/dev/full' }),
  );
});
