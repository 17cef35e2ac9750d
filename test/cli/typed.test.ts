import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { typedHere } from '../../src/cli/typed.ts';
import { type LabRecord, writeRecord } from '../../src/state/record.ts';
import { temporaryState } from '../support/state.ts';

let folder: string;
beforeEach(() => {
  temporaryState();
  folder = mkdtempSync(join(tmpdir(), 'lablb-typed-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (file: string): string => join(folder, file);
const remembered = (name: string, file: string): void => writeRecord({ version: 1, name, file } as LabRecord);
const typed = (text: string, file: string): string => typedHere(text, { name: 'one', file }, folder);

describe('commands in a text', () => {
  it('stay as they are where they mean this lab', () => {
    writeFileSync(at('topology.yaml'), '');
    remembered('one', at('topology.yaml'));
    remembered('two', '/elsewhere/two.yaml');
    const text = 'lablb up   (goes on)\nlablb down · `lablb test`';
    expect(typed(text, at('topology.yaml'))).toBe(text);
  });

  it('name the file, and the lab where another could be meant', () => {
    remembered('one', at('labs/one.yaml'));
    expect(typed('`lablb up` again; lablb down', at('labs/one.yaml'))).toBe(
      '`lablb up labs/one.yaml` again; lablb down',
    );
    remembered('two', '/elsewhere/two.yaml');
    expect(typed('next: lablb logs NODE · lablb heal web1   (x)', at('labs/one.yaml'))).toBe(
      'next: lablb logs NODE --name one · lablb heal web1 --name one   (x)',
    );
    expect(typed('lablb up --dry-run', '/elsewhere/one.yaml')).toBe('lablb up /elsewhere/one.yaml --dry-run');
  });

  it('are told from prose, and may have a name already', () => {
    remembered('two', '/elsewhere/two.yaml');
    for (const text of [
      'lablb down of that lab',
      'lablb down --name two',
      'lablb knows',
      'what `lablb fail` did',
    ])
      expect(typed(text, at('one.yaml'))).toBe(text);
  });
});
