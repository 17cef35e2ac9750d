/**
 * Conditions of `.if`, `.elif` and `-cc` (manual, section 2.4): numbers, predicates, `!`, `&&`, `||`, parentheses.
 * The predicates themselves are a table that the language passes in.
 */
import { didYouMean } from '../errors.ts';
import { splitWords } from './words.ts';

/** One predicate: `streq(a,b)`. */
export interface PredicateRow {
  readonly keyword: string;
  readonly usage: string;
  readonly doc: string;
  /** How many arguments it takes. */
  readonly args: number;
  evaluate(args: readonly string[], environment: ReadonlyMap<string, string>): boolean;
}

/** Thrown for a condition that cannot be read. `at` counts characters of the condition from 0. */
export class PredicateError extends Error {
  readonly at: number;
  readonly hint?: string;

  constructor(message: string, at: number, hint?: string) {
    super(message);
    this.at = at;
    this.hint = hint;
  }
}

/**
 * The truth of a condition; an empty one is false. Every predicate is looked at, also where `&&` and `||` would not
 * need it, so that a mistake shows on any machine.
 *
 * @throws PredicateError
 */
export function evaluateCondition(
  text: string,
  rows: readonly PredicateRow[],
  environment: ReadonlyMap<string, string>,
): boolean {
  if (text.trim() === '') return false;
  const reader = new Reader(text, rows, environment);
  const value = reader.any(0);
  reader.end();
  return value;
}

/** Deeper nesting is a mistake, or an attack on the stack. */
const MAX_DEPTH = 100;

class Reader {
  readonly #text: string;
  readonly #rows: readonly PredicateRow[];
  readonly #environment: ReadonlyMap<string, string>;
  #at = 0;

  constructor(text: string, rows: readonly PredicateRow[], environment: ReadonlyMap<string, string>) {
    this.#text = text;
    this.#rows = rows;
    this.#environment = environment;
  }

  any(depth: number): boolean {
    let value = this.#all(depth);
    while (this.#accept('||')) value = this.#all(depth) || value;
    return value;
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length)
      this.#fail(`'${this.#text.slice(this.#at, this.#at + 20)}' does not belong here`);
  }

  #all(depth: number): boolean {
    let value = this.#term(depth);
    while (this.#accept('&&')) value = this.#term(depth) && value;
    return value;
  }

  #term(depth: number): boolean {
    if (depth > MAX_DEPTH) this.#fail(`conditions nest at most ${MAX_DEPTH} deep`);
    if (this.#accept('!')) return !this.#term(depth + 1);
    const open = this.#at;
    if (this.#accept('(')) {
      const value = this.any(depth + 1);
      if (!this.#accept(')')) this.#fail("this '(' is never closed", open);
      return value;
    }
    return this.#atom();
  }

  #atom(): boolean {
    this.#skipSpace();
    const from = this.#at;
    const word = this.#match(/[^\s()!&|]+/y);
    if (word === undefined) this.#fail('a condition is missing here', from);
    if (/^[+-]?\d+$/.test(word)) return Number(word) !== 0;
    const row = this.#rows.find((r) => r.keyword === word);
    if (row === undefined || this.#text[this.#at] !== '(') {
      const names = this.#rows.map((r) => r.keyword);
      const hint = row === undefined ? didYouMean(word, names) : `write ${row.usage}`;
      this.#fail(
        `'${word}' is neither a number nor a predicate`,
        from,
        hint ?? `there are ${names.join(', ')}`,
      );
    }
    const args = this.#arguments();
    if (args.length !== row.args)
      this.#fail(`'${word}' takes ${row.args} argument(s), not ${args.length}`, from, row.usage);
    return row.evaluate(args, this.#environment);
  }

  /** `(a,b)`: quotes and backslashes protect commas and parentheses. */
  #arguments(): string[] {
    const open = this.#at++;
    const args: string[] = [];
    let from = this.#at;
    for (let quote = ''; this.#at < this.#text.length; this.#at++) {
      const c = this.#text[this.#at]!;
      if (quote !== '') {
        if (c === quote) quote = '';
      } else if (c === '"' || c === "'") quote = c;
      else if (c === '\\') this.#at++;
      else if (c === ',' || c === ')') {
        args.push(unquote(this.#text.slice(from, this.#at)));
        from = this.#at + 1;
        if (c === ',') continue;
        this.#at++;
        return args;
      }
    }
    return this.#fail("this '(' is never closed", open);
  }

  #accept(token: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #skipSpace(): void {
    this.#match(/\s+/y);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #fail(message: string, at = this.#at, hint?: string): never {
    throw new PredicateError(message, at, hint);
  }
}

/** Quotes in arguments work as they do in lines, but nothing is looked up in the environment. */
function unquote(text: string): string {
  const { words, problem } = splitWords(text.replaceAll('#', '\\#').replaceAll('$', '\\$'), () => undefined);
  return problem === undefined && words.length === 1 ? words[0]!.text : text;
}
