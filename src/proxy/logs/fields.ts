/** The variables of log formats (manual, section 8.2.6): a row each. */
import { hostname } from 'node:os';
import type { LogFieldRow } from '../expressions.ts';
import type { Times, Transaction } from '../transaction.ts';
import { localDate, localDateWithZone, milliseconds, utcDate, wallClock } from './dates.ts';
import { encodeCapture, encodeLine } from './encode.ts';

export const LOG_FIELDS: readonly LogFieldRow[] = [
  number('B', 'Bytes sent to the client, head included.', (tx) => tx.bytesOut),
  text('CC', 'Captured request cookie.', (tx) => tx.requestCookie, 'http'),
  text('CS', 'Captured response cookie.', (tx) => tx.responseCookie, 'http'),
  text('H', 'Name of this machine.', () => HOSTNAME),
  text('HM', 'Method of the request.', (tx) => partOfLine(tx, 0), 'http'),
  text('HP', 'Target of the request without its query.', (tx) => partOfLine(tx, 1, withoutQuery), 'http'),
  text('HPO', 'Path of the request, without host and query.', (tx) => partOfLine(tx, 1, pathOnly), 'http'),
  text('HQ', 'Query of the request, with its question mark.', (tx) => partOfLine(tx, 1, queryOnly), 'http'),
  text('HU', 'Target of the request.', (tx) => partOfLine(tx, 1), 'http'),
  text('HV', 'Version of the request: HTTP/1.1.', (tx) => partOfLine(tx, 2), 'http'),
  text('ID', 'Unique id of the request.', (tx) => tx.uniqueId),
  number('ST', 'Status sent to the client.', (tx) => tx.status),
  date('T', 'Date of the accept in UTC.', () => {
    const utc = utcDate();
    return (tx) => utc.at(tx.client.acceptedAt);
  }),
  time('Ta', 'Time of the request from its first byte to the end.', (t) => span(firstByte(t), t.end), 'http'),
  time('Tc', 'Time to connect to the server.', (t) => span(t.queueEnd, t.connected)),
  time('Td', 'Time of the data transfer, from the response head on.', (t) => span(t.responseStart, t.end)),
  time('Th', 'Time of the handshakes on the connection: counted in %Ti.', () => 0),
  time(
    'Ti',
    'Idle time before the request.',
    (t) => (t.requestStart < 0 ? -1 : span(t.idleStart, t.requestStart)),
    'http',
  ),
  date('Tl', 'Date of the accept, local.', () => {
    const local = localDateWithZone();
    return (tx) => local.at(tx.client.acceptedAt);
  }),
  time('Tq', 'Th + Ti + TR.', (t) => (t.requestEnd < 0 ? -1 : span(t.idleStart, t.requestEnd)), 'http'),
  time(
    'TR',
    'Time to receive the request head from its first byte on.',
    (t) => span(t.requestStart, t.requestEnd),
    'http',
  ),
  time(
    'Tr',
    "Time the server took to answer, up to the end of the response's head.",
    (t) => span(t.connected, t.responseStart),
    'http',
  ),
  number('Ts', 'Date of the accept in seconds since 1970.', (tx) => Math.floor(tx.client.acceptedAt / 1000)),
  time('Tt', 'Time from the accept (or the end of the request before) to the end.', (t) =>
    span(t.idleStart, t.end),
  ),
  time('Tu', 'Time as the user sees it: without the idle time before the request.', (t) =>
    span(firstByte(t), t.end),
  ),
  time('Tw', 'Time in queues.', (t) =>
    t.queueEnd < 0 ? -1 : span(t.requestEnd < 0 ? t.idleStart : t.requestEnd, t.queueEnd),
  ),
  number('U', 'Bytes received from the client.', (tx) => tx.bytesIn),
  {
    ...number('ac', 'Connections of the process now.', () => 0),
    compile: (env) => () => env.running().totals.connections,
  },
  text('b', 'Name of the backend.', backendName),
  number('bc', 'Sessions of the backend now.', (tx) => tx.backend?.counters.scur ?? 0),
  address('bi', 'Address that the server was connected from.', () => undefined),
  { ...number('bp', 'Port that the server was connected from.', () => undefined) },
  number('bq', "Requests that were before it in the backend's queue.", (tx) => tx.backendQueue ?? 0),
  address('ci', "The client's address.", (tx) => tx.client.address || undefined),
  number('cp', "The client's port.", (tx) => tx.client.port),
  text('f', 'Name of the frontend.', (tx) => tx.frontend.name),
  number('fc', 'Sessions of the frontend now.', (tx) => tx.frontend.counters.scur),
  address('fi', 'Address that the client connected to.', (tx) => tx.client.localAddress || undefined),
  number('fp', 'Port that the client connected to.', (tx) => tx.client.localPort),
  {
    ...text('ft', 'Name of the frontend, with a ~ when the client came over TLS.', () => ''),
    compile: (env) => {
      const plain = env.proxy.name;
      const secure = `${plain}~`;
      return (tx) => (tx.client.secure ? secure : plain);
    },
  },
  list('hr', 'Captured request headers: {a|b}.', 'request'),
  list('hrl', 'Captured request headers, one after the other.', 'request', true),
  list('hs', 'Captured response headers: {a|b}.', 'response'),
  list('hsl', 'Captured response headers, one after the other.', 'response', true),
  {
    ...number('lc', 'How many lines this format has made.', () => 0),
    compile: () => {
      let lines = 0;
      return () => ++lines;
    },
  },
  date(
    'ms',
    'Milliseconds of the accept, three digits.',
    () => (tx) => milliseconds(tx.client.acceptedAt).slice(1),
  ),
  number('pid', 'Number of the process.', () => process.pid),
  text(
    'r',
    'The request line.',
    (tx) => (tx.requestLine === '' ? '<BADREQ>' : encodeLine(tx.requestLine)),
    'http',
  ),
  {
    ...number('rc', 'Retries; with a + when the request went to another server.', () => 0),
    compile: () => (tx) => (tx.redispatched ? `+${tx.retries}` : tx.retries),
  },
  {
    ...number('rt', 'How many requests the process has served.', () => 0),
    compile: (env) => () => env.running().totals.cumulativeRequests,
  },
  text('s', 'Name of the server.', serverName),
  number('sc', 'Sessions of the server now.', (tx) => tx.server?.counters.scur ?? 0),
  address('si', "The server's address.", (tx) => tx.server?.address),
  number('sp', "The server's port.", (tx) => tx.server?.port),
  number('sq', "Requests that were before it in the server's queue.", (tx) => tx.serverQueue ?? 0),
  text('sslc', 'The TLS cipher of the client.', (tx) => tx.client.tlsCipher),
  text('sslv', 'The TLS version of the client.', (tx) => tx.client.tlsVersion),
  date('t', 'Date of the accept with milliseconds, local.', () => {
    const local = localDate();
    return (tx) => local.withMilliseconds(tx.client.acceptedAt);
  }),
  date('tr', 'Date of the request with milliseconds, local.', () => {
    const local = localDate();
    return (tx) => local.withMilliseconds(requestDate(tx));
  }),
  date('trg', 'Date of the request in UTC.', () => {
    const utc = utcDate();
    return (tx) => utc.at(requestDate(tx));
  }),
  date('trl', 'Date of the request, local.', () => {
    const local = localDateWithZone();
    return (tx) => local.at(requestDate(tx));
  }),
  date('ts', 'How the session ended (manual, section 8.5).', () => (tx) => tx.termination),
  date(
    'tsc',
    'How the session ended, and what became of its cookie.',
    () => (tx) => (tx.cookieState === undefined ? noCookie(tx.termination) : tx.termination + tx.cookieState),
  ),
];

