/**
 * Expressions of the language as data: samples, ACLs, conditions, rules and log formats. Each names the table row
 * that gives it meaning; compiling turns it into one flat function of the transaction.
 */
import type { Cursor } from '../config/cursor.ts';
import type { ParseContext } from '../config/language.ts';
import type { Place } from '../errors.ts';
import type { LiveProxy } from './model.ts';
import type { Configuration, ProxySettings } from './settings.ts';
import type { Transaction } from './transaction.ts';

/**
 * A value on its way through fetch and converters. Text is latin1: one character a byte, so that nothing is lost
 * or reinterpreted. Addresses are text with type `ip`. `undefined`: there is none (the fetch failed).
 */
export type Sample = string | number | boolean | undefined;
export type SampleType = 'bool' | 'int' | 'ip' | 'str' | 'bin' | 'meth';

/** When the data that a fetch reads exists (manual, section 7.3). */
export type Phase =
  /** Always: constants and the state of the process. */
  | 'config'
  /** From the accept to the log. */
  | 'connection'
  /** While the request is treated. */
  | 'request'
  /** From the request's first byte to the log. */
  | 'transaction'
  /** While the response is treated. */
  | 'response'
  /** From the response to the log. */
  | 'outcome';

/** Where an expression stands, which says what it may read: a rule set, a log line, or one of a proxy's other keywords. */
export type Where = RuleSet | 'use_backend' | 'use-server' | 'log';

/** Looks at bytes of a message in place: [start, end) of `bytes`. */
export type BytesTest = (bytes: Uint8Array, start: number, end: number) => boolean;

export interface FetchRow {
  readonly keyword: string;
  readonly usage: string;
  readonly doc: string;
  readonly type: SampleType;
  readonly phase: Phase;
  /** Checks the arguments between the parentheses; returns a complaint, or nothing. `place` is for later findings. */
  check?(args: readonly string[], context: ParseContext, place: Place): string | undefined;
  /** Reads what compiling needs besides the arguments (an environment variable). */
  prepare?(args: readonly string[], context: ParseContext): unknown;
  compile(args: readonly string[], env: CompileEnv, prepared?: unknown): (tx: Transaction) => Sample;
  /** Fetches with several values (`hdr`): all of them, for ACLs, which match any. */
  compileAll?(args: readonly string[], env: CompileEnv): (tx: Transaction) => readonly Sample[];
  /** The quick way for ACLs on text: shows each value to the test without making strings, until one passes. */
  compileBytes?(args: readonly string[], env: CompileEnv, test: BytesTest): (tx: Transaction) => boolean;
}

export interface ConverterRow {
  readonly keyword: string;
  readonly usage: string;
  readonly doc: string;
  readonly input: SampleType | 'any';
  readonly output: SampleType;
  check?(args: readonly string[], context: ParseContext): string | undefined;
  /** Reads what compiling needs besides the arguments (a map's file); throws an Error with the complaint. */
  prepare?(args: readonly string[], context: ParseContext): unknown;
  compile(
    args: readonly string[],
    env: CompileEnv,
    prepared: unknown,
  ): (value: Sample, tx: Transaction) => Sample;
}

/** `hdr(host,-1),lower`. */
export interface SampleExpression {
  readonly text: string;
  readonly place: Place;
  readonly fetch: FetchRow;
  readonly args: readonly string[];
  readonly prepared?: unknown;
  readonly converters: readonly ConverterUse[];
  readonly type: SampleType;
}

export interface ConverterUse {
  readonly row: ConverterRow;
  readonly args: readonly string[];
  readonly prepared: unknown;
}

/** How an ACL compares: `str beg end sub reg dir dom int ip bool found len bin`. */
export interface MatcherRow {
  readonly keyword: string;
  readonly doc: string;
  /** What the sample is turned into first. */
  readonly input: SampleType | 'any';
  check?(patterns: readonly string[]): string | undefined;
  compile(patterns: readonly string[], options: { ignoreCase: boolean }): (value: Sample) => boolean;
  /** The same on bytes in place, where that is quicker. */
  compileBytes?(patterns: readonly string[], options: { ignoreCase: boolean }): BytesTest | undefined;
}

