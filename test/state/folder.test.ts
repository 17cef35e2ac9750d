import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { makeFolder } from '../../src/state/folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lablb-folder-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

it('makes a folder with all that it is in, and again', () => {
  for (let i = 0; i < 2; i++) makeFolder(join(folder, 'a/b/c'));
  expect(statSync(join(folder, 'a/b/c')).isDirectory()).toBe(true);
});

it('follows links', () => {
  makeFolder(join(folder, 'real'));
  symlinkSync('real', join(folder, 'link'));
  makeFolder(join(folder, 'link/a'));
  expect(statSync(join(folder, 'real/a')).isDirectory()).toBe(true);
});

it('says why it cannot, and comes to an end', () => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'broken'));
  expect(() => makeFolder(join(folder, 'file'))).toThrow('EEXIST');
  expect(() => makeFolder(join(folder, 'file/a/b'))).toThrow('ENOTDIR');
  expect(() => makeFolder(join(folder, 'broken/a'))).toThrow('EEXIST');
  expect(() => makeFolder('/proc/no-such-folder/a/b')).toThrow('ENOENT');
});
