/**
 * A loose reader of HTTP/1 for what the proxies wrote: it must show nonsense, not refuse it.
 * Bytes are latin1 strings.
 */
export interface Message {
  readonly startLine: string;
  /** Name as written, value without surrounding blanks, in order. */
  readonly headers: readonly (readonly [string, string])[];
  /** Decoded, when chunked. */
  readonly body: string;
  readonly trailers: string;
  /** Whether the body ended as its framing announced; a body that ends with the connection is complete when it closed. */
  readonly complete: boolean;
}

export interface Reading {
  readonly messages: readonly Message[];
  /** Bytes after the last message. */
  readonly rest: string;
}

/** Read responses; `methods` are those of the requests, in order, and `closed` whether the connection ended properly. */
export function readResponses(bytes: string, methods: readonly string[], closed: boolean): Reading {
  const messages: Message[] = [];
  let rest = bytes;
  let answered = 0;
  while (rest.length > 0) {
    const head = readHead(rest);
    if (!head?.startLine.startsWith('HTTP/')) break;
    const status = Number(head.startLine.split(' ')[1]);
    const interim = status >= 100 && status < 200;
    const method = interim ? '' : methods[answered++];
    const bodiless = interim || status === 204 || status === 304 || method === 'HEAD';
    const { rest: after, ...body } = bodiless ? { ...NO_BODY, rest: head.rest } : readBody(head, closed);
    messages.push({ startLine: head.startLine, headers: head.headers, ...body });
    rest = after;
    if (status === 101) break;
  }
  return { messages, rest };
}

/** Read requests as an origin would. */
export function readRequests(bytes: string): Reading {
  const messages: Message[] = [];
  let rest = bytes;
  for (;;) {
    const first = readRequest(rest);
    if (!first) return { messages, rest };
    messages.push(first.message);
    rest = first.rest;
    if (!first.message.complete) return { messages, rest };
  }
}

/** The first request and what follows it; undefined while its head is not whole, or is not one. */
export function readRequest(bytes: string): { message: Message; rest: string } | undefined {
  const head = readHead(bytes);
  if (!head || !/ HTTP\/\d/.test(head.startLine)) return undefined;
  const framed = field(head.headers, 'transfer-encoding') ?? field(head.headers, 'content-length');
  const { rest, ...body } = framed === undefined ? { ...NO_BODY, rest: head.rest } : readBody(head, false);
  return { message: { startLine: head.startLine, headers: head.headers, ...body }, rest };
}

/** Methods of the requests that a client sent, as far as lines that look like request lines tell. */
export function methodsOf(bytes: string): string[] {
  return [...bytes.matchAll(/^([A-Z]+) \S+ HTTP\/1\.[01]\r?$/gm)].map(([, method]) => method!);
}

export function field(headers: Message['headers'], name: string): string | undefined {
  return headers.find(([other]) => other.toLowerCase() === name)?.[1];
}

interface Head {
  readonly startLine: string;
  readonly headers: Message['headers'];
  readonly rest: string;
}

interface Body {
  readonly body: string;
  readonly trailers: string;
  readonly complete: boolean;
  readonly rest: string;
}

const NO_BODY: Body = { body: '', trailers: '', complete: true, rest: '' };

function readHead(bytes: string): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [startLine, ...lines] = bytes.slice(0, end).split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')] as const;
  });
  return { startLine: startLine!, headers, rest: bytes.slice(end + 4) };
}

function readBody(head: Head, closed: boolean): Body {
  const coding = field(head.headers, 'transfer-encoding');
  if (coding !== undefined && /chunked\s*$/i.test(coding)) return readChunks(head.rest);
  const length = field(head.headers, 'content-length');
  if (length === undefined) return { body: head.rest, trailers: '', complete: closed, rest: '' };
  const body = head.rest.slice(0, Number(length));
  return { body, trailers: '', complete: body.length === Number(length), rest: head.rest.slice(body.length) };
}

/** What is left of a body that is cut or broken is framing, and of no use. */
function readChunks(bytes: string): Body {
  let body = '';
  let rest = bytes;
  for (;;) {
    const size = /^([0-9a-fA-F]+)\r\n/.exec(rest);
    if (!size) return { body, trailers: '', complete: false, rest: '' };
    const length = Number.parseInt(size[1]!, 16);
    if (length === 0) {
      const trailers = /^0+\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(rest);
      if (!trailers) return { body, trailers: '', complete: false, rest: '' };
      return { body, trailers: trailers[1]!, complete: true, rest: rest.slice(trailers[0].length) };
    }
    const data = rest.slice(size[0].length, size[0].length + length);
    body += data;
    const after = rest.slice(size[0].length + length);
    if (!after.startsWith('\r\n')) return { body, trailers: '', complete: false, rest: '' };
    rest = after.slice(2);
  }
}
