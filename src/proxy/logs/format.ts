/** Makes one function of a log format: a flat list of pieces, nothing looked up at run time. */

import { parseAddress } from '../acl/address.ts';
import { compileText } from '../acl/compile.ts';
import type { CompileEnv, LogFlags, LogFormat, LogPiece } from '../expressions.ts';
import type { Transaction } from '../transaction.ts';
import { encodeControls, encodeValue, escapeText } from './encode.ts';

type Render = (tx: Transaction) => string | number;

/**
 * What the text is for. In a log line spaces in a row become one and what is missing is a `-`; in a `value` (header
 * fields, bodies, locations, ids) it is left out and control characters are encoded as %XX.
 */
export type Purpose = 'log' | 'value';

/** Text is latin1: one character a byte. */
export function compileLogFormat(
  format: LogFormat,
  env: CompileEnv,
  purpose: Purpose = 'value',
): (tx: Transaction) => string {
  const { texts, renders } = layOut(format.pieces, env, purpose);
  const [before = '', after = ''] = texts;
  const [first] = renders;
  if (first === undefined) return () => before;
  if (renders.length === 1) return (tx) => before + first(tx) + after;
  return (tx) => {
    let out = before;
    for (let i = 0; i < renders.length; i++) out += renders[i]!(tx) + texts[i + 1]!;
    return out;
  };
}

/**
 * The same, straight into a buffer: log lines are made this way, without a string for the whole. Returns where the
 * line ends; what has no room in `out` is left out, though it counts.
 */
export type WriteLine = (tx: Transaction, out: Buffer, at: number) => number;

export function compileLogWriter(format: LogFormat, env: CompileEnv): WriteLine {
  const { texts, renders } = layOut(format.pieces, env, 'log');
  const fixed = texts.map((text) => Uint8Array.from(Buffer.from(text, 'latin1')));
  return (tx, out, start) => {
    let at = putBytes(fixed[0]!, out, start);
    for (let i = 0; i < renders.length; i++) {
      const value = renders[i]!(tx);
      at = typeof value === 'number' ? putNumber(value, out, at) : putText(value, out, at);
      at = putBytes(fixed[i + 1]!, out, at);
    }
    return at;
  };
}

/** Latin1 text; long runs are quicker in one call. Writes beyond the end of a buffer do nothing. */
export function putText(text: string, out: Buffer, at: number): number {
  const { length } = text;
  if (length > 64) {
    if (at < out.length) out.latin1Write(text, at, Math.min(length, out.length - at));
    return at + length;
  }
  for (let i = 0; i < length; i++) out[at + i] = text.charCodeAt(i);
  return at + length;
}

function putBytes(bytes: Uint8Array, out: Buffer, at: number): number {
  const { length } = bytes;
  for (let i = 0; i < length; i++) out[at + i] = bytes[i]!;
  return at + length;
}

const ZERO = 48;

/** Decimal digits of a whole number. */
function putNumber(value: number, out: Buffer, at: number): number {
  if ((value | 0) !== value) return putText(String(value), out, at);
  let rest = value;
  if (rest < 0) {
    if (rest === -2147483648) return putText(String(value), out, at);
    out[at++] = 45;
    rest = -rest;
  }
  let digits = 1;
  for (let limit = 10; digits < 10 && rest >= limit; limit *= 10) digits++;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = (rest / 10) | 0;
    out[i] = ZERO + rest - 10 * tenth;
    rest = tenth;
  }
  return at + digits;
}

/** Fixed texts around the variable ones: one more than those. */
function layOut(
  pieces: readonly LogPiece[],
  env: CompileEnv,
  purpose: Purpose,
): { texts: string[]; renders: Render[] } {
  const texts = [''];
  const renders: Render[] = [];
  for (const piece of pieces) {
    if (piece.kind === 'text') texts[texts.length - 1] += piece.text;
    else {
      renders.push(compilePiece(piece, env, purpose));
      texts.push('');
    }
  }
  if (purpose === 'log') mergeSpaces(texts, renders, pieces);
  return { texts, renders };
}

