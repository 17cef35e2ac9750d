/** Binds the grammars of samples and conditions to the tables of fetches, converters and matchers. */

import { readCondition } from '../../config/condition.ts';
import { Cursor, WordError } from '../../config/cursor.ts';
import { type Call, GrammarError, readCalls } from '../../config/expression.ts';
import type { ParseContext, Word } from '../../config/language.ts';
import { didYouMean, type Place } from '../../errors.ts';
import type {
  AclTest,
  Condition,
  ConverterUse,
  FetchRow,
  MatcherRow,
  Phase,
  SampleExpression,
  Term,
  Where,
} from '../expressions.ts';
import type { ProxySettings } from '../settings.ts';
import { CONVERTER_BY_NAME, UNSUPPORTED_CONVERTERS } from './converters.ts';
import { ACL_KEYWORD_BY_NAME, FETCH_BY_NAME, PREDEFINED_ACLS, UNSUPPORTED_FETCHES } from './fetches.ts';
import { MATCHERS, takesPatterns, VERSION_MATCHER } from './matchers.ts';
import { castOf } from './values.ts';

/**
 * The words of an `acl` line after its name, or what stands between the braces: all that is left of the cursor.
 * `where` says what may be read there; without it anything may.
 */
export function parseAclTest(
  words: Cursor,
  context: ParseContext,
  _proxy: ProxySettings,
  where?: Where,
): AclTest {
  const from = words.position;
  const word = words.take('a fetch');
  const calls = readWord(word, word.text);
  const { fetch, matcher: own } = bindAclKeyword(calls[0]!, word);
  const expression = bindCalls(calls, word, word.text, context, fetch);
  const flags = readFlags(words, context);
  const matcher = chooseMatcher(words, word, expression, own, flags.matcher);
  const patterns = [...flags.patterns, ...words.rest().map((w) => w.text)];
  checkPatterns(words, word, matcher, patterns, flags.fromFile, context);
  if (where !== undefined) warnWhenNeverThere(expression, where, context);
  const text = words.words.slice(from).map((w) => w.text);
  return {
    text: text.join(' '),
    place: word.place,
    expression,
    matcher,
    patterns,
    // Methods are case-sensitive (RFC 9110, section 9.1).
    ignoreCase: flags.ignoreCase && expression.type !== 'meth',
  };
}

/** One sample expression that fills a whole word: `hdr(host,-1),lower`. Refused when `where` cannot read it. */
export function parseSample(word: Word, context: ParseContext, where?: Where): SampleExpression {
  const calls = readWord(word, word.text);
  const expression = bindSample(calls, word, word.text, context);
  if (where !== undefined) refuseWhenNeverThere(expression, where);
  return expression;
}

/** A sample expression with its converters in the words after it, as HAProxy also takes them: `src ipmask(24)`. */
export function takeSample(words: Cursor, context: ParseContext, where?: Where): SampleExpression {
  const first = words.take('a sample expression');
  const calls = readWord(first, first.text);
  let text = first.text;
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    const name = /^[\w.-]+/.exec(word.text)?.[0] ?? '';
    if (!CONVERTER_BY_NAME.has(name)) break;
    calls.push(...readWord(word, word.text));
    text += `,${word.text}`;
    words.position++;
  }
  const expression = bindSample(calls, first, text, context);
  if (where !== undefined) refuseWhenNeverThere(expression, where);
  return expression;
}

/** Calls that a grammar already read (a log format's `%[…]`), bound to the tables. */
export function bindSample(
  calls: readonly Call[],
  word: Word,
  text: string,
  context: ParseContext,
  where?: Where,
): SampleExpression {
  const [first] = calls;
  const fetch = FETCH_BY_NAME.get(first!.name);
  if (fetch === undefined) unknownFetch(first!, word);
  const expression = bindCalls(calls, word, text, context, fetch);
  if (where !== undefined) refuseWhenNeverThere(expression, where);
  return expression;
}

