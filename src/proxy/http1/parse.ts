/**
 * The HTTP/1 parser (RFC 9112). Strict where leniency would let two parsers read a message differently; what HAProxy
 * repairs is repaired the same way. It works on the head's own buffer, lower-cases names in place, and resumes at the
 * start of the line it could not finish, so bytes may come one by one.
 */
import { CANONICAL, DEAD, type Head, headerName, ODD, VALUE, VALUE_END } from './head.ts';

const HOST = headerName('host');
const CONNECTION = headerName('connection');

/** `more`: the head is not complete. Anything else but `done` is the status to refuse the message with. */
export const PARSED = { more: 0, done: 1 } as const;
export type Parsed = number;

/** Bits of `Head.connectionTokens`. */
export const TOKEN = { close: 1, keepAlive: 2, upgrade: 4 } as const;

const BAD = 400;
/** A body where HTTP/1.0 knows none: the next server might take it for a request. */
const TOO_LARGE = 413;
const BODILESS = ['GET', 'HEAD', 'DELETE'];
const URI_TOO_LONG = 414;
/** A transfer coding besides `chunked`. */
const UNPROCESSABLE = 422;
const HEADERS_TOO_LARGE = 431;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;

/** RFC 9110 token characters, mapped to lower case; 0 for all others. */
const TOKEN_LOWER = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
  TOKEN_LOWER[c.charCodeAt(0)] = c.charCodeAt(0);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') TOKEN_LOWER[c.charCodeAt(0)] = c.charCodeAt(0) + 32;

/** Parses what is there of a request; `full` tells that no more bytes fit. */
export function parseRequest(head: Head, maxFields: number, full: boolean): Parsed {
  if (!head.started) {
    const outcome = parseRequestLine(head);
    if (outcome !== PARSED.done) {
      if (outcome === PARSED.more && full) return URI_TOO_LONG;
      return outcome;
    }
    head.started = true;
  }
  const outcome = parseFields(head, maxFields, true);
  if (outcome === PARSED.more && full) return HEADERS_TOO_LARGE;
  return outcome === PARSED.done ? checkRequest(head) : outcome;
}

/** A head that leaves no room for edits is too large, though it fits the buffer (manual, `tune.maxrewrite`). */
export function exceedsReserve(head: Head, reserve: number): boolean {
  return head.end > head.bytes.length - reserve;
}

/** Parses what is there of a response; every refusal is to become a 502. */
export function parseResponse(head: Head, maxFields: number, full: boolean): Parsed {
  if (!head.started) {
    const outcome = parseStatusLine(head);
    if (outcome !== PARSED.done) return outcome === PARSED.more && full ? BAD : outcome;
    head.started = true;
  }
  const outcome = parseFields(head, maxFields, false);
  if (outcome === PARSED.more && full) return BAD;
  // Only bare chunks can be followed; another coding below them is not ours to undo.
  if (outcome === PARSED.done && head.hasTransferEncoding && (head.otherCodings || head.minor === 0))
    return BAD;
  return outcome;
}

function parseRequestLine(head: Head): Parsed {
  const { bytes, used } = head;
  let at = head.resumeAt;
  // Empty lines before a request are skipped (RFC 9112, section 2.2).
  while (at < used && (bytes[at] === LF || (bytes[at] === CR && (at + 1 === used || bytes[at + 1] === LF)))) {
    if (bytes[at] === CR && at + 1 === used) return PARSED.more;
    at += bytes[at] === CR ? 2 : 1;
  }
  head.resumeAt = at;

  head.methodStart = at;
  while (at < used && TOKEN_LOWER[bytes[at]!] !== 0) at++;
  if (at === used) return PARSED.more;
  if (bytes[at] !== SPACE || at === head.methodStart) return BAD;
  head.methodEnd = at++;

  head.targetStart = at;
  // Visible ASCII without '#', which no parser agrees on.
  let c = 0;
  while (at < used && (c = bytes[at]!) > SPACE && c < 127 && c !== 35) at++;
  if (at === used) return PARSED.more;
  if (c !== SPACE || at === head.targetStart) return BAD;
  head.targetEnd = at++;
  return parseVersion(head, at, true);
}