/**
 * Spaces in a row become one, those at the start go. Captured headers may turn out to be nothing: they take the space
 * after them along.
 */
function mergeSpaces(texts: string[], renders: Render[], pieces: readonly LogPiece[]): void {
  for (let i = 0; i < texts.length; i++) texts[i] = texts[i]!.replace(/ +/g, ' ');
  texts[0] = texts[0]!.trimStart();
  let i = 0;
  for (const piece of pieces) {
    if (piece.kind === 'text') continue;
    const isList = piece.kind === 'field' && piece.row.type === 'list';
    const spaceBefore =
      texts[i]!.endsWith(' ') || (texts[i] === '' && (i === 0 || tookSpace(renders[i - 1]!)));
    if (isList && spaceBefore && texts[i + 1]!.startsWith(' ')) {
      texts[i + 1] = texts[i + 1]!.slice(1);
      const render = renders[i]!;
      const withSpace: Render = (tx) => {
        const text = render(tx);
        return text === '' ? '' : `${text} `;
      };
      spaceTakers.add(withSpace);
      renders[i] = withSpace;
    }
    i++;
  }
}

const spaceTakers = new WeakSet<Render>();

function tookSpace(render: Render): boolean {
  return spaceTakers.has(render);
}

function compilePiece(piece: Exclude<LogPiece, { kind: 'text' }>, env: CompileEnv, purpose: Purpose): Render {
  const { flags } = piece;
  const missing = purpose === 'value' ? '' : flags.quote ? '""' : '-';
  if (piece.kind === 'sample') {
    const read = compileText(piece.expression, env);
    if (purpose === 'value') return encodedText(read, flags);
    return textOf(
      (tx) => {
        const text = read(tx);
        return text === undefined ? undefined : encodeControls(text);
      },
      flags,
      missing,
    );
  }
  const { row } = piece;
  const read = row.compile(env, flags);
  switch (row.type) {
    case 'number':
      if (flags.hex && HEX_NUMBERS.includes(row.keyword)) return hexNumber(read, missing);
      return (tx) => read(tx) ?? missing;
    case 'address':
      return flags.hex ? hexAddress(read, missing) : textOf(read as ReadText, flags, missing);
    case 'text':
      return textOf(read as ReadText, flags, missing);
    default:
      return read as Render;
  }
}

type ReadText = (tx: Transaction) => string | undefined;

/** In header fields and the like HAProxy quotes no samples. */
function encodedText(read: ReadText, flags: LogFlags): Render {
  return (tx) => {
    const text = read(tx);
    if (text === undefined) return '';
    return encodeValue(flags.escape ? escapeText(text) : text);
  };
}

function textOf(read: ReadText, flags: LogFlags, missing: string): Render {
  const { quote } = flags;
  if (!quote && !flags.escape) return (tx) => read(tx) || missing;
  return (tx) => {
    const text = read(tx);
    if (text === undefined || text === '') return missing;
    const shown = flags.escape ? escapeText(text) : text;
    return quote ? `"${shown}"` : shown;
  };
}

const HEX_NUMBERS = ['cp', 'fp', 'bp', 'sp', 'Ts', 'rt', 'pid'];

function hexNumber(read: (tx: Transaction) => string | number | undefined, missing: string): Render {
  return (tx) => {
    const value = read(tx);
    return value === undefined ? missing : Number(value).toString(16).toUpperCase().padStart(4, '0');
  };
}

/** `7F000001`; IPv6 as 32 digits. */
function hexAddress(read: (tx: Transaction) => string | number | undefined, missing: string): Render {
  return (tx) => {
    const address = parseAddress(String(read(tx) ?? ''));
    if (address === undefined) return missing;
    const words = address.family === 4 ? address.words.slice(3) : address.words;
    return words.map((word) => word.toString(16).toUpperCase().padStart(8, '0')).join('');
  };
}
