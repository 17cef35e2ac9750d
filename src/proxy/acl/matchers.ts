/**
 * How ACLs compare (HAProxy manual, section 7.1): a row a method. Text is compared byte by byte; `-i` folds ASCII
 * letters only. The methods on text also come as tests on bytes in place, which hot ACLs use.
 */
import type { BytesTest, MatcherRow, Sample } from '../expressions.ts';
import { isInNetwork, parseAddress, parseNetwork } from './address.ts';
import { checkRegex, compileRegex } from './regex.ts';

export const MATCHERS: readonly MatcherRow[] = [
  {
    keyword: 'str',
    doc: 'The text equals a pattern.',
    input: 'str',
    compile: (patterns, { ignoreCase }) => {
      const wanted = new Set(fold(patterns, ignoreCase));
      if (ignoreCase) return (value) => wanted.has((value as string).toLowerCase());
      return (value) => wanted.has(value as string);
    },
    // Beyond some patterns a set of strings is quicker than comparing one after the other.
    compileBytes: (patterns, options) =>
      patterns.length > 16 ? undefined : anyBytes(patterns, options, equalBytes),
  },
  {
    keyword: 'beg',
    doc: 'The text begins with a pattern.',
    input: 'str',
    compile: textTest((value, pattern) => value.startsWith(pattern)),
    compileBytes: (patterns, options) => anyBytes(patterns, options, beginBytes),
  },
  {
    keyword: 'end',
    doc: 'The text ends with a pattern.',
    input: 'str',
    compile: textTest((value, pattern) => value.endsWith(pattern)),
    compileBytes: (patterns, options) => anyBytes(patterns, options, endBytes),
  },
  {
    keyword: 'sub',
    doc: 'A pattern is somewhere in the text.',
    input: 'str',
    compile: textTest((value, pattern) => value.includes(pattern)),
  },
  {
    keyword: 'dir',
    doc: 'A part of the text between slashes equals a pattern.',
    input: 'str',
    compile: partTest('/'),
  },
  {
    keyword: 'dom',
    doc: 'A part of the text between dots, slashes, colons or question marks equals a pattern.',
    input: 'str',
    compile: partTest('/?.:'),
  },
  {
    keyword: 'reg',
    doc: 'The text matches a regular expression.',
    input: 'str',
    check: firstComplaint(checkRegex),
    compile: (patterns, options) => {
      const expressions = patterns.map((pattern) => compileRegex(pattern, options));
      return (value) => {
        for (const expression of expressions) if (expression.test(value as string)) return true;
        return false;
      };
    },
  },
  {
    keyword: 'len',
    doc: 'The length of the text is a number, in a range, or compares with one.',
    input: 'str',
    check: (patterns) => rangesOf(patterns).complaint,
    compile: (patterns) => {
      const test = rangeTest(patterns);
      return (value) => test((value as string).length);
    },
    compileBytes: (patterns) => {
      const test = rangeTest(patterns);
      return (_bytes, start, end) => test(end - start);
    },
  },
  {
    keyword: 'int',
    doc: 'The number equals a pattern, is in a range (1024:, 0:1023), or compares with it (eq ge gt le lt).',
    input: 'int',
    check: (patterns) => rangesOf(patterns).complaint,
    compile: (patterns) => {
      const test = rangeTest(patterns);
      return (value) => test(value as number);
    },
  },
  {
    keyword: 'ip',
    doc: 'The address is a pattern or in its network (10.0.0.0/8, 2001:db8::/32).',
    input: 'ip',
    check: firstComplaint((pattern) =>
      parseNetwork(pattern) === undefined ? `'${pattern}' is not an address or a network` : undefined,
    ),
    compile: (patterns) => {
      const networks = patterns.map((pattern) => parseNetwork(pattern)!);
      return (value) => {
        const address = parseAddress(value as string);
        if (address === undefined) return false;
        for (const network of networks) if (isInNetwork(address, network)) return true;
        return false;
      };
    },
  },
  {
    keyword: 'bool',
    doc: 'The value is true, or a number other than 0; takes no pattern.',
    input: 'bool',
    compile: () => (value) => value === true,
  },
  {
    keyword: 'found',
    doc: 'There is a value, whatever it is; takes no pattern.',
    input: 'any',
    compile: () => () => true,
    compileBytes: () => () => true,
  },
  {
    keyword: 'bin',
    doc: 'The bytes equal a pattern written in hexadecimal.',
    input: 'bin',
    check: firstComplaint((pattern) =>
      /^([0-9a-fA-F]{2})+$/.test(pattern)
        ? undefined
        : `'${pattern}' is not an even number of hexadecimal digits`,
    ),
    compile: (patterns) => {
      const wanted = new Set(patterns.map((pattern) => Buffer.from(pattern, 'hex').toString('latin1')));
      return (value) => wanted.has(value as string);
    },
  },
];

