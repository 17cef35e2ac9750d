/**
 * Fetches that look at bytes before anything is forwarded (manual, section 7.3.5): `tcp-request content` and
 * `tcp-response content`. A fetch that needs more bytes than there are says so, and the rules wait.
 */
import type { FetchRow, Sample, SampleType } from '../../expressions.ts';
import type { Transaction } from '../../transaction.ts';

export const PAYLOAD_FETCHES: readonly FetchRow[] = [
  {
    keyword: 'wait_end',
    usage: '',
    doc: 'True once no more bytes are waited for.',
    type: 'bool',
    phase: 'transaction',
    check: wantsNone,
    compile: () => (tx) => {
      if (!tx.inspecting) return true;
      tx.incomplete = true;
      return undefined;
    },
  },
  ...bothSides(
    'len',
    '',
    'int',
    'How many bytes were received so far.',
    wantsNone,
    () => (tx) => {
      if (tx.inspecting) tx.incomplete = true;
      return tx.payloadLength;
    },
    ['req_len'],
  ),
  ...bothSides(
    'payload',
    '(<offset>,<length>)',
    'bin',
    'Received bytes from an offset on; length 0 takes all there are.',
    (args) => twoNumbers(args),
    ([offset, length]) => payload(Number(offset), Number(length)),
    [],
    ['payload'],
  ),
  ...bothSides(
    'payload_lv',
    '(<offset>,<size>[,<offset2>])',
    'bin',
    'Received bytes whose length stands at an offset, in that many bytes; an offset2 with a sign is relative.',
    ([a, b, c = '0', more]) =>
      more === undefined && /^[+-]?\d+$/.test(c)
        ? twoNumbers([a ?? '', b ?? ''])
        : 'wants two or three numbers',
    ([offset, size, second]) => prefixedPayload(Number(offset), Number(size), second),
    [],
    ['payload_lv'],
  ),
  ...request(
    'ssl_hello_type',
    'int',
    'Type of the TLS handshake message: 1 is ClientHello.',
    (tx) => helloType(tx, 1),
    ['req_ssl_hello_type'],
  ),
  ...request('ssl_ver', 'int', 'TLS version of the ClientHello, major.minor.', helloVersion, ['req_ssl_ver']),
  ...request('ssl_sni', 'str', 'Server name in the ClientHello.', helloServerName, ['req_ssl_sni']),
  ...request('ssl_alpn', 'str', 'Protocols offered in the ClientHello, with commas.', helloProtocols),
  ...request('ssl_ec_ext', 'bool', 'Whether the ClientHello offers elliptic curves.', (tx) =>
    extension(tx, 10) === undefined ? undefined : true,
  ),
  ...request(
    'ssl_st_ext',
    'int',
    'Session tickets in the ClientHello: 0 none, 1 empty, 2 with a ticket.',
    (tx) => {
      const at = extension(tx, 35);
      return at === undefined ? (tx.incomplete ? undefined : 0) : at.end > at.start ? 2 : 1;
    },
  ),
  ...['res.ssl_hello_type', 'rep_ssl_hello_type'].map((keyword) =>
    row(
      keyword,
      '',
      'int',
      'response',
      'Type of the TLS handshake message: 2 is ServerHello.',
      wantsNone,
      () => (tx) => helloType(tx, 2),
    ),
  ),
];

type Check = NonNullable<FetchRow['check']>;
type Compile = FetchRow['compile'];

function row(
  keyword: string,
  usage: string,
  type: SampleType,
  phase: FetchRow['phase'],
  doc: string,
  check: Check,
  compile: Compile,
): FetchRow {
  return { keyword, usage, doc, type, phase, check, compile };
}

/** `req.name`, `res.name` and older names. */
function bothSides(
  name: string,
  usage: string,
  type: SampleType,
  doc: string,
  check: Check,
  compile: Compile,
  requestNames: readonly string[] = [],
  anyNames: readonly string[] = [],
): FetchRow[] {
  return [
    ...[`req.${name}`, ...requestNames].map((k) => row(k, usage, type, 'request', doc, check, compile)),
    row(`res.${name}`, usage, type, 'response', doc, check, compile),
    ...anyNames.map((k) => row(k, usage, type, 'transaction', doc, check, compile)),
  ];
}

function request(
  name: string,
  type: SampleType,
  doc: string,
  read: (tx: Transaction) => Sample,
  names: readonly string[] = [],
): FetchRow[] {
  return [`req.${name}`, ...names].map((k) => row(k, '', type, 'request', doc, wantsNone, () => read));
}

function wantsNone(args: readonly string[]): string | undefined {
  return args.length === 0 ? undefined : 'takes no arguments';
}

function twoNumbers(args: readonly string[]): string | undefined {
  return args.length === 2 && args.every((arg) => /^\d+$/.test(arg)) ? undefined : 'wants two numbers';
}

// ── bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** False, and the rules wait, when there are fewer bytes than needed. */
function has(tx: Transaction, length: number): boolean {
  if (tx.payloadLength >= length) return true;
  if (tx.inspecting) tx.incomplete = true;
  return false;
}

function payload(offset: number, length: number): (tx: Transaction) => Sample {
  return (tx) => {
    if (!has(tx, Math.max(offset + length, 1))) return undefined;
    return text(tx, offset, length === 0 ? tx.payloadLength : offset + length);
  };
}

function prefixedPayload(
  offset: number,
  size: number,
  second: string | undefined,
): (tx: Transaction) => Sample {
  const isRelative = second !== undefined && /^[+-]/.test(second);
  return (tx) => {
    if (!has(tx, offset + size)) return undefined;
    let length = 0;
    for (let i = 0; i < size; i++) length = length * 256 + tx.payload[offset + i]!;
    const start =
      second === undefined ? offset + size : isRelative ? offset + size + Number(second) : Number(second);
    if (start < 0 || length === 0 || !has(tx, start + length)) return undefined;
    return text(tx, start, start + length);
  };
}

function text(tx: Transaction, start: number, end: number): string {
  const { buffer, byteOffset, length } = tx.payload;
  return Buffer.from(buffer, byteOffset, length).latin1Slice(start, Math.min(end, tx.payloadLength));
}

// ── TLS handshake (RFC 8446, sections 4.1.2 and 5.1) ─────────────────────────────────────────────────────────────

const HANDSHAKE = 22;

/** Type of the first handshake message; nothing for other records. */
function helloType(tx: Transaction, wanted: number): Sample {
  const { payload: bytes } = tx;
  if (tx.payloadLength > 0 && bytes[0] !== HANDSHAKE) return undefined;
  if (!has(tx, 6)) return undefined;
  if (bytes[1] !== 3) return undefined;
  const length = bytes[3]! * 256 + bytes[4]!;
  if (length < 4 || length > 16384 + 256 || bytes[5] !== wanted) return undefined;
  return has(tx, wanted === 1 ? 5 + length : 6) ? wanted : undefined;
}

/** Where the body of a whole ClientHello begins and ends; undefined (perhaps waiting) when there is none. */
function clientHello(tx: Transaction): { start: number; end: number } | undefined {
  if (helloType(tx, 1) === undefined) return undefined;
  const { payload: bytes } = tx;
  const recordEnd = 5 + bytes[3]! * 256 + bytes[4]!;
  const end = 9 + bytes[6]! * 65536 + bytes[7]! * 256 + bytes[8]!;
  return { start: 9, end: Math.min(end, recordEnd) };
}

function helloVersion(tx: Transaction): Sample {
  const hello = clientHello(tx);
  if (hello === undefined || hello.end < hello.start + 2) return undefined;
  return tx.payload[hello.start]! * 65536 + tx.payload[hello.start + 1]!;
}

function extension(tx: Transaction, wanted: number): { start: number; end: number } | undefined {
  const hello = clientHello(tx);
  if (hello === undefined) return undefined;
  const { payload: bytes } = tx;
  const word = (i: number) => bytes[i]! * 256 + bytes[i + 1]!;
  // Version and random, then three vectors: session id, cipher suites, compression methods.
  let at = hello.start + 34;
  if (at + 1 > hello.end) return undefined;
  at += 1 + bytes[at]!;
  if (at + 2 > hello.end) return undefined;
  at += 2 + word(at);
  if (at + 1 > hello.end) return undefined;
  at += 1 + bytes[at]!;
  if (at + 2 > hello.end) return undefined;
  const end = Math.min(hello.end, at + 2 + word(at));
  for (at += 2; at + 4 <= end; at += 4 + word(at + 2)) {
    const stop = at + 4 + word(at + 2);
    if (stop > end) return undefined;
    if (word(at) === wanted) return { start: at + 4, end: stop };
  }
  return undefined;
}

/** RFC 6066, section 3: a list of names, of which type 0 is a host name. */
function helloServerName(tx: Transaction): Sample {
  const found = extension(tx, 0);
  if (found === undefined) return undefined;
  const { payload: bytes } = tx;
  for (let at = found.start + 2; at + 3 <= found.end; ) {
    const length = bytes[at + 1]! * 256 + bytes[at + 2]!;
    if (at + 3 + length > found.end) return undefined;
    if (bytes[at] === 0) return text(tx, at + 3, at + 3 + length);
    at += 3 + length;
  }
  return undefined;
}

/** RFC 7301, section 3.1. */
function helloProtocols(tx: Transaction): Sample {
  const found = extension(tx, 16);
  if (found === undefined) return undefined;
  const names: string[] = [];
  for (let at = found.start + 2; at < found.end; ) {
    const length = tx.payload[at]!;
    if (length === 0 || at + 1 + length > found.end) return undefined;
    names.push(text(tx, at + 1, at + 1 + length));
    at += 1 + length;
  }
  return names.join(',');
}
