import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { splitWords } from '../../src/config/words.ts';
import { needs } from '../support/needs.ts';

const ENV: Record<string, string> = { ONE: '1', EMPTY: '', LIST: 'a b  c', QUOTED: 'a"b #c', _x9: 'under' };
const lookup = (name: string) => ENV[name];
const words = (line: string) => splitWords(line, lookup).words.map((word) => word.text);
const problem = (line: string) => splitWords(line, lookup).problem;

describe('words', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['   \t', []],
    ['  a  b\tc\r', ['a', 'b', 'c']],
    ['a\rb', ['a']],
    ['a # b', ['a']],
    ['a#b c', ['a']],
    ['a\\#b c', ['a#b', 'c']],
    ['a\\ b c', ['a b', 'c']],
    ['"a b" c', ['a b', 'c']],
    ['x"y z"\'# w\'v', ['xy z# wv']],
    ['""', ['']],
    ['a "" b', ['a', '', 'b']],
    ["'a\\x41\\n$ONE'", ['a\\x41\\n$ONE']],
    ['"a\\x41\\n\\t\\r"', ['aA\n\t\r']],
    ['a\\x41\\x0a', ['aA\n']],
    ['\\1\\$\\b', ['\\1\\$\\b']],
    ['"\\1\\$\\b\\"\\\'"', ['\\1$\\b"\'']],
    ['a\\', ['a\\']],
    ['$ONE ${ONE}', ['$ONE', '${ONE}']],
    ['"$ONE"', ['1']],
    ['"x${ONE}y$_x9-z"', ['x1yunder-z']],
    ['"$NOPE${NOPE}"', ['']],
    ['"${NOPE-a b}" "${EMPTY-x}" "${ONE-x}"', ['a b', '', '1']],
    ['"${NOPE-}"', ['']],
    ['"$LIST"', ['a b  c']],
    ['"${LIST[*]}"', ['a', 'b', 'c']],
    ['x"${LIST[*]}"y z', ['xa', 'b', 'cy', 'z']],
    ['"${NOPE-d e[*]}"', ['d', 'e']],
    ['"${EMPTY[*]}"', ['']],
    ['"$QUOTED"', ['a"b #c']],
    ["'$ONE' \"'$ONE'\"", ['$ONE', "'1'"]],
  ])('%j', (line, expected) => {
    expect(problem(line)).toBeUndefined();
    expect(words(line)).toEqual(expected);
  });

  it.each<[string, number]>([
    ["node 'ab", 5],
    ['node "ab', 5],
    ['"a\\"', 0],
    ['a\\x4', 1],
    ['a\\xzz', 1],
    ['"$"', 2],
    ['"$1"', 2],
    ['"${1}"', 3],
    ['"${ONE"', 1],
    ['"${ONE+x}"', 1],
    ['a\0b', 1],
  ])('%j is refused at %i', (line, at) => {
    expect(problem(line)?.at).toBe(at);
  });

  it('knows where each word came from', () => {
    const line = '  bind  "*:${ONE}"x # y';
    const found = splitWords(line, lookup).words.map(({ start, end }) => line.slice(start, end));
    expect(found).toEqual(['bind', '"*:${ONE}"x']);
  });

  it('never throws, and keeps places inside of the line', () => {
    fc.assert(
      fc.property(line(), (text) => {
        const { words: found, problem: complaint } = splitWords(text, lookup);
        let before = 0;
        for (const { start, end } of found) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(end).toBeGreaterThanOrEqual(before);
          before = end;
        }
        if (complaint !== undefined) expect(complaint.at).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 2000 },
    );
  });
});

/** HAProxy prints the only word of `.notice`, and refuses lines that it cannot cut: a second opinion on any line. */
describe.skipIf(!needs('haproxy'))('words as HAProxy cuts them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lablb-words-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What HAProxy says to each line, by its number from 1. */
  function ask(lines: readonly string[]): [number, string][] {
    const file = join(folder, 'words.cfg');
    writeFileSync(file, lines.map((text) => `.notice x${text}\n`).join(''), 'latin1');
    const env = { ...ENV, PATH: process.env.PATH };
    const { stderr } = spawnSync('haproxy', ['-c', '-f', file], { env, encoding: 'latin1' });
    const messages = stderr.matchAll(/parsing \[[^\]]*:(\d+)\]: (.*?)(?=\n\[[A-Z]+\]|\n$)/gs);
    return [...messages].map(([, number, text]) => [Number(number), text!]);
  }

  it('the same words, or refused by both', () => {
    // Defaults of variables are left out: Debian's 2.6.12 refuses even those of the manual.
    const sample = fc
      .sample(line(), { numRuns: 400, seed: 7 })
      .filter((text) => !/[\n\0]/.test(text) && !/\$\{[^}]*[-[]/.test(text));
    const said = new Map<number, string>();
    // HAProxy gives up after 50 errors.
    for (let from = 0; from < sample.length; from += 40) {
      for (const [number, text] of ask(sample.slice(from, from + 40))) said.set(from + number, text);
    }
    expect(said.size).toBe(sample.length);
    for (const [index, text] of sample.entries()) {
      const theirs = said.get(index + 1)!;
      const ours = splitWords(`x${text}`, lookup);
      const outcome =
        ours.problem !== undefined || ours.words.length > 64
          ? 'refused'
          : ours.words.length > 1
            ? `Unexpected argument '${ours.words[1]!.text}'`
            : `'${ours.words[0]!.text}'.`;
      if (outcome === 'refused') expect(theirs, text).toMatch(/position/);
      else expect(theirs.startsWith(outcome), `${text} → ${theirs} / ${outcome}`).toBe(true);
    }
  });
});

/** Lines with all that matters to quoting. */
function line(): fc.Arbitrary<string> {
  const piece = fc.constantFrom(
    ...[
      'a',
      'b',
      ' ',
      '\t',
      '"',
      "'",
      '\\',
      '#',
      '$',
      '{',
      '}',
      '$ONE',
      '${LIST}',
      '${NOPE}',
      '\\x41',
      '\\n',
      '[*]',
      '-',
      '\r',
    ],
    ...['\\"', "\\'", '\\#', '\\ ', '\xc3\xa9', '"$LIST"', '"${LIST[*]}"'],
  );
  return fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));
}