export const LOG_FIELD_BY_NAME: ReadonlyMap<string, LogFieldRow> = new Map(
  LOG_FIELDS.map((row) => [row.keyword, row]),
);

const HOSTNAME = hostname();

// ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

type Read<T> = (tx: Transaction) => T | undefined;

function text(keyword: string, doc: string, read: Read<string>, mode: 'any' | 'http' = 'any'): LogFieldRow {
  return { keyword, doc, type: 'text', mode, compile: () => read };
}

function number(keyword: string, doc: string, read: Read<number>): LogFieldRow {
  return { keyword, doc, type: 'number', mode: 'any', compile: () => read };
}

function address(keyword: string, doc: string, read: Read<string>): LogFieldRow {
  return { keyword, doc, type: 'address', mode: 'any', compile: () => read };
}

/** Text that is never quoted. */
function date(keyword: string, doc: string, make: () => (tx: Transaction) => string): LogFieldRow {
  return { keyword, doc, type: 'date', mode: keyword.startsWith('tr') ? 'http' : 'any', compile: make };
}

function time(
  keyword: string,
  doc: string,
  read: (times: Times) => number,
  mode: 'any' | 'http' = 'any',
): LogFieldRow {
  return { keyword, doc, type: 'number', mode, compile: () => (tx) => read(tx.times) };
}

