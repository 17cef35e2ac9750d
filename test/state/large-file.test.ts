import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJson, writeJson } from '../../src/state/files.ts';
import { hashOfLargeFile } from '../../src/state/large-file.ts';

describe('the hash of a large file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lablb-large-'));
  const file = join(folder, 'engine');
  const notes = join(folder, 'lablb', '.hashes.json');
  const { XDG_STATE_HOME } = process.env;
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  beforeAll(() => {
    process.env.XDG_STATE_HOME = folder;
  });
  afterAll(() => {
    process.env.XDG_STATE_HOME = XDG_STATE_HOME;
    if (XDG_STATE_HOME === undefined) delete process.env.XDG_STATE_HOME;
    rmSync(folder, { recursive: true, force: true });
  });

  it('is noted, and the note is believed while size and time are the same', () => {
    writeFileSync(file, 'one');
    expect(hashOfLargeFile(file)).toBe(sha256('one'));
    const { size, mtimeMs } = statSync(file);
    expect(readJson(notes)).toEqual({ [file]: { size, mtimeMs, sha256: sha256('one') } });
    writeJson(notes, { [file]: { size, mtimeMs, sha256: 'noted' } });
    expect(hashOfLargeFile(file)).toBe('noted');
  });

  it('is reckoned again when the file is another one', () => {
    writeFileSync(file, 'two');
    utimesSync(file, 1, 1);
    expect(hashOfLargeFile(file)).toBe(sha256('two'));
  });

  it('needs no note to be right', () => {
    rmSync(notes);
    process.env.XDG_STATE_HOME = file; // no folder can be made there
    expect(hashOfLargeFile(file)).toBe(sha256('two'));
  });
});
