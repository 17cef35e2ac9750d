/**
 * Reads configuration text with the tables it is given. Knows no keyword by name, does no I/O, and never stops at
 * the first mistake: every line is read, and every finding has its place.
 */
import { type Diagnostic, didYouMean, type Place } from '../errors.ts';
import { Cursor, WordError } from './cursor.ts';
import type { KeywordRow, Language, ParseContext, SectionRow, Word } from './language.ts';
import { Preprocessor } from './preprocessor.ts';
import { columnsOf, decodeText } from './text.ts';
import { splitWords } from './words.ts';

/** A file as it was read: latin1, one character a byte. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

export interface ParseOptions {
  readonly environment: Map<string, string>;
  /** Filled by the tables. */
  readonly configuration: unknown;
  /** Reads a file named in the configuration, latin1; undefined when it cannot be read. */
  readFile(path: string): string | undefined;
  /** Names in a folder; undefined when it is none. */
  readDir?(path: string): readonly string[] | undefined;
  /** A row with `support: 'noted'` was used. */
  note(row: KeywordRow, place: Place): void;
  /** `-dD`. */
  readonly diagnosticMode?: boolean;
}

export interface ParseOutcome {
  /** In the order of the files. */
  readonly diagnostics: readonly Diagnostic[];
  /** Texts by file name, for excerpts. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Words beyond this are refused, as HAProxy does. */
const MAX_WORDS = 64;
/** U+FEFF in UTF-8: editors write it, nobody sees it. */
const BYTE_ORDER_MARK = '\xef\xbb\xbf';

export function parseFiles(
  files: readonly SourceFile[],
  language: Language,
  options: ParseOptions,
): ParseOutcome {
  const parser = new Parser(language, options);
  for (const file of files) parser.file(file);
  return parser.finish();
}

class Parser {
  readonly #options: ParseOptions;
  readonly #language: Language;
  readonly #tables = new Map<SectionRow, KeywordTable>();
  readonly #diagnostics: Diagnostic[] = [];
  readonly #sources = new Map<string, string>();
  readonly #later: (() => void)[] = [];
  readonly #context: Mutable<ParseContext>;
  #section: { row: SectionRow; draft: unknown; name: string; place: Place } | undefined;
  /** Inside of a section that was refused as a whole: its lines say nothing. */
  #skipping = false;

  constructor(language: Language, options: ParseOptions) {
    this.#language = language;
    this.#options = options;
    this.#context = {
      place: { file: '', line: 1, column: 1 },
      configuration: options.configuration,
      environment: options.environment,
      readFile: options.readFile,
      readDir: options.readDir,
      later: (check) => this.#later.push(check),
      report: (severity, message, place, hint) => this.#report({ severity, message, place, hint }),
    };
  }

