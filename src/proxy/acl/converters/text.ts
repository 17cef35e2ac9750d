/** Converters on text (manual, section 7.3.1). */
import type { ConverterRow, Sample } from '../../expressions.ts';
import type { Transaction } from '../../transaction.ts';
import { formatAddress, maskAddress, parseAddress, parseMask } from '../address.ts';
import { checkRegex, compileRegex, compileReplacement } from '../regex.ts';
import { toText } from '../values.ts';
import { checkVariable, compileGet, compileSet } from '../vars.ts';

export const TEXT_CONVERTERS: readonly ConverterRow[] = [
  simple('lower', 'Lower case.', (text) => text.toLowerCase()),
  simple('upper', 'Upper case.', (text) => text.replace(/[a-z]+/g, (run) => run.toUpperCase())),
  simple('cut_crlf', 'Up to the first end of line.', (text) => /^[^\r\n]*/.exec(text)![0]),
  simple('host_only', 'A Host header in lower case, without its port.', (text) =>
    text.toLowerCase().replace(/:\d*$/, ''),
  ),
  {
    ...simple('port_only', 'The port of a Host header, 0 when it has none.', (text) => text),
    output: 'int',
    compile: () => (value) => Number(/:(\d+)$/.exec(value as string)?.[1] ?? 0),
  },
  {
    ...simple('length', 'The number of bytes.', (text) => text),
    output: 'int',
    compile: () => (value) => (value as string).length,
  },
  trim('ltrim', 'Without the characters given at the beginning.', (text, characters) => {
    let start = 0;
    while (start < text.length && characters.includes(text[start]!)) start++;
    return text.slice(start);
  }),
  trim('rtrim', 'Without the characters given at the end.', (text, characters) => {
    let end = text.length;
    while (end > 0 && characters.includes(text[end - 1]!)) end--;
    return text.slice(0, end);
  }),
  {
    keyword: 'bytes',
    usage: '(<offset>[,<length>])',
    doc: 'Bytes from an offset on.',
    input: 'bin',
    output: 'bin',
    check: (args) =>
      args.length >= 1 && args.length <= 2 && args.every((arg) => /^\d+$/.test(arg))
        ? undefined
        : 'wants an offset and a length',
    compile: ([offset, length]) => {
      const start = Number(offset);
      const end = length === undefined ? undefined : start + Number(length);
      return (value) => (value as string).slice(start, end);
    },
  },
  pick(
    'field',
    'A part between delimiters, counted from 1, or -1 from the end; <count> parts of them.',
    true,
  ),
  pick('word', 'Like field, but parts without a character do not count.', false),
  {
    keyword: 'regsub',
    usage: '(<regex>,<replacement>[,<flags>])',
    doc: 'Replaces what a regular expression matches; flags g (all of it) and i (ignore case).',
    input: 'str',
    output: 'str',
    check: ([regex, replacement, flags = '', more]) => {
      if (regex === undefined || replacement === undefined || more !== undefined)
        return 'wants a regular expression, a replacement and flags';
      if (!/^[gi]*$/.test(flags)) return `'${flags}' are not flags of regsub (g, i)`;
      return checkRegex(regex);
    },
    compile: ([regex, replacement, flags = '']) => {
      const expression = compileRegex(regex!, { global: true, ignoreCase: flags.includes('i') });
      const make = compileReplacement(replacement!);
      return replacer(expression, make, flags.includes('g'));
    },
  },
  {
    keyword: 'concat',
    usage: '([<start>],[<variable>],[<end>])',
    doc: 'Appends a text, a variable and another text.',
    input: 'str',
    output: 'str',
    check: ([, name = '', , more]) =>
      more !== undefined ? 'wants up to three arguments' : name === '' ? undefined : checkVariable(name),
    compile: ([start = '', name = '', end = '']) => {
      const get = name === '' ? undefined : compileGet(name);
      return (value, tx) => value + start + (get === undefined ? '' : (toText(get(tx)) ?? '')) + end;
    },
  },
  {
    keyword: 'add_item',
    usage: '(<delimiter>,[<variable>][,<suffix>])',
    doc: 'Appends a variable and a suffix, with a delimiter when there is something on both sides.',
    input: 'str',
    output: 'str',
    check: ([, name = '', suffix = '', more]) =>
      more !== undefined || (name === '' && suffix === '')
        ? 'wants a delimiter, and a variable or a suffix'
        : name === ''
          ? undefined
          : checkVariable(name),
    compile: ([delimiter = '', name = '', suffix = '']) => {
      const get = name === '' ? undefined : compileGet(name);
      return (value, tx) => {
        const item = get === undefined ? undefined : toText(get(tx));
        if (get !== undefined && item === undefined) return value;
        const added = (item ?? '') + suffix;
        return value === '' || added === '' ? value + added : value + delimiter + added;
      };
    },
  },
  {
    keyword: 'strcmp',
    usage: '(<variable>)',
    doc: 'Compares with a variable: below 0, 0, or above.',
    input: 'str',
    output: 'int',
    check: (args) => (args.length === 1 ? checkVariable(args[0]!) : 'wants a variable'),
    compile: ([name]) => {
      const get = compileGet(name!);
      return (value, tx) => {
        const other = toText(get(tx));
        return other === undefined ? undefined : (value as string) < other ? -1 : value === other ? 0 : 1;
      };
    },
  },
  {
    keyword: 'set-var',
    usage: '(<variable>)',
    doc: 'Keeps the value in a variable, and passes it on.',
    input: 'any',
    output: 'str',
    check: (args) => (args.length === 1 ? checkVariable(args[0]!) : 'wants a variable'),
    compile: ([name]) => {
      const set = compileSet(name!);
      return (value, tx) => {
        set(tx, value);
        return value;
      };
    },
  },
  {
    keyword: 'unset-var',
    usage: '(<variable>)',
    doc: 'Forgets a variable, and passes the value on.',
    input: 'any',
    output: 'str',
    check: (args) => (args.length === 1 ? checkVariable(args[0]!) : 'wants a variable'),
    compile: ([name]) => {
      const set = compileSet(name!);
      return (value, tx) => {
        set(tx, undefined);
        return value;
      };
    },
  },
  {
    keyword: 'ipmask',
    usage: '(<mask4>[,<mask6>])',
    doc: 'Applies a mask to an address.',
    input: 'ip',
    output: 'ip',
    check: ([mask4, mask6, more]) => {
      if (mask4 === undefined || more !== undefined) return 'wants a mask for IPv4 and one for IPv6';
      if (parseMask(mask4, 4) === undefined) return `'${mask4}' is not a mask of IPv4`;
      return mask6 !== undefined && parseMask(mask6, 6) === undefined
        ? `'${mask6}' is not a mask of IPv6`
        : undefined;
    },
    compile: ([mask4, mask6]) => {
      const four = parseMask(mask4, 4)!;
      const six = mask6 === undefined ? undefined : parseMask(mask6, 6)!;
      return (value) => {
        const address = parseAddress(value as string);
        const mask = address?.family === 4 ? four : six;
        return address && mask && formatAddress(maskAddress(address, mask));
      };
    },
  },
  {
    keyword: 'language',
    usage: '(<languages>[,<default>])',
    doc: 'The preferred one of an Accept-Language header among those given (en;fr;de).',
    input: 'str',
    output: 'str',
    check: (args) => (args.length >= 1 && args.length <= 2 ? undefined : 'wants languages and a default'),
    compile: ([list, fallback]) => {
      const known = list!.split(';');
      return (value) => preferred(value as string, known) ?? fallback;
    },
  },
];

