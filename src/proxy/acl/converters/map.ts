/** `map` and its kind: look a value up in a file of two columns (manual, section 7.3.1). */
import type { ParseContext } from '../../../config/language.ts';
import type { ConverterRow, MatcherRow, Sample, SampleType } from '../../expressions.ts';
import { formatAddress, isInNetwork, type Network, parseAddress, parseNetwork } from '../address.ts';
import { MATCHERS } from '../matchers.ts';
import { compileRegex, compileReplacement } from '../regex.ts';

/** One line of a map file. */
interface Entry {
  readonly key: string;
  readonly value: string;
}

type Lookup = (value: Sample) => string | undefined;

const BY: readonly {
  readonly name: string;
  readonly input: SampleType;
  compile(entries: readonly Entry[]): Lookup;
}[] = [
  { name: 'str', input: 'str', compile: exactly },
  { name: 'beg', input: 'str', compile: longestPrefix },
  ...['sub', 'end', 'dir', 'dom', 'reg', 'len'].map((name) => ({
    name,
    input: 'str' as const,
    compile: (entries: readonly Entry[]) => firstThatMatches(entries, name),
  })),
  { name: 'int', input: 'int', compile: (entries) => firstThatMatches(entries, 'int') },
  { name: 'ip', input: 'ip', compile: smallestNetwork },
];

const INTO: readonly { readonly suffix: string; readonly type: SampleType; convert(text: string): Sample }[] =
  [
    { suffix: '', type: 'str', convert: (text) => text },
    { suffix: '_str', type: 'str', convert: (text) => text },
    { suffix: '_int', type: 'int', convert: (text) => (/^-?\d+$/.test(text) ? Number(text) : undefined) },
    {
      suffix: '_ip',
      type: 'ip',
      convert: (text) => {
        const address = parseAddress(text);
        return address && formatAddress(address);
      },
    },
  ];

export const MAP_CONVERTERS: readonly ConverterRow[] = [
  row('map', 'str', INTO[0]!, exactly),
  ...BY.flatMap((by) => INTO.map((into) => row(`map_${by.name}${into.suffix}`, by.input, into, by.compile))),
  row('map_regm', 'str', INTO[0]!, regexWithGroups),
];

function row(
  keyword: string,
  input: SampleType,
  into: (typeof INTO)[number],
  compile: (entries: readonly Entry[]) => Lookup,
): ConverterRow {
  return {
    keyword,
    usage: '(<file>[,<default>])',
    doc: `What a file of two columns says about the value, as ${into.type === 'int' ? 'a number' : into.type === 'ip' ? 'an address' : 'text'}.`,
    input,
    output: into.type,
    check: ([file, fallback, more]) => {
      if (file === undefined || more !== undefined) return 'wants a file and a default';
      return fallback !== undefined && into.convert(fallback) === undefined
        ? `the default '${fallback}' is not of the type that ${keyword} gives`
        : undefined;
    },
    // Compiling the look-up here refuses bad keys while there is a place to name.
    prepare: ([file], context) => compile(readMap(file!, context)),
    compile: ([, fallback], _env, prepared) => {
      const find = prepared as Lookup;
      const otherwise = fallback === undefined ? undefined : into.convert(fallback);
      return (value) => {
        const text = find(value);
        return text === undefined ? otherwise : into.convert(text);
      };
    },
  };
}

/** Lines of `key value`; empty ones and those that begin with `#` are left out. */
function parseMap(content: string): Entry[] {
  const entries: Entry[] = [];
  for (const line of content.split(/\r?\n/)) {
    const match = /^[ \t]*([^# \t]\S*|#(?=\S)\S*)(?:[ \t]+(.*?))?[ \t]*$/.exec(line);
    if (match === null || line.startsWith('#')) continue;
    entries.push({ key: match[1]!, value: match[2] ?? '' });
  }
  return entries;
}

function readMap(file: string, context: ParseContext): Entry[] {
  const content = context.readFile(file);
  if (content === undefined) throw new Error(`the map '${file}' cannot be read`);
  return parseMap(content);
}

function exactly(entries: readonly Entry[]): Lookup {
  const values = new Map<string, string>();
  for (const { key, value } of entries) if (!values.has(key)) values.set(key, value);
  return (value) => values.get(value as string);
}

function longestPrefix(entries: readonly Entry[]): Lookup {
  const sorted = [...entries].sort((a, b) => b.key.length - a.key.length);
  return (value) => sorted.find(({ key }) => (value as string).startsWith(key))?.value;
}

function smallestNetwork(entries: readonly Entry[]): Lookup {
  const networks: { network: Network; value: string; bits: number }[] = entries.map(({ key, value }) => {
    const network = parseNetwork(key);
    if (network === undefined) throw new Error(`'${key}' is not an address or a network`);
    return { network, value, bits: network.mask.reduce((sum, word) => sum + bitCount(word), 0) };
  });
  networks.sort((a, b) => b.bits - a.bits);
  return (value) => {
    const address = parseAddress(value as string);
    return address && networks.find(({ network }) => isInNetwork(address, network))?.value;
  };
}

function firstThatMatches(entries: readonly Entry[], name: string): Lookup {
  const matcher = MATCHERS.find((m) => m.keyword === name) as MatcherRow;
  const tests = entries.map(({ key, value }) => {
    const complaint = matcher.check?.([key]);
    if (complaint !== undefined) throw new Error(complaint);
    return { test: matcher.compile([key], { ignoreCase: false }), value };
  });
  return (value) => tests.find(({ test }) => test(value))?.value;
}

/** The value may name groups of the key: `\1`. */
function regexWithGroups(entries: readonly Entry[]): Lookup {
  const tests = entries.map(({ key, value }) => ({
    regex: compileRegex(key),
    make: compileReplacement(value),
  }));
  return (value) => {
    for (const { regex, make } of tests) {
      const match = regex.exec(value as string);
      if (match !== null) return make(match);
    }
    return undefined;
  };
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
