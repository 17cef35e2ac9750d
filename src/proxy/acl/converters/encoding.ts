/** Converters between encodings, and digests (manual, section 7.3.1). */
import { createHash, createHmac, getHashes } from 'node:crypto';
import type { ConverterRow, Sample, SampleType } from '../../expressions.ts';
import { avalanche, crc32, djb2, sdbm, wt6 } from './hash.ts';

export const ENCODING_CONVERTERS: readonly ConverterRow[] = [
  plain('base64', 'bin', 'str', 'As base 64.', (text) => bytes(text).toString('base64')),
  plain('b64dec', 'str', 'bin', 'Decodes base 64.', (text) =>
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
      ? Buffer.from(text, 'base64').toString('latin1')
      : undefined,
  ),
  plain('ub64enc', 'bin', 'str', 'As base 64 for URLs, without padding.', (text) =>
    bytes(text).toString('base64url'),
  ),
  plain('ub64dec', 'str', 'bin', 'Decodes base 64 for URLs.', (text) =>
    /^[A-Za-z0-9_-]*$/.test(text) && text.length % 4 !== 1
      ? Buffer.from(text, 'base64url').toString('latin1')
      : undefined,
  ),
  plain('hex', 'bin', 'str', 'As hexadecimal digits.', (text) => bytes(text).toString('hex').toUpperCase()),
  plain('hex2i', 'str', 'int', 'Hexadecimal digits as a number, 0 when they are none.', (text) =>
    /^[0-9a-fA-F]{1,16}$/.test(text) ? Number(BigInt.asIntN(64, BigInt(`0x${text}`))) : 0,
  ),
  {
    keyword: 'url_dec',
    usage: '([<form>])',
    doc: 'Decodes %XX, and + in the query (anywhere with a form of 1).',
    input: 'str',
    output: 'str',
    check: (args) => (args.length <= 1 && /^\d*$/.test(args[0] ?? '') ? undefined : 'wants 0 or 1'),
    compile: ([form = '0']) => {
      const inForm = Number(form) !== 0;
      return (value) => decodeUrl(value as string, inForm);
    },
  },
  {
    keyword: 'url_enc',
    usage: '([query])',
    doc: 'Encodes as %XX what may not stand in a query.',
    input: 'str',
    output: 'str',
    check: ([type = 'query', more]) =>
      type === 'query' && more === undefined ? undefined : `the only type is 'query'`,
    compile: () => (value) =>
      (value as string).replace(
        /[^A-Za-z0-9\-._~]/g,
        (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
      ),
  },
  {
    keyword: 'json',
    usage: '([ascii|utf8|utf8s|utf8p|utf8ps])',
    doc: 'Escapes text for a JSON string.',
    input: 'str',
    output: 'str',
    check: ([code = 'ascii', more]) =>
      more === undefined && ['ascii', 'utf8', 'utf8s', 'utf8p', 'utf8ps'].includes(code)
        ? undefined
        : `'${code}' is not an input code (ascii, utf8, utf8s, utf8p, utf8ps)`,
    compile:
      ([code = 'ascii']) =>
      (value) =>
        escapeJson(value as string, code),
  },
  {
    keyword: 'json_query',
    usage: '(<path>[,int])',
    doc: 'A value of a JSON text by its path: $.a.b[0].',
    input: 'str',
    output: 'str',
    check: ([path = '', type = 'int', more]) =>
      more === undefined && type === 'int' && parsePath(path) !== undefined
        ? undefined
        : 'wants a path ($.a.b[0]) and, perhaps, int',
    compile: ([path, type]) => {
      const steps = parsePath(path!)!;
      return (value) => queryJson(value as string, steps, type === 'int');
    },
  },
  digest('sha1', '', 'The SHA-1 digest.', () => 'sha1'),
  {
    ...digest(
      'sha2',
      '([<bits>])',
      'A SHA-2 digest of 224, 256 (the default), 384 or 512 bits.',
      ([bits = '256']) => `sha${bits}`,
    ),
    check: ([bits = '256', more]) =>
      more === undefined && ['224', '256', '384', '512'].includes(bits)
        ? undefined
        : 'the bits are 224, 256, 384 or 512',
  },
  {
    ...digest('digest', '(<algorithm>)', 'A digest by its name (md5, sha256 …).', ([name]) => name!),
    check: ([name = '']) =>
      getHashes().includes(name.toLowerCase()) ? undefined : `'${name}' is not a digest`,
  },
  {
    keyword: 'hmac',
    usage: '(<algorithm>,<key>)',
    doc: 'A message authentication code; the key is in base 64.',
    input: 'bin',
    output: 'bin',
    check: ([name = '', key = '']) =>
      getHashes().includes(name.toLowerCase())
        ? key === ''
          ? 'wants a key in base 64'
          : undefined
        : `'${name}' is not a digest`,
    compile: ([name, key]) => {
      const secret = Buffer.from(key!, 'base64');
      return (value) =>
        createHmac(name!, secret)
          .update(value as string, 'latin1')
          .digest()
          .toString('latin1');
    },
  },
  hash('crc32', 'The CRC-32 hash.', crc32),
  hash('djb2', 'The DJB2 hash.', djb2),
  hash('sdbm', 'The SDBM hash.', sdbm),
  hash('wt6', 'The WT6 hash.', wt6),
];

function plain(
  keyword: string,
  input: SampleType,
  output: SampleType,
  doc: string,
  apply: (text: string) => Sample,
): ConverterRow {
  return {
    keyword,
    usage: '',
    doc,
    input,
    output,
    check: (args) => (args.length === 0 ? undefined : 'takes no arguments'),
    compile: () => (value) => apply(value as string),
  };
}

function digest(
  keyword: string,
  usage: string,
  doc: string,
  name: (args: readonly string[]) => string,
): ConverterRow {
  return {
    ...plain(keyword, 'bin', 'bin', doc, (text) => text),
    usage,
    compile: (args) => {
      const algorithm = name(args);
      return (value) =>
        createHash(algorithm)
          .update(value as string, 'latin1')
          .digest()
          .toString('latin1');
    },
  };
}

function hash(keyword: string, doc: string, apply: (bytes: Uint8Array) => number): ConverterRow {
  return {
    keyword,
    usage: '([<avalanche>])',
    doc,
    input: 'bin',
    output: 'int',
    check: (args) => (args.length <= 1 && /^\d*$/.test(args[0] ?? '') ? undefined : 'wants 0 or 1'),
    compile: ([spread = '0']) =>
      Number(spread) === 0
        ? (value) => apply(bytes(value as string))
        : (value) => avalanche(apply(bytes(value as string))),
  };
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function decodeUrl(text: string, inForm: boolean): string | undefined {
  let out = '';
  let form = inForm;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '+' && form) {
      out += ' ';
    } else if (c === '%') {
      const hex = text.slice(i + 1, i + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) return undefined;
      out += String.fromCharCode(Number.parseInt(hex, 16));
      i += 2;
    } else {
      if (c === '?') form = true;
      out += c;
    }
  }
  return out;
}

