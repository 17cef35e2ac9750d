import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCondition } from '../../src/config/condition.ts';
import { Cursor, WordError } from '../../src/config/cursor.ts';

describe('conditions', () => {
  test.each([
    ['if A', 'A'],
    ['unless A', 'not(A)'],
    ['if A B || C or !D', 'A B | C | !D'],
    ['if ! A !!B', '!A B'],
    ['if { path_beg -i /x } A', '{path_beg -i /x} A'],
    ['if !{ ssl_fc } || ! { src ::1 }', '!{ssl_fc} | !{src ::1}'],
  ])('%s', (line, shape) => {
    expect(shapeOf(line)).toBe(shape);
  });

  test('take nothing when none begins', () => {
    const words = cursor('code 301');
    expect(readCondition(words)).toBeUndefined();
    expect(words.position).toBe(0);
  });

  test.each([
    ['if', "'if' wants an ACL after it"],
    ['if A ||', "'||' wants an ACL after it"],
    ['if || A', "'||' has nothing before it"],
    ['if A && B', "'&&' is not an operator here"],
    ['if { path /', "'{' is never closed"],
    ['if { }', 'nothing stands between the braces'],
  ])('%s is refused', (line, message) => {
    expect(() => shapeOf(line)).toThrow(message);
  });

  test('what is written is what is read', () => {
    const term = fc.record({ negated: fc.boolean(), name: fc.stringMatching(/^[A-Z][a-z]{0,3}$/) });
    const rows = fc.array(fc.array(term, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(rows, (any) => {
        const text = any
          .map((row) => row.map((t) => `${t.negated ? '!' : ''}${t.name}`).join(' '))
          .join(' || ');
        const read = readCondition(cursor(`if ${text}`))!;
        const back = read.any.map((row) =>
          row.map((t) => ({ negated: t.negated, name: t.kind === 'named' ? t.name : '' })),
        );
        expect(back).toEqual(any);
      }),
    );
  });

  test('any words are read or refused with a place', () => {
    const word = fc.constantFrom('A', '!', '!A', '{', '}', '!{', '||', 'or', 'path', '&&');
    fc.assert(
      fc.property(fc.array(word), (words) => {
        try {
          readCondition(cursor(['if', ...words].join(' ')));
        } catch (error) {
          expect(error).toBeInstanceOf(WordError);
        }
      }),
    );
  });
});

function cursor(line: string): Cursor {
  let column = 1;
  const words = line.split(' ').map((text) => {
    const place = { file: 'f', line: 1, column, length: text.length };
    column += text.length + 1;
    return { text, place };
  });
  return new Cursor(words, 0, 'rule');
}

function shapeOf(line: string): string {
  const read = readCondition(cursor(line))!;
  const rows = read.any.map((row) =>
    row
      .map((term) => {
        const inside = term.kind === 'named' ? term.name : `{${term.words.map((w) => w.text).join(' ')}}`;
        return `${term.negated ? '!' : ''}${inside}`;
      })
      .join(' '),
  );
  return read.unless ? `not(${rows.join(' | ')})` : rows.join(' | ');
}