/** Compares versions `major.minor` as `major << 16 | minor`, for `req.ssl_ver` and the like. */
export const VERSION_MATCHER: MatcherRow = {
  keyword: 'ver',
  doc: 'The version is a number major.minor, in a range (3:3.1), or compares with one.',
  input: 'int',
  check: (patterns) => rangesOf(patterns, parseVersion).complaint,
  compile: (patterns) => {
    const test = rangeTest(patterns, parseVersion);
    return (value) => test(value as number);
  },
};

/** Whether a method looks at patterns at all. */
export function takesPatterns(matcher: MatcherRow): boolean {
  return matcher.keyword !== 'bool' && matcher.keyword !== 'found';
}

// ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface Range {
  readonly min: number;
  readonly max: number;
}

type ParseBound = (text: string) => number | undefined;

const OPERATORS: Record<string, (value: number) => Range> = {
  eq: (value) => ({ min: value, max: value }),
  ge: (value) => ({ min: value, max: Number.POSITIVE_INFINITY }),
  gt: (value) => ({ min: value + 1, max: Number.POSITIVE_INFINITY }),
  le: (value) => ({ min: Number.NEGATIVE_INFINITY, max: value }),
  lt: (value) => ({ min: Number.NEGATIVE_INFINITY, max: value - 1 }),
};

/** An operator holds for the patterns after it, up to the next one. */
function rangesOf(patterns: readonly string[], parse: ParseBound = parseInteger) {
  const ranges: Range[] = [];
  let operator = 'eq';
  for (const pattern of patterns) {
    if (OPERATORS[pattern] !== undefined) {
      operator = pattern;
      continue;
    }
    const [low, high, more] = pattern.split(':');
    const min = low === '' && high !== undefined ? Number.NEGATIVE_INFINITY : parse(low!);
    const max = high === undefined ? min : high === '' ? Number.POSITIVE_INFINITY : parse(high);
    if (min === undefined || max === undefined || more !== undefined)
      return { ranges, complaint: `'${pattern}' is not a number or a range (10, 1024:65535, gt 5)` };
    if (min > max) return { ranges, complaint: `the range '${pattern}' is the wrong way round` };
    if (high !== undefined && operator !== 'eq')
      return { ranges, complaint: `'${operator}' compares with a number, not with the range '${pattern}'` };
    ranges.push(high === undefined ? OPERATORS[operator]!(min) : { min, max });
  }
  return { ranges, complaint: undefined };
}

function rangeTest(patterns: readonly string[], parse?: ParseBound): (value: number) => boolean {
  const { ranges } = rangesOf(patterns, parse);
  const [first] = ranges;
  if (ranges.length === 1) return (value) => value >= first!.min && value <= first!.max;
  return (value) => {
    for (const range of ranges) if (value >= range.min && value <= range.max) return true;
    return false;
  };
}

function parseInteger(text: string): number | undefined {
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function parseVersion(text: string): number | undefined {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
  return match === null ? undefined : Number(match[1]) * 65536 + Number(match[2] ?? 0);
}

// ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function textTest(test: (value: string, pattern: string) => boolean): MatcherRow['compile'] {
  return (patterns, { ignoreCase }) => {
    const wanted = fold(patterns, ignoreCase);
    return (value: Sample) => {
      const text = ignoreCase ? (value as string).toLowerCase() : (value as string);
      for (const pattern of wanted) if (test(text, pattern)) return true;
      return false;
    };
  };
}