/** `HTTP/1.x` and, for requests, the end of the line. */
function parseVersion(head: Head, at: number, endOfLine: boolean): Parsed {
  const { bytes, used } = head;
  const want = 'HTTP/1.';
  for (let i = 0; i < 7; i++) {
    if (at + i === used) return PARSED.more;
    if (bytes[at + i] !== want.charCodeAt(i)) return BAD;
  }
  if (at + 7 === used) return PARSED.more;
  const digit = bytes[at + 7]! - 48;
  if (digit < 0 || digit > 9) return BAD;
  head.minor = digit > 0 ? 1 : 0;
  at += 8;
  if (at === used) return PARSED.more;
  if (!endOfLine) {
    head.resumeAt = at;
    return PARSED.done;
  }
  if (bytes[at] === CR) at++;
  if (at === used) return PARSED.more;
  if (bytes[at] !== LF) return BAD;
  head.resumeAt = at + 1;
  return PARSED.done;
}

function parseStatusLine(head: Head): Parsed {
  const { bytes, used } = head;
  const start = head.resumeAt;
  const version = parseVersion(head, start, false);
  if (version !== PARSED.done) return version;
  let at = head.resumeAt;
  head.resumeAt = start;
  if (bytes[at++] !== SPACE) return BAD;
  let status = 0;
  for (let i = 0; i < 3; i++, at++) {
    if (at === used) return PARSED.more;
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return BAD;
    status = status * 10 + digit;
  }
  if (status < 100) return BAD;
  if (at === used) return PARSED.more;
  // The reason may be missing together with the space before it.
  if (bytes[at] === SPACE) at++;
  else if (bytes[at] !== CR && bytes[at] !== LF) return BAD;
  head.targetStart = at;
  let c = 0;
  while (at < used && ((c = bytes[at]!) >= SPACE || c === TAB)) at++;
  if (at === used) return PARSED.more;
  head.targetEnd = at;
  if (c === CR && ++at === used) return PARSED.more;
  if (bytes[at] !== LF) return BAD;
  head.status = status;
  head.resumeAt = at + 1;
  return PARSED.done;
}

/** What must not come after a body, because it decides about the message or the hop (RFC 9110, section 6.5.1). */
const FORBIDDEN_TRAILERS = [
  'content-length',
  'transfer-encoding',
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'te',
  'trailer',
].map(headerName);

/** Parses the trailer section of a chunked body, up to and with its blank line. */
export function parseTrailers(head: Head, maxFields: number, full: boolean): Parsed {
  const outcome = parseFields(head, maxFields, undefined);
  if (outcome === PARSED.more && full) return BAD;
  if (outcome === PARSED.done) for (const name of FORBIDDEN_TRAILERS) head.remove(name);
  return outcome;
}

