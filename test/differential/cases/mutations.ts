import { type Case, get, request, response, type Subject } from '../fixture.ts';

/**
 * Messages made by chance, always the same ones: pieces of the tables beside this file put together at random. Nobody
 * says what must come of them but HAProxy: the engine may be stricter, never laxer.
 * LABLB_SEED=n takes others, LABLB_CASES=n takes more.
 */
const SEED = Number(process.env.LABLB_SEED ?? 1);
const COUNT = Number(process.env.LABLB_CASES ?? 150);

const METHODS = ['PUT', 'HEAD', 'OPTIONS', 'get', 'G\0T', 'GE(T', 'DELETE'];
const TARGETS = [
  '/',
  '/a?b=c',
  '*',
  'http://a.test/',
  'http://b.test/',
  'a',
  '/a b',
  '/\x80',
  '/a#b',
  '//a.test/x',
  '/%00',
  'https://a.test:99999/',
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/0.9',
  'HTTP/11',
  'http/1.1',
  'HTTP/1.1 ',
];
const PLAIN_FIELDS = [
  'Content-Length: 5',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Connection: close',
  'Connection: keep-alive',
  'X-A: b',
  'X-B: c',
  'Cookie: a=1',
];
const FIELDS = [
  'Host: a.test',
  'Host: b.test',
  'Host:',
  'host : a.test',
  'Content-Length: 5',
  'Content-Length: 05',
  'Content-Length: 4',
  'Content-Length: 5, 5',
  'Content-Length: 5,',
  'Content-Length: +5',
  'Content-Length: 5 5',
  'Content-Length:',
  'Content-Length: 0',
  'Content_Length: 7',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding:chunked',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: \x0cchunked',
  'Transfer-Encoding: chunked\x00',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: chunke',
  'Transfer-Encoding: x',
  'Transfer-Encoding:',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: Content-Length',
  'Connection: Transfer-Encoding',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Expect: 200-ok',
  'TE: trailers',
  'X-A: b',
  'X-A: b\r\n c',
  'X-A: b\rc',
  'X-A',
  ': b',
  'X A: b',
  ' X-A: b',
  'X-A: \x01',
  'X\x80: b',
  '',
];
const BODIES = [
  '',
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  '05;x=y\r\nhello\r\n00\r\nX-T: 1\r\n\r\n',
  '5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '5\r\nhelloX\r\n0\r\n\r\n',
  '5\r\nhello\r0\r\n\r\n',
  'ffffffffffffffff5\r\nhello\r\n0\r\n\r\n',
  '0\r\n\r\n',
  '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n',
];
const STATUSES = [
  '200 OK',
  '200 OK',
  '200 OK',
  '204 No Content',
  '304 Not Modified',
  '404 No',
  '101 Switching',
  '100 Continue',
  '20 OK',
  '200',
  '2000 OK',
  '-20 OK',
  'abc OK',
];

// Trailers that carry framing are dropped on purpose: see the tables.
const ANSWER_BODIES = BODIES.filter((body) => !body.includes('Content-Length: 9'));

const chance = generator(SEED);

export const mutatedRequests: Subject = {
  name: 'requests made by chance',
  cases: Array.from({ length: COUNT }, (_, at): Case => {
    const head = request(
      `${mostly(['GET', 'POST'], METHODS)} ${mostly(['/', '/a?b=c'], TARGETS)} ${mostly(['HTTP/1.1'], VERSIONS)}`,
      ['Host: a.test', ...several()],
    );
    const sent = [mutated(head) + some(BODIES), { pause: 60 }, get('/after')];
    return {
      name: `${SEED}/${at}`,
      client: sent,
      expect: 'stricter',
      compare: ['status', 'connection', 'whole'],
    };
  }),
};

export const mutatedResponses: Subject = {
  name: 'responses made by chance',
  cases: Array.from({ length: COUNT }, (_, at): Case => {
    const answer = mutated(response(mostly(['200 OK'], STATUSES), several())) + some(ANSWER_BODIES);
    const server = [[answer, { pause: 40 }, 'CLOSE' as const]];
    return {
      name: `${SEED}/${at}`,
      client: get('/'),
      server,
      expect: 'stricter',
      compare: ['status', 'body'],
    };
  }),
};

function several(): string[] {
  return Array.from({ length: 1 + chance(3) }, () => mostly(PLAIN_FIELDS, FIELDS));
}

/** One in four gets a byte changed, dropped or put in. */
function mutated(text: string): string {
  if (chance(4) > 0) return text;
  const at = chance(text.length);
  const byte = some(['\0', '\r', '\n', ' ', '\t', ':', ',', 'x', '\x7f', '\xff', '0']);
  return text.slice(0, at) + some([byte, '', byte + text[at]]) + text.slice(at + 1);
}

/** Odd ones alone would all be refused for the first oddity. */
function mostly(plain: readonly string[], odd: readonly string[]): string {
  return chance(4) > 0 ? some(plain) : some(odd);
}

function some<T>(list: readonly T[]): T {
  return list[chance(list.length)]!;
}

/** Whole numbers below a bound, the same for the same seed (a linear congruential generator; its high bits are used). */
function generator(seed: number): (below: number) => number {
  let state = BigInt(seed) * 2_654_435_769n + 1n;
  return (below) => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & 0xffff_ffff_ffff_ffffn;
    return Number((state >> 33n) % BigInt(below));
  };
}