/** `utf8` fails on bytes that are not UTF-8; `s` keeps silent and drops them, `p` prints them as they are. */
function escapeJson(text: string, code: string): string | undefined {
  let decoded = text;
  if (code !== 'ascii') {
    const utf8 = new TextDecoder('utf-8', { fatal: code === 'utf8', ignoreBOM: true });
    try {
      decoded = utf8.decode(bytes(text));
    } catch {
      return undefined;
    }
    if (code === 'utf8s' || code === 'utf8ps') decoded = decoded.replaceAll('�', '');
  }
  let out = '';
  for (let i = 0; i < decoded.length; i++) {
    const c = decoded[i]!;
    const unit = decoded.charCodeAt(i);
    if (JSON_ESCAPES[c] !== undefined) out += JSON_ESCAPES[c];
    else if (unit >= 32 && unit < 127) out += c;
    else out += `\\u${unit.toString(16).padStart(4, '0')}`;
  }
  return out;
}

const JSON_ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function parsePath(path: string): (string | number)[] | undefined {
  if (!path.startsWith('$')) return undefined;
  const steps: (string | number)[] = [];
  const pattern = /\.([^.[\]]+)|\[(\d+)\]|\[['"]([^'"]+)['"]\]/y;
  pattern.lastIndex = 1;
  while (pattern.lastIndex < path.length) {
    const match = pattern.exec(path);
    if (match === null) return undefined;
    steps.push(match[2] === undefined ? (match[1] ?? match[3])! : Number(match[2]));
  }
  return steps;
}

function queryJson(text: string, steps: readonly (string | number)[], asInteger: boolean): Sample {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'latin1').toString('utf8'));
  } catch {
    return undefined;
  }
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  if (asInteger) {
    const number = typeof value === 'boolean' || value === null || value === '' ? Number.NaN : Number(value);
    return Number.isFinite(number) ? Math.trunc(number) : undefined;
  }
  if (typeof value === 'string') return Buffer.from(value, 'utf8').toString('latin1');
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return undefined;
}
