import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeAtomically } from '../../src/state/files.ts';

it('names the file that was meant when it cannot be written, and leaves no draft', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lablb-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'x');
  mkdirSync(path);
  expect(() => writeAtomically(path, 'text')).toThrow(expect.objectContaining({ code: 'EISDIR', path }));
  expect(readdirSync(folder)).toEqual(['x']);
});