  file({ name, text: whole }: SourceFile): void {
    const text = whole.startsWith(BYTE_ORDER_MARK) ? whole.slice(BYTE_ORDER_MARK.length) : whole;
    const decoded = decodeText(text);
    const isUtf8 = decoded !== text;
    this.#sources.set(name, decoded);
    this.#closeSection();
    this.#skipping = false;
    const report = (diagnostic: Diagnostic) => this.#report(diagnostic);
    if (text !== whole)
      this.#report({
        severity: 'error',
        message: 'the file begins with a byte order mark, which HAProxy does not read',
        place: { file: name, line: 1, column: 1 },
        hint: "remove it: save the file as 'UTF-8 without BOM'",
      });
    const { environment, diagnosticMode } = this.#options;
    const blocks = new Preprocessor(this.#language.predicates, environment, report, diagnosticMode);
    const lines = text.split('\n');
    const last = lines.pop()!;
    for (const [index, line] of lines.entries()) {
      this.#line({ file: name, line: index + 1, isUtf8, text: line }, blocks);
    }
    if (last !== '') {
      const place: LineText = { file: name, line: lines.length + 1, isUtf8, text: last };
      this.#line(place, blocks);
      this.#report({
        severity: 'error',
        message: 'the last line has no line end: the file may have been cut off',
        place: placeAt(place, last.length, last.length),
        hint: 'end the file with a newline',
      });
    }
    blocks.end();
  }

  finish(): ParseOutcome {
    this.#closeSection();
    for (const check of this.#later) this.#guard(check);
    this.#guard(() => this.#language.finish?.(this.#context));
    const order = new Map([...this.#sources.keys()].map((file, index) => [file, index]));
    const rank = (d: Diagnostic) =>
      d.place === undefined ? order.size : (order.get(d.place.file) ?? order.size);
    const diagnostics = this.#diagnostics.toSorted(
      (a, b) =>
        rank(a) - rank(b) ||
        (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
        (a.place?.column ?? 0) - (b.place?.column ?? 0),
    );
    return { diagnostics, sources: this.#sources };
  }

  #line(line: LineText, blocks: Preprocessor): void {
    const { words: raw, problem } = splitWords(line.text, (name) => this.#lookup(name, line));
    if (problem !== undefined) {
      const place = placeAt(line, problem.at, problem.at + 1);
      this.#report({ severity: 'error', message: problem.message, place, hint: problem.hint });
      return;
    }
    if (raw.length === 0) return;
    const column = columnsOf(line.text, line.isUtf8);
    const words: Word[] = raw.map(({ text, start, end }) => ({
      text,
      place: { file: line.file, line: line.line, column: column(start), length: column(end) - column(start) },
    }));
    if (words.length > MAX_WORDS) {
      const message = `more than ${MAX_WORDS} words in one line`;
      this.#report({ severity: 'error', message, place: words[MAX_WORDS]!.place });
    } else if (words[0]!.text.startsWith('.')) blocks.line(words);
    else if (blocks.active) this.#guard(() => this.#statement(words));
  }

  #statement(words: readonly Word[]): void {
    const first = words[0]!;
    this.#context.place = first.place;
    const section = this.#language.sections.find((row) => row.keyword === first.text);
    if (section !== undefined) this.#openSection(section, words);
    else if (this.#language.unsupported.some((row) => row.section === '' && row.keyword === first.text)) {
      this.#closeSection();
      this.#skipping = true;
      throw new WordError(`section '${first.text}' is not supported by this engine yet`, first.place);
    } else if (this.#section !== undefined) this.#keyword(words, this.#section.row, this.#section.draft);
    else if (!this.#skipping) {
      const names = this.#language.sections.map((row) => row.keyword);
      const hint = didYouMean(first.text, names) ?? `a section starts with ${names.join(', ')}`;
      throw new WordError(`'${first.text}' stands before any section`, first.place, hint);
    }
  }

  #openSection(row: SectionRow, words: readonly Word[]): void {
    this.#closeSection();
    this.#context.place = words[0]!.place;
    this.#skipping = true;
    const draft = row.open(new Cursor(words, 1, row.keyword), this.#context);
    this.#skipping = false;
    this.#section = { row, draft, name: words[1]?.text ?? row.keyword, place: words[0]!.place };
  }

  #closeSection(): void {
    const section = this.#section;
    this.#section = undefined;
    if (section === undefined) return;
    this.#context.place = section.place;
    this.#guard(() => section.row.close?.(section.draft, this.#context));
  }

  #keyword(words: readonly Word[], section: SectionRow, draft: unknown): void {
    const table: KeywordTable = this.#table(section);
    const how = words[0]!.text;
    const negated = (how === 'no' || how === 'default') && words.length > 1 ? how : undefined;
    const from = negated === undefined ? 0 : 1;
    const found = table.find(words, from);
    if (found === undefined) table.refuse(words, from);
    const { row, length } = found;
    const cursor = new Cursor(words, from + length, row.keyword);
    if (negated !== undefined) {
      if (row.without === undefined)
        throw new WordError(`'${negated}' is not possible for '${row.keyword}'`, words[0]!.place);
      row.without(cursor, draft, this.#context, negated);
    } else row.parse(cursor, draft, this.#context);
    for (const warning of cursor.warnings) this.#report(warning);
    if (row.support === 'noted') this.#options.note(row, words[0]!.place);
  }

  #table(section: SectionRow): KeywordTable {
    const known = this.#tables.get(section);
    if (known !== undefined) return known;
    const table = new KeywordTable(section, this.#language);
    this.#tables.set(section, table);
    return table;
  }

  /** Pseudo-variables of section 2.3, then the environment. */
  #lookup(name: string, line: LineText): string | undefined {
    if (name === '.FILE') return line.file;
    if (name === '.LINE') return String(line.line);
    if (name === '.SECTION') return this.#section?.name ?? '';
    return this.#options.environment.get(name);
  }

  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof WordError)) throw error;
      this.#report(error.diagnostic);
    }
  }

  /** Words are bytes; what is shown is text. */
  #report({ message, hint, ...rest }: Diagnostic): void {
    this.#diagnostics.push({ ...rest, message: decodeText(message), hint: hint && decodeText(hint) });
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface LineText {
  readonly file: string;
  readonly line: number;
  readonly isUtf8: boolean;
  readonly text: string;
}