function simple(keyword: string, doc: string, apply: (text: string) => Sample): ConverterRow {
  return {
    keyword,
    usage: '',
    doc,
    input: 'str',
    output: 'str',
    check: (args) => (args.length === 0 ? undefined : 'takes no arguments'),
    compile: () => (value) => apply(value as string),
  };
}

function trim(
  keyword: string,
  doc: string,
  apply: (text: string, characters: string) => string,
): ConverterRow {
  return {
    ...simple(keyword, doc, (text) => text),
    usage: '(<characters>)',
    check: (args) => (args.length === 1 ? undefined : 'wants the characters'),
    compile:
      ([characters]) =>
      (value) =>
        apply(value as string, characters!),
  };
}

function pick(keyword: string, doc: string, keepEmpty: boolean): ConverterRow {
  return {
    keyword,
    usage: '(<index>,<delimiters>[,<count>])',
    doc,
    input: 'str',
    output: 'str',
    check: ([index = '', delimiters = '', count = '1', more]) =>
      more !== undefined || !/^-?[1-9]\d*$/.test(index) || delimiters === '' || !/^\d+$/.test(count)
        ? 'wants an index (1, 2 …, -1 from the end), delimiters and a count'
        : undefined,
    compile: ([index, delimiters, count = '1']) => {
      const wanted = Number(index);
      const many = Number(count) === 0 ? Number.POSITIVE_INFINITY : Number(count);
      return (value) => pickParts(value as string, wanted, delimiters!, many, keepEmpty);
    },
  };
}

/** `many` parts from `index` on (towards the beginning when it is negative), as they stand in the text. */
function pickParts(
  text: string,
  index: number,
  delimiters: string,
  many: number,
  keepEmpty: boolean,
): string {
  const parts: [start: number, end: number][] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && !delimiters.includes(text[i]!)) continue;
    if (keepEmpty || i > start) parts.push([start, i]);
    start = i + 1;
  }
  const at = index > 0 ? index - 1 : parts.length + index;
  if (at < 0 || at >= parts.length) return '';
  const other = index > 0 ? Math.min(parts.length - 1, at + many - 1) : Math.max(0, at - many + 1);
  return text.slice(parts[Math.min(at, other)]![0], parts[Math.max(at, other)]![1]);
}

/** The expression has the flag g, so that it tells where it stands. */
function replacer(expression: RegExp, make: (match: RegExpExecArray) => string, all: boolean) {
  return (value: Sample, _tx: Transaction): Sample => {
    const text = value as string;
    let out = '';
    let end = 0;
    expression.lastIndex = 0;
    for (let match = expression.exec(text); match !== null; match = expression.exec(text)) {
      out += text.slice(end, match.index) + make(match);
      end = match.index + match[0].length;
      if (match[0] === '') expression.lastIndex++;
      if (!all) break;
    }
    return end === 0 && out === '' ? text : out + text.slice(end);
  };
}

/** RFC 9110, section 12.5.4: the first of those with the highest weight; a variant falls back on its language. */
function preferred(header: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestWeight = 0;
  for (const item of header.split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim());
    const weight = Number(/^q=([\d.]+)$/.exec(parameters[0] ?? '')?.[1] ?? 1);
    const match = known.includes(name) ? name : known.find((language) => language === name.split('-')[0]);
    if (match !== undefined && weight > bestWeight) [best, bestWeight] = [match, weight];
  }
  return best;
}
