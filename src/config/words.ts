/**
 * Cuts one line into words, as the manual's sections 2.2 (quoting) and 2.3 (environment) describe.
 *
 * Lines and words are latin1: one character a byte, so that what is written in UTF-8 leaves as the same bytes.
 */

/** A word with the bytes of the line that it came from: [start, end). */
export interface RawWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What is wrong with a line as a whole, and at which byte of it. */
export interface LineProblem {
  readonly message: string;
  readonly at: number;
  readonly hint?: string;
}

export interface SplitLine {
  readonly words: readonly RawWord[];
  readonly problem?: LineProblem;
}

/** Value of an environment variable; undefined when there is none. */
export type Lookup = (name: string) => string | undefined;

const SPACE = new Set([' ', '\t', '\v', '\f']);
/** What a backslash may protect outside and inside of weak quotes; before anything else it stands for itself. */
const PROTECTED = new Set([' ', '\\', '#', '"', "'"]);
const NAMED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * The words of a line, up to `#` or a carriage return (HAProxy ends lines there, so that CRLF files need no care of
 * their own). Stops at the first problem.
 */
export function splitWords(text: string, lookup: Lookup): SplitLine {
  const carriage = text.indexOf('\r');
  const line = carriage < 0 ? text : text.slice(0, carriage);
  const words: RawWord[] = [];
  let parts: string[] | undefined;
  let start = 0;
  let quote = '';
  let quotedAt = 0;
  let plain = 0;
  let at = 0;

  // Runs of ordinary characters are cut out at once, so that a long word costs its length only.
  const flush = () => {
    if (at > plain) parts!.push(line.slice(plain, at));
  };
  const begin = () => {
    if (parts === undefined) {
      parts = [];
      start = at;
      plain = at;
    }
  };
  const finish = () => {
    if (parts === undefined) return;
    flush();
    words.push({ text: parts.join(''), start, end: at });
    parts = undefined;
  };
  const replace = (text: string, length: number) => {
    flush();
    parts!.push(text);
    at += length;
    plain = at;
  };

  while (at < line.length) {
    const c = line[at]!;
    if (quote === '' && SPACE.has(c)) {
      finish();
      at++;
    } else if (quote === '' && c === '#') {
      break;
    } else if (c === '\0') {
      return { words, problem: { message: 'a NUL byte in the line', at } };
    } else if ((c === '"' || c === "'") && (quote === '' || quote === c)) {
      begin();
      quotedAt = at;
      quote = quote === '' ? c : '';
      replace('', 1);
    } else if (c === '\\' && quote !== "'") {
      begin();
      const escaped = readEscape(line, at, quote === '"');
      if ('problem' in escaped) return { words, problem: escaped.problem };
      if (escaped.text === undefined) at++;
      else replace(escaped.text, escaped.length);
    } else if (c === '$' && quote === '"') {
      const variable = readVariable(line, at);
      if ('problem' in variable) return { words, problem: variable.problem };
      const value = lookup(variable.name) ?? variable.fallback ?? '';
      if (!variable.list) {
        replace(value, variable.length);
      } else {
        const pieces = value.split(/[ \t]+/).filter((piece) => piece !== '');
        const end = at + variable.length;
        replace(pieces[0] ?? '', variable.length);
        for (const piece of pieces.slice(1)) {
          words.push({ text: parts!.join(''), start, end });
          parts = [piece];
        }
      }
    } else {
      begin();
      at++;
    }
  }
  if (quote !== '') {
    return {
      words,
      problem: { message: 'this quote is never closed', at: quotedAt, hint: `add the closing ${quote}` },
    };
  }
  finish();
  return { words };
}

/** `text` undefined: the backslash stands for itself. */
function readEscape(
  line: string,
  at: number,
  weak: boolean,
): { text: string | undefined; length: number } | { problem: LineProblem } {
  const next = line[at + 1] ?? '';
  if (PROTECTED.has(next) || (next === '$' && weak)) return { text: next, length: 2 };
  if (next in NAMED) return { text: NAMED[next]!, length: 2 };
  if (next !== 'x') return { text: undefined, length: 1 };
  const hex = line.slice(at + 2, at + 4);
  if (/^[0-9a-f]{2}$/i.test(hex)) return { text: String.fromCharCode(Number.parseInt(hex, 16)), length: 4 };
  return {
    problem: { message: "'\\x' wants two hexadecimal digits", at, hint: "a plain backslash is '\\\\'" },
  };
}

interface Variable {
  readonly name: string;
  readonly fallback?: string;
  /** `[*]`: every word of the value becomes a word of the line. */
  readonly list: boolean;
  readonly length: number;
}

function readVariable(line: string, at: number): Variable | { problem: LineProblem } {
  const braced = line[at + 1] === '{';
  const from = at + (braced ? 2 : 1);
  NAME.lastIndex = from;
  const name = NAME.exec(line)?.[0];
  if (name === undefined) {
    const message = "'$' in weak quotes wants the name of an environment variable";
    return { problem: { message, at: from, hint: "a plain dollar is '\\$'" } };
  }
  if (!braced) return { name, list: false, length: from + name.length - at };
  const end = line.indexOf('}', from + name.length);
  const rest = end < 0 ? undefined : REST.exec(line.slice(from + name.length, end));
  if (!rest) return { problem: { message: "an environment variable's brace is never closed", at } };
  const list = rest[1] !== undefined || rest[3] !== undefined;
  return { name, fallback: rest[2]?.slice(1), list, length: end + 1 - at };
}

/** Names start with a letter or `_`; those that start with a dot are HAProxy's own (`.FILE`). */
const NAME = /[A-Za-z_.][A-Za-z0-9_]*/y;
const REST = /^(\[\*\])?(-[\s\S]*?)?(\[\*\])?$/;
