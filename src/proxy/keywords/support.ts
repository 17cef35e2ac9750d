/** What the tables share: typed access to the configuration, and options of one line as rows. */
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import type { ParseContext } from '../../config/language.ts';
import { didYouMean } from '../../errors.ts';
import type { Configuration } from '../settings.ts';

export function configurationOf(context: ParseContext): Configuration {
  return context.configuration as Configuration;
}

/** One word (with its arguments) of a `bind`, `server` or `stats socket` line. */
export interface OptionRow<Draft> {
  readonly keyword: string;
  readonly usage: string;
  readonly doc: string;
  readonly support?: 'full' | 'noted';
  parse(words: Cursor, draft: Draft, context: ParseContext): void;
}

/** Reads the rest of a line as options in any order. `what` names the line in refusals: `bind`. */
export function readOptions<Draft>(
  words: Cursor,
  rows: readonly OptionRow<Draft>[],
  unsupported: readonly string[],
  draft: Draft,
  context: ParseContext,
  what: string,
): void {
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.take('an option');
    const row = rows.find((r) => r.keyword === word.text);
    if (row === undefined) {
      const known = unsupported.includes(word.text);
      throw new WordError(
        known
          ? `'${word.text}' of '${what}' is not supported by this engine yet`
          : `unknown option '${word.text}' of '${what}'`,
        word.place,
        known
          ? undefined
          : didYouMean(
              word.text,
              rows.map((r) => r.keyword),
            ),
      );
    }
    const keyword = words.keyword;
    words.keyword = row.keyword;
    row.parse(words, draft, context);
    words.keyword = keyword;
    if (row.support === 'noted') {
      configurationOf(context).noted.push({ keyword: `${what} … ${row.keyword}`, place: word.place });
    }
  }
}

/** A row that is read, checked for its number of words, and not acted on. */
export function noted<Draft>(keyword: string, usage: string, doc: string): OptionRow<Draft> {
  const count = usage === '' ? 0 : usage.split(' ').length;
  const parse = (words: Cursor) => {
    for (let i = 0; i < count; i++) words.take(usage.split(' ')[i]!);
  };
  return { keyword, usage, doc, support: 'noted', parse };
}

/** Names of sections, servers and the like: letters, digits, `-`, `_`, `.` and `:`. */
export function takeName(words: Cursor, what: string): string {
  const word = words.take(what);
  const odd = /[^A-Za-z0-9_.:-]/.exec(word.text)?.[0];
  if (odd !== undefined) {
    throw new WordError(`'${odd}' cannot be in ${what}`, word.place, 'letters, digits, -, _, . and : can');
  }
  if (word.text === '') throw new WordError(`${what} cannot be empty`, word.place);
  return word.text;
}

/** Reads one of a fixed set of words. */
export function takeChoice<const T extends string>(words: Cursor, what: string, choices: readonly T[]): T {
  return words.oneOf(
    what,
    choices.map((keyword) => ({ keyword })),
  ).keyword;
}