/** A pattern matches where it is bounded on both sides by a delimiter or an end; its own outer delimiters do not count. */
function partTest(delimiters: string): MatcherRow['compile'] {
  return (patterns, { ignoreCase }) => {
    const wanted = fold(patterns, ignoreCase).map((pattern) => trimDelimiters(pattern, delimiters));
    return (value: Sample) => {
      const text = ignoreCase ? (value as string).toLowerCase() : (value as string);
      for (const pattern of wanted) if (hasPart(text, pattern, delimiters)) return true;
      return false;
    };
  };
}

function hasPart(text: string, part: string, delimiters: string): boolean {
  if (part === '') return false;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
    const end = at + part.length;
    if (
      (at === 0 || delimiters.includes(text[at - 1]!)) &&
      (end === text.length || delimiters.includes(text[end]!))
    )
      return true;
  }
  return false;
}

function trimDelimiters(pattern: string, delimiters: string): string {
  let start = 0;
  let end = pattern.length;
  while (start < end && delimiters.includes(pattern[start]!)) start++;
  while (end > start && delimiters.includes(pattern[end - 1]!)) end--;
  return pattern.slice(start, end);
}

/** Text is latin1: lower-casing beyond ASCII happens on both sides alike. */
function fold(patterns: readonly string[], ignoreCase: boolean): readonly string[] {
  return ignoreCase ? patterns.map((pattern) => pattern.toLowerCase()) : patterns;
}

function firstComplaint(check: (pattern: string) => string | undefined): NonNullable<MatcherRow['check']> {
  return (patterns) => {
    for (const pattern of patterns) {
      const complaint = check(pattern);
      if (complaint !== undefined) return complaint;
    }
    return undefined;
  };
}

// ── bytes in place ───────────────────────────────────────────────────────────────────────────────────────────────

type Compare = (
  bytes: Uint8Array,
  start: number,
  end: number,
  pattern: Uint8Array,
  fold: Uint8Array,
) => boolean;

/** What a byte counts as: itself, or its lower case. */
const EXACT = Uint8Array.from({ length: 256 }, (_, i) => i);
const FOLDED = Uint8Array.from({ length: 256 }, (_, i) => (i >= 65 && i <= 90 ? i + 32 : i));

function anyBytes(
  patterns: readonly string[],
  options: { ignoreCase: boolean },
  compare: Compare,
): BytesTest {
  const table = options.ignoreCase ? FOLDED : EXACT;
  const wanted = patterns.map((pattern) =>
    Uint8Array.from(Buffer.from(pattern, 'latin1'), (byte) => table[byte]!),
  );
  const [first] = wanted;
  if (wanted.length === 1) return (bytes, start, end) => compare(bytes, start, end, first!, table);
  return (bytes, start, end) => {
    for (let i = 0; i < wanted.length; i++) if (compare(bytes, start, end, wanted[i]!, table)) return true;
    return false;
  };
}

function equalBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  pattern: Uint8Array,
  fold: Uint8Array,
): boolean {
  return end - start === pattern.length && sameBytes(bytes, start, pattern, fold);
}

function beginBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  pattern: Uint8Array,
  fold: Uint8Array,
): boolean {
  return end - start >= pattern.length && sameBytes(bytes, start, pattern, fold);
}

function endBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  pattern: Uint8Array,
  fold: Uint8Array,
): boolean {
  return end - start >= pattern.length && sameBytes(bytes, end - pattern.length, pattern, fold);
}

function sameBytes(bytes: Uint8Array, start: number, pattern: Uint8Array, fold: Uint8Array): boolean {
  for (let i = 0; i < pattern.length; i++) if (fold[bytes[start + i]!] !== pattern[i]) return false;
  return true;
}