/** One `acl` line, or one anonymous `{ … }`. */
export interface AclTest {
  readonly text: string;
  readonly place: Place;
  readonly expression: SampleExpression;
  readonly matcher: MatcherRow;
  readonly patterns: readonly string[];
  readonly ignoreCase: boolean;
}

/** `if A B || !C { path /x }`: any of the rows, each row all of its terms. */
export interface Condition {
  readonly text: string;
  readonly place: Place;
  readonly unless: boolean;
  readonly any: readonly (readonly Term[])[];
}

/** A named ACL's lines are alternatives. */
export interface Term {
  readonly negated: boolean;
  readonly tests: readonly AclTest[];
}

/** A rule of a rule set: `http-request set-header X %[src] if local`. */
export interface Rule {
  readonly action: ActionRow;
  readonly args: unknown;
  readonly condition?: Condition;
  readonly place: Place;
}

export type RuleSet =
  | 'tcp-request connection'
  | 'tcp-request session'
  | 'tcp-request content'
  | 'tcp-response content'
  | 'http-request'
  | 'http-response'
  | 'http-after-response'
  | 'stats http-request';

/** One action, e.g. `set-header`. The same row serves every rule set named in `sets`. */
// biome-ignore lint/suspicious/noExplicitAny: a table holds rows of several shapes, each of which knows its own.
export interface ActionRow<Args = any> {
  readonly keyword: string;
  readonly usage: string;
  readonly doc: string;
  readonly since?: string;
  readonly sets: readonly RuleSet[];
  /** Reads the words after the keyword, up to but without `if`/`unless`. */
  parse(words: Cursor, context: ParseContext, proxy: ProxySettings, set: RuleSet): Args;
  compile(args: Args, env: CompileEnv, set: RuleSet): (tx: Transaction) => Verdict;
}

/**
 * What a rule says about the rules after it. `next`: go on. `stop`: the rule set ends, the transaction goes on
 * (`allow`, `accept`). `done`: `tx.reply` holds the answer; nothing is forwarded. `wait`: more bytes are needed
 * (until the inspect delay is over). `close`: end the connection without a word (`reject`, `silent-drop`).
 */
export const VERDICT = { next: 0, stop: 1, done: 2, wait: 3, close: 4 } as const;
export type Verdict = (typeof VERDICT)[keyof typeof VERDICT];

/** What compiling may ask for. */
export interface CompileEnv {
  readonly configuration: Configuration;
  /** The proxy that the expression stands in. */
  readonly proxy: ProxySettings;
  /** What `hdr`, `cookie` and the like read: the response in response rules. Absent means the request. */
  readonly side?: 'request' | 'response';
  /** What runs, for `nbsrv` and the like: asked when a transaction is there, not yet while compiling. */
  running(): LiveProxy;
}

/** `%ci [%tr] "%[src] %{+Q}r"` as a list of pieces. */
export interface LogFormat {
  readonly text: string;
  readonly place: Place;
  readonly pieces: readonly LogPiece[];
}

export type LogPiece =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'field';
      readonly row: LogFieldRow;
      readonly flags: LogFlags;
      readonly argument?: string;
    }
  | { readonly kind: 'sample'; readonly expression: SampleExpression; readonly flags: LogFlags };

/** `%{+Q,+E,+X}…`: quoted, escaped, hexadecimal. */
export interface LogFlags {
  readonly quote: boolean;
  readonly escape: boolean;
  readonly hex: boolean;
}

/** One log variable, `%ci` (manual, section 8.2.4). */
export interface LogFieldRow {
  readonly keyword: string;
  readonly doc: string;
  /** Which flags do something: text and addresses are quoted, numbers and addresses turn hexadecimal. */
  readonly type: 'text' | 'number' | 'address' | 'date' | 'list';
  readonly mode: 'any' | 'http';
  /** Undefined: there is none (`-` in log lines). */
  compile(env: CompileEnv, flags: LogFlags): (tx: Transaction) => string | number | undefined;
}
