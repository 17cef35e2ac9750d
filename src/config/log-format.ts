/**
 * The grammar of log formats: `%ci [%tr] %{+Q}r "%[src,lower]" %%` (HAProxy manual, section 8.2.6) as a flat list of
 * pieces. It knows no variable; who does binds the names.
 */
import { type Call, GrammarError, readCalls } from './expression.ts';

export interface FormatFlags {
  /** `Q`: in double quotes. */
  readonly quote: boolean;
  /** `E`: `"`, `\` and `]` escaped. */
  readonly escape: boolean;
  /** `X`: numbers and addresses in hexadecimal. */
  readonly hex: boolean;
}

export type FormatPiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly flags: FormatFlags; readonly start: number }
  | {
      readonly kind: 'expression';
      readonly calls: readonly Call[];
      readonly text: string;
      readonly flags: FormatFlags;
      readonly start: number;
    };

/** Throws a GrammarError with the offset of what is wrong. */
export function readLogFormat(text: string): FormatPiece[] {
  const pieces: FormatPiece[] = [];
  let flags: FormatFlags = { quote: false, escape: false, hex: false };
  let plain = '';
  let at = 0;
  while (at < text.length) {
    if (text[at] !== '%') {
      plain += text[at++];
      continue;
    }
    if (text[at + 1] === '%') {
      plain += '%';
      at += 2;
      continue;
    }
    const start = at++;
    let own = flags;
    if (text[at] === '{') {
      const close = text.indexOf('}', at);
      if (close < 0) throw new GrammarError("missing '}' after the flags", at);
      own = readFlags(text.slice(at + 1, close), flags, at + 1);
      at = close + 1;
    }
    const piece =
      text[at] === '[' ? readExpression(text, at, start, own) : readVariable(text, at, start, own);
    at = piece.end;
    if (piece.kind === 'variable' && piece.name === 'o') {
      flags = own;
      continue;
    }
    if (plain !== '') pieces.push({ kind: 'text', text: plain });
    plain = '';
    const { end: _, ...rest } = piece;
    pieces.push(rest as FormatPiece);
  }
  if (plain !== '') pieces.push({ kind: 'text', text: plain });
  return pieces;
}

function readExpression(text: string, open: number, start: number, flags: FormatFlags) {
  const { calls, end } = readCalls(text, open + 1);
  if (text[end] !== ']')
    throw new GrammarError(
      end < text.length ? `']' is missing before '${text[end]}'` : "']' is missing",
      Math.min(end, text.length - 1),
    );
  return { kind: 'expression', calls, text: text.slice(open + 1, end), flags, start, end: end + 1 } as const;
}

function readVariable(text: string, from: number, start: number, flags: FormatFlags) {
  const name = /^[A-Za-z0-9]*/.exec(text.slice(from))![0];
  if (name === '')
    throw new GrammarError("no variable after '%'", start, from - start, "write '%%' for a percent sign");
  return { kind: 'variable', name, flags, start, end: from + name.length } as const;
}

function readFlags(list: string, before: FormatFlags, offset: number): FormatFlags {
  const flags = { ...before };
  for (const flag of list.split(',')) {
    const name = FLAG_NAMES[flag.replace(/^[+-]/, '')];
    if (name === undefined)
      throw new GrammarError(`unknown flag '${flag}'`, offset, list.length, 'flags are Q, E and X');
    flags[name] = !flag.startsWith('-');
  }
  return flags;
}

const FLAG_NAMES: Record<string, 'quote' | 'escape' | 'hex'> = { Q: 'quote', E: 'escape', X: 'hex' };