/** Header lines up to the blank one. `request` undefined: trailers, which say nothing about the message. */
function parseFields(head: Head, maxFields: number, request: boolean | undefined): Parsed {
  const { bytes, used } = head;
  let at = head.resumeAt;
  for (;;) {
    head.resumeAt = at;
    if (at === used) return PARSED.more;
    let c = bytes[at]!;
    if (c === CR || c === LF) {
      if (c === CR) {
        if (at + 1 === used) return PARSED.more;
        if (bytes[at + 1] !== LF) return BAD;
        at++;
      }
      head.complete(at + 1);
      return PARSED.done;
    }

    const name = at;
    let lower = 0;
    while (at < used && (lower = TOKEN_LOWER[(c = bytes[at]!)]!) !== 0) {
      if (lower !== c) bytes[at] = lower;
      at++;
    }
    if (at === used) return PARSED.more;
    if (c !== COLON || at === name) return BAD;
    const nameEnd = at++;
    let canonical = at < used && bytes[at] === SPACE;
    const afterColon = at;
    while (at < used && ((c = bytes[at]!) === SPACE || c === TAB)) at++;
    if (at - afterColon !== 1) canonical = false;
    const value = at;

    let valueEnd = at;
    for (;;) {
      while (at < used && ((c = bytes[at]!) > CR || (c !== LF && c !== CR && c !== 0))) at++;
      if (at === used) return PARSED.more;
      if (c === 0) return BAD;
      const lineEnd = at;
      if (c === CR) {
        if (++at === used) return PARSED.more;
        if (bytes[at] !== LF) return BAD;
      } else canonical = false;
      at++;
      // Whether the next line continues this one is known only with its first byte.
      if (at === used) return PARSED.more;
      c = bytes[at]!;
      if (c !== SPACE && c !== TAB) {
        valueEnd = lineEnd;
        break;
      }
      // obs-fold: the line break and the blanks after it become spaces (RFC 9112, section 5.2).
      for (let i = lineEnd; i < at; i++) bytes[i] = SPACE;
      while (at < used && (bytes[at] === SPACE || bytes[at] === TAB)) bytes[at++] = SPACE;
    }
    if (valueEnd > value && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) {
      canonical = false;
      while (valueEnd > value && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd--;
    }
    let start = value;
    // A value that began with a fold.
    while (start < valueEnd && (bytes[start] === SPACE || bytes[start] === TAB)) start++;
    if (start !== value) canonical = false;

    // One of the places is the start line's, as HAProxy counts.
    if (head.count >= maxFields - 1) return BAD;
    head.push(name, nameEnd, start, valueEnd, canonical ? CANONICAL : ODD);
    if (request !== undefined) {
      const refused = noticeField(head, head.count - 1, request);
      if (refused !== 0) return refused;
    }
  }
}

/** What the framing and the connection depend on. Returns 0, or the status to refuse with. */
function noticeField(head: Head, i: number, request: boolean): number {
  const { bytes, fields } = head;
  const name = fields[4 * i]!;
  switch (fields[4 * i + 1]! - name) {
    case 2:
      if (request && bytes[name] === 116 && is(bytes, name, 'te')) noticeTe(head, i);
      break;
    case 4:
      if (request && bytes[name] === 104 && is(bytes, name, 'host')) return noticeHost(head, i);
      break;
    case 6:
      if (request && bytes[name] === 101 && is(bytes, name, 'expect') && valueIs(head, i, '100-continue'))
        head.expectContinue = true;
      break;
    case 7:
      if (bytes[name] === 117 && is(bytes, name, 'upgrade')) head.upgrade = i;
      break;
    case 10:
      if (bytes[name] === 99 && is(bytes, name, 'connection')) return noticeConnection(head, i);
      break;
    case 14:
      if (bytes[name] === 99 && is(bytes, name, 'content-length')) return noticeContentLength(head, i);
      break;
    case 17:
      if (bytes[name] === 116 && is(bytes, name, 'transfer-encoding')) return noticeTransferEncoding(head, i);
      break;
  }
  return 0;
}

/** Of `TE` only `trailers` concerns us and the server; other codings would be between the client and us. */
function noticeTe(head: Head, i: number): void {
  const start = head.value(i).toLowerCase().indexOf('trailers');
  if (start < 0) {
    head.states[i] = DEAD;
    return;
  }
  const { fields } = head;
  fields[4 * i + VALUE] = fields[4 * i + VALUE]! + start;
  fields[4 * i + VALUE_END] = fields[4 * i + VALUE]! + 'trailers'.length;
  head.states[i] = ODD;
}

/** Several equal Host fields become one; a list or user information in it is refused. */
function noticeHost(head: Head, i: number): number {
  const { bytes, fields } = head;
  for (let at = fields[4 * i + VALUE]!; at < fields[4 * i + VALUE_END]!; at++) {
    const c = bytes[at]!;
    if (c <= SPACE || c === 44 || c === 64 || c === 47 || c === 63 || c === 35) return BAD;
  }
  if (head.host < 0) {
    head.host = i;
    return 0;
  }
  if (head.value(head.host) !== head.value(i)) return BAD;
  head.states[i] = DEAD;
  return 0;
}

/** Digits only; equal repetitions, as fields or as a list, become one (RFC 9110, section 8.6). */
function noticeContentLength(head: Head, i: number): number {
  const { bytes, fields } = head;
  let at = fields[4 * i + VALUE]!;
  const end = fields[4 * i + VALUE_END]!;
  let firstEnd = 0;
  const earlier = head.contentLength >= 0;
  for (;;) {
    let length = 0;
    const start = at;
    while (at < end && bytes[at]! >= 48 && bytes[at]! <= 57) {
      length = length * 10 + bytes[at++]! - 48;
      if (length > Number.MAX_SAFE_INTEGER) return BAD;
    }
    if (at === start) return BAD;
    if (head.contentLength >= 0 && length !== head.contentLength) return BAD;
    head.contentLength = length;
    firstEnd ||= at;
    while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
    if (at === end) break;
    if (bytes[at++] !== 44) return BAD;
    while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
  }
  if (head.hasTransferEncoding) {
    head.ambiguous = true;
    head.states[i] = DEAD;
  } else if (earlier) {
    head.states[i] = DEAD;
  } else if (firstEnd !== end) {
    // A list of equal numbers goes out as its first.
    fields[4 * i + VALUE_END] = firstEnd;
    head.states[i] = ODD;
  }
  return 0;
}

/** `chunked` must be the last coding and stand there once; anything else leaves the length open to interpretation. */
function noticeTransferEncoding(head: Head, i: number): number {
  if (valueIs(head, i, 'chunked') && !head.hasTransferEncoding) head.chunked = true;
  else
    for (const raw of head.value(i).toLowerCase().split(',')) {
      if (head.chunked) return BAD;
      if (withoutBlanks(raw) === 'chunked') head.chunked = true;
      else head.otherCodings = true;
    }
  head.hasTransferEncoding = true;
  if (head.contentLength >= 0) {
    // Transfer-Encoding wins, the length is not forwarded (RFC 9112, section 6.3).
    dropEarlier(head, 'content-length', head.count);
    head.ambiguous = true;
  }
  return 0;
}

/** `close` and `keep-alive` speak of this hop: they are read and made anew. What else the field holds goes on. */
function noticeConnection(head: Head, i: number): number {
  if (valueIs(head, i, 'keep-alive')) head.connectionTokens |= TOKEN.keepAlive;
  else if (valueIs(head, i, 'close')) head.connectionTokens |= TOKEN.close;
  else return noticeConnectionTokens(head, i);
  head.states[i] = DEAD;
  return 0;
}

function noticeConnectionTokens(head: Head, i: number): number {
  const tokens = head.value(i).split(',');
  const kept = tokens.filter((raw) => {
    const token = withoutBlanks(raw).toLowerCase();
    if (token === 'upgrade') head.connectionTokens |= TOKEN.upgrade;
    const own = token === 'close' ? TOKEN.close : token === 'keep-alive' ? TOKEN.keepAlive : 0;
    head.connectionTokens |= own;
    return own === 0;
  });
  const left = withoutBlanks(kept.join(','));
  if (left === '') head.states[i] = DEAD;
  else if (kept.length < tokens.length) {
    // What is left is shorter: it takes the place of the whole.
    const at = head.fields[4 * i + VALUE]!;
    head.fields[4 * i + VALUE_END] = at + head.bytes.latin1Write(left, at);
    head.states[i] = ODD;
  }
  return 0;
}

/** Takes a token out of `Connection`, once the head is complete. */
export function dropConnectionToken(head: Head, token: string): void {
  for (let i = head.find(CONNECTION); i >= 0; i = head.find(CONNECTION, i + 1)) {
    const tokens = head.value(i).split(',');
    const kept = tokens.filter((raw) => withoutBlanks(raw).toLowerCase() !== token);
    if (kept.length === tokens.length) continue;
    const left = withoutBlanks(kept.join(','));
    if (left === '') head.removeAt(i);
    else head.replaceAt(i, left);
  }
}

/** Space and tab only: `trim` would take characters that other parsers keep. */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && (text[start] === ' ' || text[start] === '\t')) start++;
  while (end > start && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
  return text.slice(start, end);
}