function placeAt(line: LineText, start: number, end: number): Place {
  const column = columnsOf(line.text, line.isUtf8);
  return {
    file: line.file,
    line: line.line,
    column: column(start),
    length: Math.max(1, column(end) - column(start)),
  };
}

/** The keywords of one section, found by their first words: the longest name wins (`stats http-request` over `stats`). */
class KeywordTable {
  readonly #section: SectionRow;
  readonly #rows = new Map<string, KeywordRow>();
  readonly #unsupported: ReadonlySet<string>;
  readonly #sections: readonly SectionRow[];

  constructor(section: SectionRow, language: Language) {
    this.#section = section;
    this.#sections = language.sections;
    for (const row of section.keywords) this.#rows.set(row.keyword, row);
    this.#unsupported = new Set(
      language.unsupported.filter((row) => row.section === section.keyword).map((row) => row.keyword),
    );
  }

  find(words: readonly Word[], from: number): { row: KeywordRow; length: number } | undefined {
    for (let length = MAX_KEYWORD; length > 0; length--) {
      const row = this.#rows.get(joined(words, from, length));
      // A shorter name must not hide a longer one that is known but not supported.
      if (row !== undefined) return { row, length };
      if (this.#unsupported.has(joined(words, from, length))) return undefined;
    }
    return undefined;
  }

  refuse(words: readonly Word[], from: number): never {
    for (let length = MAX_KEYWORD; length > 0; length--) {
      const keyword = joined(words, from, length);
      if (!this.#unsupported.has(keyword)) continue;
      throw new WordError(`'${keyword}' is not supported by this engine yet`, covering(words, from, length));
    }
    const first = words[from]!;
    const second = words[from + 1];
    const family = [...this.#rows.keys()].filter((name) => name.startsWith(`${first.text} `));
    if (family.length > 0) {
      const names = [...new Set(family.map((name) => name.slice(first.text.length + 1)))];
      if (second === undefined) {
        throw new WordError(`'${first.text}' wants one of ${names.join(', ')}`, first.place);
      }
      const hint = didYouMean(second.text, names) ?? `there are ${names.join(', ')}`;
      throw new WordError(`unknown '${first.text} ${second.text}'`, second.place, hint);
    }
    const elsewhere = this.#sections.filter((section) =>
      section.keywords.some((row) => row.keyword === first.text || row.keyword.startsWith(`${first.text} `)),
    );
    const names = [...this.#rows.keys(), ...this.#unsupported].map((name) => name.split(' ')[0]!);
    const hint =
      elsewhere.length > 0
        ? `it belongs in ${elsewhere.map((section) => `'${section.keyword}'`).join(', ')}`
        : didYouMean(first.text, new Set(names));
    throw new WordError(
      `unknown keyword '${first.text}' in section '${this.#section.keyword}'`,
      first.place,
      hint,
    );
  }
}

/** `capture request header`, `tcp-request content …`: no name has more words. */
const MAX_KEYWORD = 3;

function joined(words: readonly Word[], from: number, length: number): string {
  return words
    .slice(from, from + length)
    .map((word) => word.text)
    .join(' ');
}

function covering(words: readonly Word[], from: number, length: number): Place {
  const place = words[from]!.place;
  const last = words[Math.min(from + length, words.length) - 1]!.place;
  return { ...place, length: last.column + (last.length ?? 1) - place.column };
}
