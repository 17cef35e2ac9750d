import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GrammarError } from '../../src/config/expression.ts';
import { readLogFormat } from '../../src/config/log-format.ts';

describe('log formats', () => {
  test.each([
    ['', []],
    ['plain', ['plain']],
    ['100%%', ['100%']],
    ['%ci:%cp', ['%ci', ':', '%cp']],
    ['a%[src,lower]b', ['a', '[src,lower]', 'b']],
    ['%{+Q}r %b', ['Q%r', ' ', '%b']],
    ['%{+Q,+E}o%a %{-Q}b', ['QE%a', ' ', 'E%b']],
    ['%{+X}[src] %{X}Ts', ['X[src]', ' ', 'X%Ts']],
    ['%[str("a]b)")]', ['[str("a]b)")]']],
  ])('%s', (text, pieces) => {
    expect(readLogFormat(text).map(show)).toEqual(pieces);
  });

  test.each([
    ['a %', 2, "no variable after '%'"],
    ['50% off', 2, "no variable after '%'"],
    ['%{+Q', 1, "missing '}' after the flags"],
    ['%{+Z}r', 2, "unknown flag '+Z'"],
    ['%[src', 4, "']' is missing"],
    ['%[src lower]', 5, "']' is missing before ' '"],
  ])('%s is refused at %i', (text, offset, message) => {
    expect(refusal(text)).toMatchObject({ offset, message });
  });

  test('any text survives when its percent signs are doubled', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
        const pieces = readLogFormat(text.replaceAll('%', '%%'));
        expect(pieces).toEqual(text === '' ? [] : [{ kind: 'text', text }]);
      }),
    );
  });

  test('any text is read or refused', () => {
    const unit = fc.constantFrom(...'%{}[]+-QEXocir (),"');
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        const error = refusal(text);
        if (error !== undefined) expect(error).toBeInstanceOf(GrammarError);
      }),
    );
  });
});

function show(piece: ReturnType<typeof readLogFormat>[number]): string {
  if (piece.kind === 'text') return piece.text;
  const flags = `${piece.flags.quote ? 'Q' : ''}${piece.flags.escape ? 'E' : ''}${piece.flags.hex ? 'X' : ''}`;
  return flags + (piece.kind === 'variable' ? `%${piece.name}` : `[${piece.text}]`);
}

function refusal(text: string): unknown {
  try {
    readLogFormat(text);
    return undefined;
  } catch (error) {
    return error;
  }
}