/** `if …` or `unless …` up to the end of the line; undefined (and nothing taken) when neither word is next. */
export function parseCondition(
  words: Cursor,
  context: ParseContext,
  proxy: ProxySettings,
  where?: Where,
): Condition | undefined {
  const read = readCondition(words);
  if (read === undefined) return undefined;
  const any = read.any.map((row) =>
    row.map((term): Term => {
      if (term.kind === 'named')
        return { negated: term.negated, tests: namedAcl(term.name, term.word, context, proxy, where) };
      const inside = new Cursor(term.words, 0, '{ }');
      return { negated: term.negated, tests: [parseAclTest(inside, context, proxy, where)] };
    }),
  );
  return { text: read.text, place: read.keyword.place, unless: read.unless, any };
}

/** Where part of a word is. When quotes or variables were resolved in it, the word itself is the best there is. */
export function placeInside(word: Word, offset: number, length = 1): Place {
  const { place, text } = word;
  if (place.length !== undefined && place.length !== text.length) return place;
  return { ...place, column: place.column + offset, length };
}

/** Turns complaints of a grammar into findings with a place. */
export function atWord<T>(word: Word, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error;
    throw new WordError(error.message, placeInside(word, error.offset, error.length), error.hint);
  }
}

/** Whether a list of names, some of which end in `*`, has a name. */
export function isListed(names: readonly string[], name: string): boolean {
  return names.some((entry) => (entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : entry === name));
}

// ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────

function readWord(word: Word, text: string): Call[] {
  return atWord(word, () => {
    const { calls, end } = readCalls(text);
    if (end < text.length)
      throw new GrammarError(`'${text.slice(end)}' does not belong here`, end, text.length - end);
    return calls;
  });
}

/** `path_beg` brings its own matcher, which counts while no converter follows. */
function bindAclKeyword(call: Call, word: Word): { fetch: FetchRow; matcher: MatcherRow | undefined } {
  const derived = ACL_KEYWORD_BY_NAME.get(call.name);
  if (derived !== undefined)
    return { fetch: FETCH_BY_NAME.get(derived.fetch)!, matcher: matcherNamed(derived.matcher) };
  const fetch = FETCH_BY_NAME.get(call.name);
  if (fetch === undefined) unknownFetch(call, word, ACL_KEYWORD_BY_NAME.keys());
  return { fetch, matcher: undefined };
}

function bindCalls(
  calls: readonly Call[],
  word: Word,
  text: string,
  context: ParseContext,
  fetch: FetchRow,
): SampleExpression {
  const [first, ...rest] = calls;
  const place = placeInside(word, first!.start, first!.end - first!.start);
  complain(fetch.check?.(first!.args, context, place), first!, place);
  let type = fetch.type;
  const converters = rest.map((call): ConverterUse => {
    const at = placeInside(word, call.start, call.end - call.start);
    const row = CONVERTER_BY_NAME.get(call.name);
    if (row === undefined) unknownConverter(call, at);
    complain(row.check?.(call.args, context), call, at);
    if (castOf(type, row.input) === undefined)
      throw new WordError(`'${call.name}' wants ${row.input}, but gets ${type} here`, at);
    // `set-var` and its kind pass on what they get.
    if (row.input !== 'any') type = row.output;
    return { row, args: call.args, prepared: prepare(row, call, context, at) };
  });
  return {
    text,
    place,
    fetch,
    args: first!.args,
    prepared: fetch.prepare?.(first!.args, context),
    converters,
    type,
  };
}

function prepare(row: ConverterUse['row'], call: Call, context: ParseContext, place: Place): unknown {
  try {
    return row.prepare?.(call.args, context);
  } catch (error) {
    throw new WordError(`${call.name}: ${(error as Error).message}`, place);
  }
}

function complain(complaint: string | undefined, call: Call, place: Place): void {
  if (complaint !== undefined) throw new WordError(`${call.name}: ${complaint}`, place);
}

