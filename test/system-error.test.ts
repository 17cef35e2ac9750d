import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inWords, isSystemError, type SystemError, systemHints } from '../src/system-error.ts';

function refusalOf(action: () => unknown): SystemError {
  try {
    action();
  } catch (error) {
    if (isSystemError(error)) return error;
  }
  throw new Error('nothing was refused');
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'lablb-errno-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

describe('what the system refuses', () => {
  it('is told in words, with the file', () => {
    const at = folder();
    writeFileSync(join(at, 'file'), '');
    mkdirSync(join(at, 'folder'));
    const told = [
      () => readFileSync(join(at, 'nothing')),
      () => writeFileSync(join(at, 'folder'), ''),
      () => mkdirSync(join(at, 'file', 'x')),
    ].map((action) => inWords(refusalOf(action)).replaceAll(at, ''));
    expect(told).toEqual([
      '/nothing: there is no such file or folder',
      '/folder: it is a folder, not a file',
      '/file/x: a part of its path is a file, not a folder',
    ]);
  });

  it('says where to make room', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
      path: '/a b/c',
    }) as SystemError;
    expect(inWords(full)).toBe('/a b/c: its disk is full');
    expect(systemHints(full)).toEqual(["df -h '/a b'   (make room, then once more)"]);
  });

  it('stays as it is where there are no words', () => {
    const odd = Object.assign(new Error('EODD: odd'), { code: 'EODD', syscall: 'open' }) as SystemError;
    expect([inWords(odd), systemHints(odd)]).toEqual(['EODD: odd', []]);
  });
});
