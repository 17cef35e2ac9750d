/** What the actions share in reading their words. */

import { isConditionStart } from '../../config/condition.ts';
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import { readArguments } from '../../config/expression.ts';
import type { ParseContext, Word } from '../../config/language.ts';
import { atWord } from '../acl/parse.ts';
import { checkRegex } from '../acl/regex.ts';
import type { CompileEnv, LogFormat, RuleSet } from '../expressions.ts';
import type { Head } from '../http1/head.ts';
import { compileLogFormat } from '../logs/format.ts';
import { parseLogFormat } from '../logs/parse.ts';
import type { Transaction } from '../transaction.ts';

/** The next word as a log format. */
export function takeFormat(words: Cursor, what: string, context: ParseContext, set: RuleSet): LogFormat {
  const word = words.take(what);
  return parseLogFormat(word.text, word.place, context, set);
}

export function takeHeaderName(words: Cursor): string {
  const word = words.take('the name of a header');
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(word.text))
    words.fail(`'${word.text}' is not the name of a header`, word);
  return word.text;
}

export function takeRegex(words: Cursor): string {
  const word = words.take('a regular expression');
  const complaint = checkRegex(word.text);
  if (complaint !== undefined) words.fail(complaint, word);
  return word.text;
}

/** The arguments of the action's own word: `set-var(txn.x,ifexists)`. */
export function ownArguments(words: Cursor): { args: readonly string[]; word: Word } {
  const word = words.words[words.position - 1]!;
  const open = word.text.indexOf('(');
  if (open < 0) throw new WordError(`'${word.text}' wants arguments in parentheses`, word.place);
  const { args, end } = atWord(word, () => readArguments(word.text, open));
  if (end < word.text.length)
    throw new WordError(`'${word.text.slice(end)}' does not belong here`, word.place);
  return { args, word };
}

/** Whether the action's words are over: the line ends, or its condition begins. */
export function isAtEnd(words: Cursor): boolean {
  const word = words.peek();
  return word === undefined || isConditionStart(word);
}

/** The message that a rule set changes. */
export function headOf(set: RuleSet): (tx: Transaction) => Head {
  return set === 'http-response' || set === 'http-after-response' ? (tx) => tx.response : (tx) => tx.request;
}

/** A format as text; one that holds no variable is made now. */
export function compileText(format: LogFormat, env: CompileEnv): (tx: Transaction) => string {
  return compileLogFormat(format, env, 'value');
}
