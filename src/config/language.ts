import type { Place, Severity } from '../errors.ts';
import type { Cursor } from './cursor.ts';
import type { PredicateRow } from './predicates.ts';

/**
 * The shape of the keyword tables. `config/` knows no keyword by name: `proxy/language.ts` gathers the tables
 * and passes them in. One row declares a keyword once and feeds the parser, `did you mean`,
 * `lablb proxy keywords` and the generated page of supported keywords.
 */
export interface Language {
  readonly sections: readonly SectionRow[];
  /** What `.if` and `-cc` may ask. */
  readonly predicates: readonly PredicateRow[];
  /** Refused by name; `section` is a section's keyword, or '' for a whole section. */
  readonly unsupported: readonly UnsupportedRow[];
  /** Called once everything was read: checks across sections. */
  finish?(context: ParseContext): void;
}

/** One kind of section: `global`, `defaults`, `frontend` … */
// biome-ignore lint/suspicious/noExplicitAny: a table holds rows of several shapes, each of which knows its own.
export interface SectionRow<Draft = any> {
  readonly keyword: string;
  readonly usage: string;
  readonly doc: string;
  /** Makes or finds the draft that the lines below fill. Reads the words after the section's keyword. */
  open(words: Cursor, context: ParseContext): Draft;
  readonly keywords: readonly KeywordRow<Draft>[];
  /** Called when the section's last line was read: checks that need the whole section. */
  close?(draft: Draft, context: ParseContext): void;
}

/** One keyword of a section. `keyword` may have several words: `timeout client`, `option httplog`. */
// biome-ignore lint/suspicious/noExplicitAny: a table holds rows of several shapes, each of which knows its own.
export interface KeywordRow<Draft = any> {
  readonly keyword: string;
  /** Arguments as in the manual: `<name> [<address>]:port [param*]`. */
  readonly usage: string;
  /** One sentence in our own words. */
  readonly doc: string;
  readonly since?: string;
  /** `'noted'`: read and checked, but the engine does not act on it; it says so once, at start. */
  readonly support?: 'full' | 'noted';
  parse(words: Cursor, draft: Draft, context: ParseContext): void;
  /** `no <keyword> …` switches it off, `default <keyword> …` forgets what was said. Without it neither is allowed. */
  without?(words: Cursor, draft: Draft, context: ParseContext, how: 'no' | 'default'): void;
}

/** A keyword that HAProxy has and this engine refuses, by name, instead of calling it unknown. */
export interface UnsupportedRow {
  readonly keyword: string;
  readonly section: string;
}

/** A word of a line after quoting and environment were resolved. Latin1: one character a byte of the file. */
export interface Word {
  readonly text: string;
  readonly place: Place;
}

/** What a row's `parse` may ask for besides its words. */
export interface ParseContext {
  /** The line being read; in `close`, the line that opened the section. */
  readonly place: Place;
  /** Adds a finding; errors make the whole configuration refused once everything was read. */
  report(severity: Severity, message: string, place: Place, hint?: string): void;
  /** Queued until all files were read: references to sections that may come later. */
  later(check: () => void): void;
  /** Reads a file named in the configuration (pattern file, error file), latin1; undefined when it cannot be read. */
  readFile(path: string): string | undefined;
  /** Names in a folder that the configuration names; undefined when it is none. */
  readDir?(path: string): readonly string[] | undefined;
  /** Environment variables by name; `setenv` and its kind change it for the lines below. */
  readonly environment: Map<string, string>;
  /** The configuration being built; its type belongs to the caller's tables. */
  readonly configuration: unknown;
}
