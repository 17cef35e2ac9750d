/**
 * The grammar of conditions: `if A !B || { path_beg -i /x } or C` (HAProxy manual, section 7.2). What an ACL is called
 * and what stands between braces is the caller's to understand.
 */
import type { Cursor } from './cursor.ts';
import type { Word } from './language.ts';

export type ConditionTerm =
  | { readonly kind: 'named'; readonly negated: boolean; readonly name: string; readonly word: Word }
  /** `words` stand between the braces, at least one. */
  | {
      readonly kind: 'anonymous';
      readonly negated: boolean;
      readonly words: readonly Word[];
      readonly word: Word;
    };

export interface ConditionWords {
  readonly keyword: Word;
  readonly unless: boolean;
  /** Any of the rows; each row is all of its terms. */
  readonly any: readonly (readonly ConditionTerm[])[];
  readonly text: string;
}

/** Takes `if …` or `unless …` up to the end of the line. Undefined, and nothing taken, when neither is next. */
export function readCondition(words: Cursor): ConditionWords | undefined {
  const keyword = words.peek();
  if (keyword === undefined || !isConditionStart(keyword)) return undefined;
  words.position++;
  const from = words.position;
  const any = readRows(words, keyword);
  const text = words.words.slice(from).map((w) => w.text);
  return { keyword, unless: keyword.text === 'unless', any, text: text.join(' ') };
}

/** Whether a word ends the arguments before it. */
export function isConditionStart(word: Word): boolean {
  return word.text === 'if' || word.text === 'unless';
}

function readRows(words: Cursor, keyword: Word): ConditionTerm[][] {
  let row: ConditionTerm[] = [];
  const rows = [row];
  while (words.peek() !== undefined) {
    const word = words.peek()!;
    if (word.text === '||' || word.text === 'or') {
      words.position++;
      if (row.length === 0) words.fail(`'${word.text}' has nothing before it`, word);
      rows.push((row = []));
    } else {
      row.push(readTerm(words));
    }
  }
  if (row.length === 0)
    words.fail(`'${rows.length > 1 ? words.words.at(-1)!.text : keyword.text}' wants an ACL after it`);
  return rows;
}

/** `name`, `!name`, `{ … }`, `!{ … }`; the `!` may stand alone, and twice. */
function readTerm(words: Cursor): ConditionTerm {
  let negated = false;
  for (;;) {
    const word = words.take('an ACL after "!"');
    const name = word.text.replace(/^!+/, '');
    if ((word.text.length - name.length) % 2 === 1) negated = !negated;
    if (name === '') continue;
    if (name === '{') return { kind: 'anonymous', negated, words: readBraces(words, word), word };
    if (name === '&&' || name === 'and')
      words.fail(`'${name}' is not an operator here`, word, 'write the ACLs one after the other');
    return { kind: 'named', negated, name, word };
  }
}

function readBraces(words: Cursor, open: Word): Word[] {
  const inside: Word[] = [];
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.position++;
    if (word.text === '}') {
      if (inside.length === 0) words.fail('nothing stands between the braces', open);
      return inside;
    }
    inside.push(word);
  }
  words.fail("'{' is never closed", open, "write '}' as a word of its own, with a space before it");
}
