/**
 * The grammar of sample expressions: `hdr(host,-1),lower,map("/etc/a,b.map")` (HAProxy manual, sections 2.2 and 7.3).
 * It knows no fetch and no converter; who does binds the names.
 */

/** One name with its arguments. Offsets count from the start of the text that was read. */
export interface Call {
  readonly name: string;
  /** Arguments with quotes and escapes resolved; none for `name` and `name()`. */
  readonly args: readonly string[];
  readonly start: number;
  readonly end: number;
}

/** What is wrong and at which offset of the text. */
export class GrammarError extends Error {
  readonly offset: number;
  readonly length: number;
  readonly hint: string | undefined;

  constructor(message: string, offset: number, length = 1, hint?: string) {
    super(message);
    this.offset = offset;
    this.length = length;
    this.hint = hint;
  }
}

/**
 * Reads a fetch and its converters from `from` on, up to where the expression ends: the end of the text, a space or
 * a character that cannot continue it (`]` in a log format). Throws a GrammarError.
 */
export function readCalls(text: string, from = 0): { calls: Call[]; end: number } {
  const calls = [readCall(text, from)];
  let end = calls[0]!.end;
  while (text[end] === ',') {
    // HAProxy lets commas follow each other, and one at the end.
    while (text[end] === ',') end++;
    if (end === text.length || !isNameCharacter(text[end]!)) break;
    const call = readCall(text, end);
    calls.push(call);
    end = call.end;
  }
  return { calls, end };
}

/** `name` or `name(arg,…)` at `from`. */
function readCall(text: string, from: number): Call {
  let at = from;
  while (at < text.length && isNameCharacter(text[at]!)) at++;
  if (at === from)
    throw new GrammarError(
      from < text.length ? `a name is missing before '${text[from]}'` : 'a name is missing',
      from,
    );
  const name = text.slice(from, at);
  if (text[at] !== '(') return { name, args: [], start: from, end: at };
  const { args, end } = readArguments(text, at);
  return { name, args, start: from, end };
}

/** The arguments from the opening parenthesis at `open` on, and where the closing one was. */
export function readArguments(text: string, open: number): { args: string[]; end: number } {
  if (text[open + 1] === ')') return { args: [], end: open + 2 };
  const args: string[] = [];
  let current = '';
  let quote = '';
  let quoteAt = 0;
  for (let at = open + 1; at < text.length; at++) {
    const c = text[at]!;
    const escaped = c === '\\' && quote !== "'" ? ESCAPES[text[at + 1] ?? ''] : undefined;
    if (escaped !== undefined) {
      current += escaped;
      at++;
    } else if (quote !== '') {
      if (c === quote) quote = '';
      else current += c;
    } else if (c === '"' || c === "'") {
      quote = c;
      quoteAt = at;
    } else if (c === ',' || c === ')') {
      args.push(current);
      current = '';
      if (c === ')') return { args, end: at + 1 };
    } else {
      current += c;
    }
  }
  if (quote !== '') throw new GrammarError(`the quote (${quote}) is never closed`, quoteAt);
  throw new GrammarError("missing ')'", open, 1, 'quote arguments that hold a parenthesis: \\"(a|b)\\"');
}

/** A name may hold letters, digits and `. _ - + :`. */
function isNameCharacter(c: string): boolean {
  return /[\w.\-+:]/.test(c);
}

/** Other backslashes stand for themselves, so that `\1` and `\.` reach a regular expression. */
const ESCAPES: Record<string, string> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '"': '"',
  "'": "'",
  ' ': ' ',
};