function unknownFetch(call: Call, word: Word, more: Iterable<string> = []): never {
  const place = placeInside(word, call.start, call.name.length);
  if (isListed(UNSUPPORTED_FETCHES, call.name))
    throw new WordError(`fetch '${call.name}' is not supported by this engine yet`, place);
  const acl = ACL_KEYWORD_BY_NAME.get(call.name);
  if (acl !== undefined)
    throw new WordError(`'${call.name}' can only be used in ACLs`, place, `write '${acl.fetch}' here`);
  throw new WordError(
    `unknown fetch '${call.name}'`,
    place,
    didYouMean(call.name, [...FETCH_BY_NAME.keys(), ...more]),
  );
}

function unknownConverter(call: Call, place: Place): never {
  if (isListed(UNSUPPORTED_CONVERTERS, call.name))
    throw new WordError(`converter '${call.name}' is not supported by this engine yet`, place);
  throw new WordError(
    `unknown converter '${call.name}'`,
    place,
    didYouMean(call.name, CONVERTER_BY_NAME.keys()),
  );
}

// ── ACLs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

interface AclFlags {
  ignoreCase: boolean;
  matcher: MatcherRow | undefined;
  /** From `-f` files, before the words. */
  patterns: string[];
  fromFile: boolean;
}

function readFlags(words: Cursor, context: ParseContext): AclFlags {
  const flags: AclFlags = { ignoreCase: false, matcher: undefined, patterns: [], fromFile: false };
  for (let word = words.peek(); word?.text.startsWith('-') === true; word = words.peek()) {
    if (word.text === '--') {
      words.position++;
      break;
    }
    const read = FLAGS[word.text];
    if (read === undefined) {
      // A negative number is a pattern.
      if (/^-\d/.test(word.text)) break;
      words.fail(
        `unknown flag '${word.text}' of an ACL`,
        word,
        "flags are -i -f -m -n -M -u; '--' ends them",
      );
    }
    words.position++;
    read(words, flags, context);
  }
  return flags;
}

const FLAGS: Record<string, (words: Cursor, flags: AclFlags, context: ParseContext) => void> = {
  '-i': (words, flags, context) => {
    if (flags.fromFile)
      context.report(
        'warning',
        "'-i' after '-f' holds for the file as well",
        words.words[words.position - 1]!.place,
      );
    flags.ignoreCase = true;
  },
  '-m': (words, flags) => {
    flags.matcher = words.oneOf('matching method', MATCHERS);
  },
  '-f': (words, flags, context) => {
    const file = words.take('a file of patterns');
    const content = context.readFile(file.text);
    if (content === undefined) return words.fail(`the file '${file.text}' cannot be read`, file);
    flags.patterns.push(...patternLines(content));
    flags.fromFile = true;
  },
  '-n': () => {},
  '-M': (words) => words.fail("'-M' is not supported by this engine yet"),
  '-u': (words) => void words.integer('an id'),
};

/** Every line is a pattern, but for empty ones and comments; spaces before it do not count. */
function patternLines(content: string): string[] {
  return content
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/^[ \t]+/, ''))
    .filter((line) => line !== '');
}

function chooseMatcher(
  words: Cursor,
  word: Word,
  expression: SampleExpression,
  own: MatcherRow | undefined,
  asked: MatcherRow | undefined,
): MatcherRow {
  const matcher =
    asked ?? (expression.converters.length === 0 ? own : undefined) ?? DEFAULT_MATCHER[expression.type];
  if (matcher === undefined)
    words.fail(
      `'${word.text}' gives bytes: say how to compare them`,
      word,
      'add -m str, -m beg, -m bin, -m found …',
    );
  if (castOf(expression.type, matcher.input) === undefined)
    words.fail(`-m ${matcher.keyword} cannot compare what '${word.text}' gives (${expression.type})`, word);
  return matcher;
}

function checkPatterns(
  words: Cursor,
  word: Word,
  matcher: MatcherRow,
  patterns: readonly string[],
  fromFile: boolean,
  context: ParseContext,
): void {
  if (!takesPatterns(matcher)) return;
  if (patterns.length === 0 && !fromFile)
    context.report('warning', `'${word.text}' compares with nothing, so it never matches`, word.place);
  const complaint = matcher.check?.(patterns);
  if (complaint === undefined) return;
  const at = words.words.find((w) => complaint.startsWith(`'${w.text}'`)) ?? word;
  words.fail(complaint, at);
}

