import { type Diagnostic, didYouMeanChoice, type Place } from '../errors.ts';
import type { Word } from './language.ts';

/** Thrown by a cursor when a word is not what the keyword takes; the parser turns it into a finding and goes on. */
export class WordError extends Error {
  readonly diagnostic: Diagnostic;

  constructor(message: string, place: Place, hint?: string) {
    super(message);
    this.diagnostic = { severity: 'error', message, place, hint };
  }
}

/** Walks the words of one line. Every `take…` names what it wants, so that the refusal can say so. */
export class Cursor {
  readonly words: readonly Word[];
  /** The words that named the keyword, for messages: `timeout client`. */
  keyword: string;
  /** What the line may keep, but should not: reported once the line was read. */
  readonly warnings: Diagnostic[] = [];
  #next: number;

  constructor(words: readonly Word[], next: number, keyword: string) {
    this.words = words;
    this.#next = next;
    this.keyword = keyword;
  }

  get position(): number {
    return this.#next;
  }

  set position(next: number) {
    this.#next = next;
  }

  /** The next word without taking it; undefined at the end of the line. */
  peek(): Word | undefined {
    return this.words[this.#next];
  }

  /** Takes the next word if it is `text`. */
  accept(text: string): boolean {
    if (this.peek()?.text !== text) return false;
    this.#next++;
    return true;
  }

  /** Takes the next word; refuses the line when there is none. */
  take(what: string): Word {
    const word = this.peek();
    if (word === undefined) throw new WordError(`'${this.keyword}' wants ${what}`, this.endPlace());
    this.#next++;
    return word;
  }

  /** All words that are left. */
  rest(): Word[] {
    const left = this.words.slice(this.#next);
    this.#next = this.words.length;
    return left;
  }

  /** Refuses words that nobody wants. */
  end(): void {
    const extra = this.peek();
    if (extra !== undefined)
      throw new WordError(`'${this.keyword}' does not take '${extra.text}' here`, extra.place);
  }

  /** A row of a table by its keyword. */
  oneOf<Row extends { readonly keyword: string }>(what: string, rows: readonly Row[]): Row {
    const word = this.take(what);
    const row = rows.find((r) => r.keyword === word.text);
    if (row !== undefined) return row;
    throw new WordError(
      `unknown ${what} '${word.text}'`,
      word.place,
      didYouMeanChoice(
        word.text,
        rows.map((r) => r.keyword),
      ),
    );
  }

  /** A whole number in [min, max]. */
  integer(what: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
    const word = this.take(what);
    const value = /^[+-]?\d+$/.test(word.text) ? Number(word.text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new WordError(`'${word.text}' is not ${what} (a whole number from ${min} to ${max})`, word.place);
  }

  /** A time in milliseconds: `10`, `10ms`, `30s`. Units as in the manual (section 2.5). `unit` is what a bare number means. */
  duration(what: string, unit: keyof typeof UNITS = 'ms'): number {
    const word = this.take(what);
    const value = parseDuration(word.text, unit);
    if (value !== undefined) return value;
    // HAProxy 2.6 reads over what stands behind the unit, says so, and announces that it will refuse it.
    const [, time, extra] = /^(\d+(?:us|ms|s|m|h|d))(.+)$/s.exec(word.text) ?? [];
    if (time !== undefined) {
      const message = `'${extra}' behind the time '${time}' is ignored`;
      this.warnings.push({ severity: 'warning', message, place: word.place, hint: 'leave it out' });
      return parseDuration(time, unit)!;
    }
    throw new WordError(
      `'${word.text}' is not ${what}`,
      word.place,
      'times are numbers with us, ms, s, m, h or d: 500ms, 30s, 1m',
    );
  }

  /** A size in bytes: `16384`, `64k`, `1m`, `1g`. */
  size(what: string): number {
    const word = this.take(what);
    const match = /^(\d+)([kmg]?)$/i.exec(word.text);
    if (match === null)
      throw new WordError(`'${word.text}' is not ${what}`, word.place, 'sizes are numbers with k, m or g');
    return Number(match[1]) * { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[match[2]!.toLowerCase()]!;
  }

  /** Just after the last word, for "something is missing here". */
  endPlace(): Place {
    const last = this.words[this.words.length - 1]!.place;
    return { ...last, column: last.column + (last.length ?? 1), length: 1 };
  }

  fail(message: string, word: Word | undefined = this.words[this.#next - 1], hint?: string): never {
    throw new WordError(message, word?.place ?? this.endPlace(), hint);
  }
}

const UNITS = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds, or undefined when the text is no time. One number with one unit, as HAProxy reads it. */
export function parseDuration(text: string, unit: keyof typeof UNITS = 'ms'): number | undefined {
  const match = /^(\d+)(us|ms|s|m|h|d)?$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * UNITS[(match[2] ?? unit) as keyof typeof UNITS];
}