/** What a request means as a whole. */
function checkRequest(head: Head): Parsed {
  const { bytes, targetStart, targetEnd } = head;
  if (head.hasTransferEncoding) {
    // A transfer coding that does not end in `chunked` leaves the end of a request unknown.
    if (!head.chunked || head.minor === 0) return BAD;
    if (head.otherCodings) return UNPROCESSABLE;
  }
  if (head.minor === 0 && head.contentLength > 0 && BODILESS.some((method) => isMethod(head, method)))
    return TOO_LARGE;
  const first = bytes[targetStart];
  if (isMethod(head, 'CONNECT')) return checkAuthority(head, targetStart, targetEnd, '');
  if (first === 47) return PARSED.done;
  if (first === 42 && targetEnd - targetStart === 1) return isMethod(head, 'OPTIONS') ? PARSED.done : BAD;
  const scheme = /^(https?):\/\/([^/?]+)/i.exec(head.target);
  if (scheme === null) return BAD;
  const start = targetStart + scheme[1]!.length + 3;
  return checkAuthority(head, start, start + scheme[2]!.length, scheme[1]!.toLowerCase());
}

/**
 * The authority in the target must be what Host says (RFC 9112, section 3.2.2); a missing Host is made from it. A
 * scheme's own port is left out of both.
 */