function matcherNamed(name: string): MatcherRow {
  return name === 'ver' ? VERSION_MATCHER : MATCHERS.find((row) => row.keyword === name)!;
}

const DEFAULT_MATCHER: Partial<Record<SampleExpression['type'], MatcherRow>> = {
  bool: matcherNamed('bool'),
  int: matcherNamed('int'),
  ip: matcherNamed('ip'),
  str: matcherNamed('str'),
  meth: matcherNamed('str'),
};

/** The proxy's own list (so that later lines of the same name count), or a predefined ACL. */
function namedAcl(
  name: string,
  word: Word,
  context: ParseContext,
  proxy: ProxySettings,
  where: Where | undefined,
): readonly AclTest[] {
  const declared = proxy.acls.get(name);
  if (declared !== undefined) {
    if (where !== undefined)
      for (const test of declared) warnWhenNeverThere(test.expression, where, context, word);
    return declared;
  }
  const predefined = PREDEFINED_ACLS.get(name);
  if (predefined !== undefined) {
    const words = predefined.split(' ').map((text) => ({ text, place: word.place }));
    return [parseAclTest(new Cursor(words, 0, name), context, proxy)];
  }
  throw new WordError(
    `no ACL '${name}' is declared above`,
    word.place,
    name === 'RDP_COOKIE'
      ? 'it is not supported by this engine yet'
      : didYouMean(name, [...proxy.acls.keys(), ...PREDEFINED_ACLS.keys()]),
  );
}

// ── when things can be read ──────────────────────────────────────────────────────────────────────────────────────

const REQUEST_SIDE: readonly Phase[] = ['config', 'connection', 'request', 'transaction'];
const RESPONSE_SIDE: readonly Phase[] = ['config', 'connection', 'transaction', 'response', 'outcome'];

const READABLE: Record<Where, readonly Phase[]> = {
  'tcp-request connection': ['config', 'connection'],
  'tcp-request session': ['config', 'connection'],
  'tcp-request content': REQUEST_SIDE,
  'http-request': REQUEST_SIDE,
  'stats http-request': REQUEST_SIDE,
  use_backend: REQUEST_SIDE,
  'use-server': REQUEST_SIDE,
  'tcp-response content': RESPONSE_SIDE,
  'http-response': RESPONSE_SIDE,
  'http-after-response': RESPONSE_SIDE,
  log: ['config', 'connection', 'transaction', 'outcome'],
};

function refuseWhenNeverThere(expression: SampleExpression, where: Where): void {
  if (READABLE[where].includes(expression.fetch.phase)) return;
  throw new WordError(
    `'${expression.fetch.keyword}' cannot be read in ${PLACE_NAMES[where] ?? `'${where}' rules`}`,
    expression.place,
    keepHint(expression, where),
  );
}

/** HAProxy takes such an ACL and warns that it will never match. */
function warnWhenNeverThere(
  expression: SampleExpression,
  where: Where,
  context: ParseContext,
  word?: Word,
): void {
  if (READABLE[where].includes(expression.fetch.phase)) return;
  context.report(
    'warning',
    `${word === undefined ? `'${expression.text}'` : `ACL '${word.text}'`} never matches in ${PLACE_NAMES[where] ?? `'${where}' rules`}: '${expression.fetch.keyword}' cannot be read there`,
    word?.place ?? expression.place,
    keepHint(expression, where),
  );
}

const PLACE_NAMES: Partial<Record<Where, string>> = { log: 'log lines' };

function keepHint(expression: SampleExpression, where: Where): string | undefined {
  return expression.fetch.phase === 'request' && (where === 'log' || RESPONSE_SIDE === READABLE[where])
    ? 'keep it with http-request set-var(txn.x) or capture'
    : undefined;
}
