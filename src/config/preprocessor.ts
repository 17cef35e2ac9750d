/** Lines that start with a dot (manual, section 2.4): blocks that may be left out, and messages to the user. */
import type { Diagnostic, Place, Severity } from '../errors.ts';
import type { Word } from './language.ts';
import { evaluateCondition, PredicateError, type PredicateRow } from './predicates.ts';

/** `taken`: the branch being read counts. `done`: an earlier branch counted, or the whole block lies in one that does not. */
interface Block {
  readonly place: Place;
  taken: boolean;
  done: boolean;
  inElse: boolean;
}

type Report = (diagnostic: Diagnostic) => void;

/** Keeps the blocks of one file. Feed it every line that starts with a dot. */
export class Preprocessor {
  readonly #predicates: readonly PredicateRow[];
  readonly #environment: ReadonlyMap<string, string>;
  readonly #report: Report;
  /** `-dD`: `.diag` speaks. */
  readonly #diagnostic: boolean;
  readonly #blocks: Block[] = [];

  constructor(
    predicates: readonly PredicateRow[],
    environment: ReadonlyMap<string, string>,
    report: Report,
    diagnostic = false,
  ) {
    this.#predicates = predicates;
    this.#environment = environment;
    this.#report = report;
    this.#diagnostic = diagnostic;
  }

  /** False between `.if 0` and its `.endif`: lines are cut into words and then left out. */
  get active(): boolean {
    return this.#blocks.at(-1)?.taken ?? true;
  }

  line(words: readonly Word[]): void {
    const directive = DIRECTIVES[words[0]!.text as `.${string}`];
    if (directive !== undefined) directive(this, words);
    else if (this.active) {
      const hint = `there are ${Object.keys(DIRECTIVES).join(', ')}`;
      this.#error(`unknown directive '${words[0]!.text}'`, words[0]!.place, hint);
    }
  }

  /** At the end of the file. */
  end(): void {
    for (const block of this.#blocks) this.#error("this '.if' is never closed by '.endif'", block.place);
  }

  if(words: readonly Word[]): void {
    const active = this.active;
    const taken = active && this.#evaluate(words);
    this.#blocks.push({ place: words[0]!.place, taken, done: taken || !active, inElse: false });
  }

  elif(words: readonly Word[]): void {
    const block = this.#open(words[0]!);
    if (block === undefined) return;
    if (block.inElse) this.#error("'.elif' after '.else'", words[0]!.place);
    block.taken = !block.done && this.#evaluate(words);
    block.done ||= block.taken;
  }

  else(words: readonly Word[]): void {
    const block = this.#open(words[0]!);
    if (block === undefined) return;
    if (block.inElse) this.#error("a second '.else' in one '.if'", words[0]!.place);
    this.#noMore(words);
    block.taken = !block.done;
    block.done = true;
    block.inElse = true;
  }

  endif(words: readonly Word[]): void {
    if (this.#open(words[0]!) === undefined) return;
    this.#noMore(words);
    this.#blocks.pop();
  }

  say(words: readonly Word[], severity: Severity): void {
    if (!this.active) return;
    if (words.length > 2) {
      const message = `'${words[0]!.text}' takes one word; '${words[2]!.text}' is one too many`;
      this.#error(message, words[2]!.place, 'put the message between quotes');
    } else if (words[0]!.text !== '.diag' || this.#diagnostic) {
      this.#report({ severity, message: words[1]?.text ?? '', place: words[0]!.place });
    }
  }

  #open(word: Word): Block | undefined {
    const block = this.#blocks.at(-1);
    if (block === undefined) this.#error(`'${word.text}' without an '.if' before it`, word.place);
    return block;
  }

  #noMore(words: readonly Word[]): void {
    if (words.length > 1) this.#error(`'${words[0]!.text}' takes nothing behind it`, words[1]!.place);
  }

  /** A condition that cannot be read counts as false; the error refuses the configuration anyway. */
  #evaluate(words: readonly Word[]): boolean {
    const parts = words.slice(1);
    const text = parts.map((word) => word.text).join(' ');
    try {
      return evaluateCondition(text, this.#predicates, this.#environment);
    } catch (error) {
      if (!(error instanceof PredicateError)) throw error;
      this.#error(error.message, placeIn(parts, error.at) ?? words[0]!.place, error.hint);
      return false;
    }
  }

  #error(message: string, place: Place, hint?: string): void {
    this.#report({ severity: 'error', message, place, hint });
  }
}

type Directive = (blocks: Preprocessor, words: readonly Word[]) => void;

const DIRECTIVES: Readonly<Record<`.${string}`, Directive | undefined>> = {
  '.if': (blocks, words) => blocks.if(words),
  '.elif': (blocks, words) => blocks.elif(words),
  '.else': (blocks, words) => blocks.else(words),
  '.endif': (blocks, words) => blocks.endif(words),
  '.diag': (blocks, words) => blocks.say(words, 'warning'),
  '.notice': (blocks, words) => blocks.say(words, 'notice'),
  '.warning': (blocks, words) => blocks.say(words, 'warning'),
  '.alert': (blocks, words) => blocks.say(words, 'error'),
};

/** The word that holds character `at` of the words joined by blanks. */
function placeIn(words: readonly Word[], at: number): Place | undefined {
  let start = 0;
  for (const word of words) {
    if (at <= start + word.text.length) {
      const column = word.place.column + Math.max(0, at - start);
      const last = word.place.column + (word.place.length ?? 1) - 1;
      return column <= last ? { ...word.place, column, length: last - column + 1 } : word.place;
    }
    start += word.text.length + 1;
  }
  return words.at(-1)?.place;
}
