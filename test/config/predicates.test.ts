import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateCondition, PredicateError, type PredicateRow } from '../../src/config/predicates.ts';

const ROWS: PredicateRow[] = [
  { keyword: 'yes', usage: 'yes(<any>)', doc: '', args: 1, evaluate: () => true },
  { keyword: 'defined', usage: 'defined(<name>)', doc: '', args: 1, evaluate: ([n], env) => env.has(n!) },
  { keyword: 'streq', usage: 'streq(<a>,<b>)', doc: '', args: 2, evaluate: ([a, b]) => a === b },
];
const ENV = new Map([['HOME', '/']]);
const truth = (text: string) => evaluateCondition(text, ROWS, ENV);
const fault = (text: string) => {
  try {
    truth(text);
    return undefined;
  } catch (error) {
    if (error instanceof PredicateError) return error;
    throw error;
  }
};

describe('conditions', () => {
  it.each<[string, boolean]>([
    ['', false],
    ['  ', false],
    ['0', false],
    ['1', true],
    ['-3', true],
    ['!0', true],
    ['!!1', true],
    ['1 && 0', false],
    ['0 || 1', true],
    ['1 || 0 && 0', true],
    ['(1 || 0) && 0', false],
    ['((1))', true],
    ['defined(HOME)', true],
    ['!defined(NOPE)&&defined(HOME)', true],
    ['streq(a,a)', true],
    ['streq(a,b)', false],
    ['streq("a,b","a,b")', true],
    ['streq(\'a)\',"a)")', true],
    ['streq(,)', true],
    ['streq( a , a )', true],
    ['streq(a\\,b,a\\,c)', false],
  ])('%j is %s', (text, expected) => {
    expect(truth(text)).toBe(expected);
  });

  it.each<[string, number, RegExp]>([
    ['foo', 0, /neither a number nor a predicate/],
    ['yess(1)', 0, /yess/],
    ['1 1', 2, /does not belong/],
    ['1 &&', 4, /missing/],
    ['(1', 0, /never closed/],
    ['1)', 1, /does not belong/],
    ['streq(a)', 0, /2 argument/],
    ['1 && streq(a,b,c)', 5, /2 argument/],
    ['streq(a', 5, /never closed/],
    ['defined', 0, /defined/],
    ['1 & 1', 2, /does not belong/],
  ])('%j is refused at %i', (text, at, message) => {
    expect(fault(text)?.at).toBe(at);
    expect(fault(text)?.message).toMatch(message);
  });

  it('suggests', () => {
    expect(fault('strec(a,b)')?.hint).toContain("'streq'");
  });

  it('is refused, not a stack overflow, when nested without end', () => {
    expect(fault('('.repeat(50_000))).toBeInstanceOf(PredicateError);
    expect(fault('!'.repeat(50_000))).toBeInstanceOf(PredicateError);
  });

  it('gives a truth or a place within the text, whatever the text', () => {
    const piece = fc.constantFrom(
      '(',
      ')',
      '!',
      '&&',
      '||',
      '&',
      ' ',
      '1',
      '0',
      'yes(1)',
      'streq(a,b)',
      'streq(',
      ',',
      '"',
      '\\',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('');
        const error = fault(text);
        if (error !== undefined) expect(error.at).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with JavaScript on combinations of truths', () => {
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom('0', '1'),
        tie('expression').map((e) => `!(${e})`),
        tie('expression').map((e) => `(${e})`),
        fc
          .tuple(tie('expression'), fc.constantFrom('&&', '||'), tie('expression'))
          .map((parts) => parts.join(' ')),
      ),
    }));
    fc.assert(
      fc.property(expression, (text) => {
        // biome-ignore lint/security/noGlobalEval: the text is made of 0, 1 and operators right here
        expect(truth(text)).toBe(Boolean(eval(text)));
      }),
    );
  });
});