/** Empty when nothing is captured: then the space after it goes too. */
function list(keyword: string, doc: string, where: 'request' | 'response', words = false): LogFieldRow {
  return {
    keyword,
    doc,
    type: 'list',
    mode: 'any',
    compile: (env, flags) => {
      const slots = env.proxy.captures.filter((c) => c.where === where).length;
      if (slots === 0) return () => '';
      const values = (tx: Transaction) => (where === 'request' ? tx.requestCaptures : tx.responseCaptures);
      return (tx) => {
        // Nothing was captured at all before there was a request.
        if (tx.requestCaptures === undefined && tx.responseCaptures === undefined) return '';
        const found = values(tx);
        return words ? asWords(found, slots, flags.quote) : asBraces(found, slots, flags.quote);
      };
    },
  };
}

function asBraces(
  values: readonly (string | undefined)[] | undefined,
  slots: number,
  quote: boolean,
): string {
  let out = quote ? '"{' : '{';
  for (let i = 0; i < slots; i++) {
    const value = values?.[i];
    if (i > 0) out += '|';
    if (value !== undefined) out += encodeCapture(value);
  }
  return out + (quote ? '}"' : '}');
}

function asWords(values: readonly (string | undefined)[] | undefined, slots: number, quote: boolean): string {
  let out = '';
  for (let i = 0; i < slots; i++) {
    const value = values?.[i];
    const encoded = value === undefined ? (quote ? '' : '-') : encodeCapture(value);
    out += `${i > 0 ? ' ' : ''}${quote ? `"${encoded}"` : encoded}`;
  }
  return out;
}

// ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whole milliseconds between two points, −1 when one was not reached. */
function span(from: number, to: number): number {
  return from < 0 || to < 0 ? -1 : to > from ? Math.trunc(to - from) : 0;
}

/** Sessions that sent no request are timed from the accept on. */
function firstByte(times: Times): number {
  return times.requestStart < 0 ? times.idleStart : times.requestStart;
}

/** Sessions that sent no request have the date of their accept. */
function requestDate(tx: Transaction): number {
  const { requestStart } = tx.times;
  return requestStart < 0 ? tx.client.acceptedAt : wallClock(requestStart);
}

function backendName(tx: Transaction): string {
  return tx.backend === undefined ? tx.frontend.name : tx.backend.name;
}

function serverName(tx: Transaction): string {
  if (tx.server !== undefined) return tx.server.name;
  return tx.applet === undefined ? '<NOSRV>' : `<${tx.applet}>`;
}

function noCookie(termination: string): string {
  return termination === '--' ? '----' : `${termination}--`;
}

function partOfLine(tx: Transaction, index: number, cut?: (target: string) => string): string | undefined {
  const { requestLine } = tx;
  if (requestLine === '') return '<BADREQ>';
  const first = requestLine.indexOf(' ');
  const last = requestLine.lastIndexOf(' ');
  if (index === 0) return encodeLine(first < 0 ? requestLine : requestLine.slice(0, first));
  if (first < 0 || last === first) return '<BADREQ>';
  if (index === 2) return encodeLine(requestLine.slice(last + 1));
  const target = requestLine.slice(first + 1, last);
  return encodeLine(cut === undefined ? target : cut(target));
}

function withoutQuery(target: string): string {
  const at = target.indexOf('?');
  return at < 0 ? target : target.slice(0, at);
}

function queryOnly(target: string): string {
  const at = target.indexOf('?');
  return at < 0 ? '' : target.slice(at);
}

function pathOnly(target: string): string {
  return withoutQuery(target.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*/, ''));
}