function checkAuthority(head: Head, start: number, end: number, scheme: string): Parsed {
  const authority = head.slice(start, end);
  if (authority === '' || /[@,/?\s]/.test(authority)) return BAD;
  if (scheme === '' && !/:\d+$/.test(authority)) return BAD;
  const plain = withoutDefaultPort(authority, scheme);
  if (head.host >= 0) {
    const host = head.value(head.host);
    const plainHost = withoutDefaultPort(host, scheme);
    if (plainHost.toLowerCase() !== plain.toLowerCase()) return BAD;
    if (host !== plainHost && !head.replaceAt(head.host, plainHost)) return HEADERS_TOO_LARGE;
  } else {
    if (!head.add(HOST, plain)) return HEADERS_TOO_LARGE;
    head.host = head.count - 1;
  }
  if (scheme === '' || plain === authority) return PARSED.done;
  const target = head.slice(head.targetStart, start) + plain + head.slice(end, head.targetEnd);
  return head.setTarget(target) ? PARSED.done : HEADERS_TOO_LARGE;
}

function withoutDefaultPort(authority: string, scheme: string): string {
  const pattern = scheme === 'http' ? /:80$/ : scheme === 'https' ? /:443$/ : /:(80|443)$/;
  return authority.replace(pattern, '');
}

export function isMethod(head: Head, method: string): boolean {
  return head.methodEnd - head.methodStart === method.length && is(head.bytes, head.methodStart, method);
}

function dropEarlier(head: Head, name: string, before: number): void {
  for (let i = 0; i < before; i++) {
    const start = head.fields[4 * i]!;
    if (head.fields[4 * i + 1]! - start === name.length && is(head.bytes, start, name)) head.states[i] = DEAD;
  }
}

function valueIs(head: Head, i: number, text: string): boolean {
  const start = head.fields[4 * i + VALUE]!;
  if (head.fields[4 * i + VALUE_END]! - start !== text.length) return false;
  for (let j = 0; j < text.length; j++)
    if ((head.bytes[start + j]! | 32) !== (text.charCodeAt(j) | 32)) return false;
  return true;
}

function is(bytes: Buffer, at: number, text: string): boolean {
  for (let j = 0; j < text.length; j++) if (bytes[at + j] !== text.charCodeAt(j)) return false;
  return true;
}
