/**
 * Answers that the proxy makes itself: the built-in error messages, the error files, and what rules return.
 * They are taken apart once, when the configuration loads, so that sending one is two copies.
 */
import { reasonOf } from '../http1/reasons.ts';
import type { Reply } from '../transaction.ts';

/** A message ready to be sent. `head` ends after the last field, before the blank line; names are in lower case. */
export interface PreparedReply {
  readonly status: number;
  readonly head: Buffer;
  readonly body: Buffer;
  /** It says how long it is, so the connection may go on. */
  readonly framed: boolean;
  /** HTTP/1.1 in its status line. */
  readonly modern: boolean;
  /** The message as it was written, for refusals below the HTTP level (400 and 408 while reading a head). */
  readonly raw: Buffer;
}

const REASONS: Record<number, readonly [reason: string, text: string, extra?: string]> = {
  200: ['OK', '200 OK', 'Service ready.'],
  400: ['Bad request', '400 Bad request', 'Your browser sent an invalid request.'],
  401: ['Unauthorized', '401 Unauthorized', 'You need a valid user and password to access this content.'],
  403: ['Forbidden', '403 Forbidden', 'Request forbidden by administrative rules.'],
  404: ['Not Found', '404 Not Found', 'The resource could not be found.'],
  405: [
    'Method Not Allowed',
    '405 Method Not Allowed',
    'A request was made of a resource using a request method not supported by that resource',
  ],
  407: ['Unauthorized', '407 Unauthorized', 'You need a valid user and password to access this content.'],
  408: ['Request Time-out', '408 Request Time-out', "Your browser didn't send a complete request in time."],
  410: ['Gone', '410 Gone', 'The resource is no longer available and will not be available again.'],
  413: ['Payload Too Large', '413 Payload Too Large', 'The request entity exceeds the maximum allowed.'],
  414: ['URI Too Long', '414 URI Too Long', 'The request target is too long.'],
  421: ['Misdirected Request', '421 Misdirected Request', 'Request sent to a non-authoritative server.'],
  422: [
    'Unprocessable Content',
    '422 Unprocessable Content',
    'The server cannot process the contained instructions.',
  ],
  425: ['Too Early', '425 Too Early', 'Your browser sent early data.'],
  429: [
    'Too Many Requests',
    '429 Too Many Requests',
    'You have sent too many requests in a given amount of time.',
  ],
  431: [
    'Request Header Fields Too Large',
    '431 Request Header Fields Too Large',
    'The header fields of the request are too large.',
  ],
  500: ['Internal Server Error', '500 Internal Server Error', 'An internal server error occurred.'],
  501: [
    'Not Implemented',
    '501 Not Implemented',
    'The server does not support the functionality required to fulfill the request.',
  ],
  502: ['Bad Gateway', '502 Bad Gateway', 'The server returned an invalid or incomplete response.'],
  503: ['Service Unavailable', '503 Service Unavailable', 'No server is available to handle this request.'],
  504: ['Gateway Time-out', '504 Gateway Time-out', "The server didn't respond in time."],
};

/** Statuses that `errorfile` takes and `deny` can produce. */
export const ERROR_STATUSES: readonly number[] = Object.keys(REASONS).map(Number);

const builtins = new Map<number, PreparedReply>();

/** The message HAProxy sends for a status when no error file is set. */
export function builtinReply(status: number): PreparedReply {
  const known = REASONS[status] === undefined ? 500 : status;
  let reply = builtins.get(known);
  if (reply === undefined) {
    reply = prepareRaw(known, builtinMessage(known));
    builtins.set(known, reply);
  }
  return reply;
}

/** HAProxy's own messages of these do not say that they close. */
const WITHOUT_CLOSE = [413, 422];

function builtinMessage(status: number): string {
  const [reason, title, text] = REASONS[status]!;
  const body = `<html><body><h1>${title}</h1>\n${text}\n</body></html>\n`;
  return (
    `HTTP/1.1 ${status} ${reason}\r\nContent-length: ${body.length}\r\nCache-Control: no-cache\r\n` +
    `${WITHOUT_CLOSE.includes(status) ? '' : 'Connection: close\r\n'}Content-Type: text/html\r\n\r\n${body}`
  );
}

/** Takes a whole HTTP message apart. The configuration's tables have checked that it is one. */
export function prepareRaw(status: number, message: string): PreparedReply {
  const raw = Buffer.from(message, 'latin1');
  const blank = /\r?\n\r?\n/.exec(message);
  const [statusLine = '', ...lines] = (blank === null ? message : message.slice(0, blank.index)).split(
    /\r?\n/,
  );
  const fields = lines
    .map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    })
    .filter(([name]) => name !== 'connection' && name !== '');
  const body = blank === null ? '' : message.slice(blank.index + blank[0].length);
  return {
    status,
    head: Buffer.from([statusLine, ...fields.map(([n, v]) => `${n}: ${v}`)].join('\r\n') + '\r\n', 'latin1'),
    body: Buffer.from(body, 'latin1'),
    framed: fields.some(([name]) => name === 'content-length') || body === '',
    modern: statusLine.startsWith('HTTP/1.1'),
    raw,
  };
}

/** What a rule returned, ready to be sent. `page`: the error message it asked for, to which its fields are added. */
export function prepareReply(reply: Reply, page?: PreparedReply): PreparedReply {
  if (page !== undefined) {
    const extra = (reply.headers ?? [])
      .map(([name, value]) => `${name.toLowerCase()}: ${value}\r\n`)
      .join('');
    return extra === '' ? page : { ...page, head: Buffer.concat([page.head, Buffer.from(extra, 'latin1')]) };
  }
  if (reply.raw !== undefined) return prepareRaw(reply.status, reply.raw);
  const body = Buffer.from(reply.body ?? '', 'latin1');
  const reason = reasonOf(reply.status);
  const fields = (reply.headers ?? []).map(([name, value]) => `${name.toLowerCase()}: ${value}\r\n`).join('');
  const framed = /(^|\n)content-length:/.test(fields) || reply.status === 204 || reply.status === 304;
  const length = framed ? '' : `content-length: ${body.length}\r\n`;
  const head = Buffer.from(`HTTP/1.1 ${reply.status} ${reason}\r\n${length}${fields}`, 'latin1');
  return { status: reply.status, head, body, framed: true, modern: true, raw: head };
}
