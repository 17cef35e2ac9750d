/** `option httpchk` and `http-check`: the request that goes out, and what its answer says of the server. */
import type { Server } from '../model.ts';
import type { CheckSettings } from '../settings.ts';
import { stateText } from './counter.ts';
import type { CheckOutcome, Judge } from './steps.ts';

type HttpRequest = NonNullable<CheckSettings['http']>;

const DEFAULT_REQUEST: HttpRequest = { method: 'OPTIONS', uri: '/', version: 'HTTP/1.0', headers: [] };
/** Bytes of an answer that are looked at, as HAProxy's buffer bounds them. */
const ENOUGH = 16384;

/** Makes the bytes of the request; they differ from check to check with `http-check send-state` only. */
export function httpRequest(check: CheckSettings, node: string): (server: Server) => Buffer {
  if (!check.sendState) {
    const bytes = requestBytes(check.http ?? DEFAULT_REQUEST, []);
    return () => bytes;
  }
  return (server) =>
    requestBytes(check.http ?? DEFAULT_REQUEST, [
      { name: 'x-haproxy-server-state', value: describe(server, node) },
    ]);
}

function requestBytes(request: HttpRequest, extra: HttpRequest['headers']): Buffer {
  const body = Buffer.from(request.body ?? '', 'latin1');
  const headers = request.headers
    .map(({ name, value }) => ({ name: name.toLowerCase(), value }))
    .filter(({ name }) => name !== 'connection' && name !== 'content-length');
  if (body.length > 0) headers.push({ name: 'content-length', value: String(body.length) });
  headers.push(...extra);
  if (request.version === 'HTTP/1.1') headers.push({ name: 'connection', value: 'close' });
  const lines = headers.map(({ name, value }) => `${name}: ${value}\r\n`).join('');
  const head = Buffer.from(`${request.method} ${request.uri} ${request.version}\r\n${lines}\r\n`, 'latin1');
  return Buffer.concat([head, body]);
}

/** Value of X-Haproxy-Server-State (configuration manual, `http-check send-state`). */
function describe(server: Server, node: string): string {
  const { backend, counters } = server;
  const total = backend.usable.reduce((sum, each) => sum + each.weight, 0);
  return [
    stateText(server),
    `address=${server.address}`,
    `port=${server.port}`,
    `name=${backend.name}/${server.name}`,
    `node=${node}`,
    `weight=${server.weight}/${total}`,
    `scur=${counters.scur}/${backend.counters.scur}`,
    `qcur=${counters.qcur}`,
  ].join('; ');
}

/** Without `http-check expect` any 2xx or 3xx is right. */
export function expectHttp(check: CheckSettings): Judge {
  const { kind, value, negate } = check.expect ?? { kind: 'rstatus', value: '^[23]', negate: false };
  const judge = EXPECTATIONS[kind](value, negate);
  return (received, ended, server) => {
    const answer = parseAnswer(received, ended || received.length >= ENOUGH);
    if (answer === undefined) return undefined;
    if (answer === 'invalid') return { status: 'L7RSP', code: 0, info: '' };
    // A 404 counts as "no more sessions, please" only from a server that was up.
    if (answer.status === 404 && check.disableOn404 && server.up)
      return { status: 'L7OKC', code: 404, info: '' };
    return judge(answer);
  };
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
  /** Nothing will be added to the body. */
  readonly complete: boolean;
}

type Expectation = (answer: Answer) => CheckOutcome | undefined;

const EXPECTATIONS: Record<
  NonNullable<CheckSettings['expect']>['kind'],
  (value: string, negate: boolean) => Expectation
> = {
  status: (value, negate) => {
    const ranges = value.split(',').map((each) => each.split('-').map(Number));
    return expectStatus(
      (status) => ranges.some(([low, high]) => status >= low! && status <= (high ?? low!)),
      negate,
    );
  },
  rstatus: (value, negate) => {
    const pattern = new RegExp(value);
    return expectStatus((status) => pattern.test(String(status)), negate);
  },
  string: (value, negate) => expectBody((body) => body.includes(value), negate),
  rstring: (value, negate) => {
    const pattern = new RegExp(value);
    return expectBody((body) => pattern.test(body), negate);
  },
};

function expectStatus(matches: (status: number) => boolean, negate: boolean): Expectation {
  return ({ status, reason }) =>
    matches(status) !== negate
      ? { status: 'L7OK', code: status, info: '' }
      : { status: 'L7STS', code: status, info: reason };
}

function expectBody(matches: (body: string) => boolean, negate: boolean): Expectation {
  const fail = (info: string): CheckOutcome => ({ status: 'L7RSP', code: 0, info });
  return ({ status, body, complete }) => {
    if (body === '') return complete ? fail('HTTP content check could not find a response body') : undefined;
    if (matches(body))
      return negate
        ? fail('HTTP check matched unwanted content')
        : { status: 'L7OK', code: status, info: '' };
    if (!complete) return undefined;
    return negate ? { status: 'L7OK', code: status, info: '' } : fail('HTTP content check did not match');
  };
}

/** `undefined`: more bytes are needed. Leaves the strictness of a proxied answer aside: nothing is forwarded here. */
function parseAnswer(received: Buffer, ended: boolean): Answer | 'invalid' | undefined {
  const text = received.latin1Slice();
  if (!'HTTP/1.'.startsWith(text.slice(0, 7))) return 'invalid';
  const blank = /\n\r?\n/.exec(text);
  if (blank === null) return ended ? 'invalid' : undefined;
  const head = text.slice(0, blank.index + 1);
  const line = /^HTTP\/1\.[01] +(\d{1,3})(?: ([^\r\n]*))?\r?\n/.exec(head);
  if (line === null) return 'invalid';
  const { body, complete } = readBody(head, text.slice(blank.index + blank[0].length));
  return { status: Number(line[1]), reason: line[2] ?? '', body, complete: complete || ended };
}

function readBody(head: string, rest: string): { body: string; complete: boolean } {
  if (/^transfer-encoding:[ \t]*chunked[ \t]*\r?$/im.test(head)) return readChunks(rest);
  const length = /^content-length:[ \t]*(\d+)[ \t]*\r?$/im.exec(head)?.[1];
  if (length === undefined) return { body: rest, complete: false };
  return { body: rest.slice(0, Number(length)), complete: rest.length >= Number(length) };
}

function readChunks(rest: string): { body: string; complete: boolean } {
  let body = '';
  for (;;) {
    const size = /^([0-9a-f]{1,8})[^\r\n]*\r\n/i.exec(rest);
    if (size === null) return { body, complete: false };
    const length = Number.parseInt(size[1]!, 16);
    if (length === 0) return { body, complete: true };
    body += rest.slice(size[0].length, size[0].length + length);
    rest = rest.slice(size[0].length + length + 2);
  }
}
