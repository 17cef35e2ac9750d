import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GrammarError, readCalls } from '../../src/config/expression.ts';

describe('sample expressions', () => {
  test.each([
    ['src', [['src']]],
    ['hdr(host)', [['hdr', 'host']]],
    ['hdr(host,-1),lower', [['hdr', 'host', '-1'], ['lower']]],
    ['f(),g', [['f'], ['g']]],
    ['f(a,,b)', [['f', 'a', '', 'b']]],
    ['base32+src', [['base32+src']]],
    ['f("a,b)",\'c"d\')', [['f', 'a,b)', 'c"d']]],
    ['f(a\\ b\\"c\\\\d)', [['f', 'a b"c\\d']]],
    ['f("^/(here)(/|$)","my/\\1",g)', [['f', '^/(here)(/|$)', 'my/\\1', 'g']]],
    ["f('\\n')", [['f', '\\n']]],
    ['f("\\n\\t\\x")', [['f', '\n\t\\x']]],
    ['f,,g,', [['f'], ['g']]],
  ])('%s', (text, calls) => {
    const read = readCalls(text);
    expect(read.calls.map((c) => [c.name, ...c.args])).toEqual(calls);
    expect(read.end).toBe(text.length);
  });

  test('stop where they end, for log formats', () => {
    expect(readCalls('%[src,lower] x', 2)).toMatchObject({ end: 11 });
  });

  test.each([
    ['', 0, 'a name is missing'],
    [')', 0, "a name is missing before ')'"],
    ['f(a', 1, "missing ')'"],
    ['f("a)', 2, 'the quote (") is never closed'],
  ])('%j is refused at %i', (text, offset, message) => {
    const error = refusal(() => readCalls(text));
    expect(error).toMatchObject({ offset, message });
  });

  test('any arguments survive being quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary-ascii' }), { minLength: 1 }), (args) => {
        const quoted = args.map((a) => `"${a.replace(/[\\"]/g, '\\$&')}"`);
        const { calls } = readCalls(`f(${quoted.join(',')})`);
        expect(calls[0]!.args).toEqual(args);
      }),
    );
  });

  test('any text is read or refused with a place inside it', () => {
    const unit = fc.constantFrom(...'abf()",\'\\%[] -:+');
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        const error = refusal(() => readCalls(text));
        if (error === undefined) return;
        expect(error).toBeInstanceOf(GrammarError);
        expect((error as GrammarError).offset).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});

function refusal(read: () => unknown): unknown {
  try {
    read();
    return undefined;
  } catch (error) {
    return error;
  }
}
