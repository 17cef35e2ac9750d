import { type Case, get, OK, post, REFUSED_BODY, request, response, type Subject } from '../fixture.ts';

/** A chunked POST whose body is sent as it stands, and a second request behind it that shows where the first ended. */
const chunked = (body: string, ...headers: string[]): string =>
  post(body, 'Transfer-Encoding: chunked', ...headers) + get('/second');

const LF_IN_CHUNKS = 'a bare LF ends lines of the head and of trailers, never those of chunks';

const HELLO = '5\r\nhello\r\n0\r\n\r\n';

const smuggling: Case[] = [
  { name: 'Content-Length', client: post('hello', 'Content-Length: 5') + get('/second') },
  { name: 'Content-Length 0', client: post('', 'Content-Length: 0') + get('/second') },
  { name: 'no length at all with POST', client: post('') + get('/second') },
  { name: 'chunked', client: chunked(HELLO) },
  { name: 'Content-Length with leading zeros', client: post('hello', 'Content-Length: 0005') },
  { name: 'Content-Length twice, the same', client: post('hello', 'Content-Length: 5', 'Content-Length: 5') },
  { name: 'Content-Length as a list, the same', client: post('hello', 'Content-Length: 5, 5') },
  {
    name: 'Content-Length twice, differing',
    client: post('hello', 'Content-Length: 5', 'Content-Length: 6'),
  },
  { name: 'Content-Length as a list, differing', client: post('hello', 'Content-Length: 5, 6') },
  { name: 'Content-Length empty', client: post('', 'Content-Length:') },
  { name: 'Content-Length of blanks', client: post('', 'Content-Length:  ') },
  { name: 'Content-Length negative', client: post('hello', 'Content-Length: -5') },
  { name: 'Content-Length with a plus', client: post('hello', 'Content-Length: +5') },
  { name: 'Content-Length in hex', client: post('hello', 'Content-Length: 0x5') },
  { name: 'Content-Length with a letter', client: post('hello', 'Content-Length: 5a') },
  { name: 'Content-Length with a blank within', client: post('hello', 'Content-Length: 1 5') },
  { name: 'Content-Length with a trailing comma', client: post('hello', 'Content-Length: 5,') },
  { name: 'Content-Length with a leading comma', client: post('hello', 'Content-Length: ,5') },
  { name: 'Content-Length with a fraction', client: post('hello', 'Content-Length: 5.0') },
  { name: 'Content-Length beyond 64 bits', client: post('hello', 'Content-Length: 99999999999999999999') },
  { name: 'Content-Length of 2^63', client: post('hello', 'Content-Length: 9223372036854775808') },
  { name: 'a GET with a body', client: get('/', 'Content-Length: 5') + 'hello' + get('/second') },
  {
    name: 'a GET with a body in HTTP/1.0',
    client: request('GET / HTTP/1.0', ['Host: a.test', 'Content-Length: 5'], 'hello'),
  },
  {
    name: 'a POST with a body in HTTP/1.0',
    client: request('POST / HTTP/1.0', ['Host: a.test', 'Content-Length: 5'], 'hello'),
  },
  {
    name: 'a HEAD with a body',
    client: request('HEAD / HTTP/1.1', ['Host: a.test', 'Content-Length: 5'], 'hello') + get('/second'),
  },
  {
    name: 'a DELETE with a chunked body',
    client:
      request('DELETE / HTTP/1.1', ['Host: a.test', 'Transfer-Encoding: chunked'], HELLO) + get('/second'),
  },
  { name: 'both lengths', client: chunked(HELLO, 'Content-Length: 5') },
  {
    name: 'both lengths, Content-Length first',
    client: post(HELLO, 'Content-Length: 5', 'Transfer-Encoding: chunked') + get('/second'),
  },
  {
    name: 'both lengths, Content-Length a trap',
    client: post(
      '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n',
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
    ),
  },
  {
    name: 'Content-Length and an unknown coding',
    client: post('hello', 'Content-Length: 5', 'Transfer-Encoding: foo'),
  },
  { name: 'an unknown coding alone', client: post(HELLO, 'Transfer-Encoding: foo') },
  { name: 'identity', client: post('hello', 'Content-Length: 5', 'Transfer-Encoding: identity') },
  { name: 'an empty coding', client: post(HELLO, 'Transfer-Encoding:') },
  { name: 'gzip, chunked', client: post(HELLO, 'Transfer-Encoding: gzip, chunked') },
  { name: 'chunked, gzip', client: post(HELLO, 'Transfer-Encoding: chunked, gzip') },
  { name: 'chunked, identity', client: post(HELLO, 'Transfer-Encoding: chunked, identity') },
  { name: 'chunked twice in a list', client: post(HELLO, 'Transfer-Encoding: chunked, chunked') },
  {
    name: 'chunked twice in two fields',
    client: post(HELLO, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
  },
  {
    name: 'gzip and chunked in two fields',
    client: post(HELLO, 'Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'),
  },
  {
    name: 'chunked and identity in two fields',
    client: post(HELLO, 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'),
  },
  { name: 'chunked in capitals', client: post(HELLO, 'Transfer-Encoding: CHUNKED') },
  {
    name: 'chunked with a trailing comma',
    client: post(HELLO, 'Transfer-Encoding: chunked,'),
    expect: {
      differs: 'an empty transfer coding is last',
      haproxy: { status: [] },
      engine: { status: [400], forwarded: 0, closed: true },
    },
  },
  {
    name: 'chunked with a leading comma',
    client: post(HELLO, 'Transfer-Encoding: ,chunked'),
    expect: 'stricter',
  },
  { name: 'chunked with a parameter', client: post(HELLO, 'Transfer-Encoding: chunked;q=1') },
  { name: 'chunked in quotes', client: post(HELLO, 'Transfer-Encoding: "chunked"') },
  { name: 'xchunked', client: post(HELLO, 'Transfer-Encoding: xchunked') },
  { name: 'chunked with a vertical tab', client: post(HELLO, 'Transfer-Encoding: \x0bchunked') },
  { name: 'chunked after a blank line fold', client: post(HELLO, 'Transfer-Encoding:', ' chunked') },
  {
    name: 'a blank before the colon of Transfer-Encoding',
    client: post(HELLO, 'Transfer-Encoding : chunked'),
  },
  {
    name: 'a name like Transfer-Encoding with an underscore',
    client: post('', 'Transfer_Encoding: chunked'),
  },
  {
    name: 'chunked in HTTP/1.0',
    client: request('POST /p HTTP/1.0', ['Host: a.test', 'Transfer-Encoding: chunked'], HELLO),
    expect: {
      differs: 'HTTP/1.0 knows no Transfer-Encoding: an old origin would take the chunks for requests',
      haproxy: { status: [200], forwarded: 1 },
      engine: { status: [400], forwarded: 0, closed: true },
    },
  },
  {
    name: 'both lengths in HTTP/1.0',
    client: request(
      'POST /p HTTP/1.0',
      ['Host: a.test', 'Transfer-Encoding: chunked', 'Content-Length: 5'],
      HELLO,
    ),
    expect: {
      differs: 'HTTP/1.0 knows no Transfer-Encoding',
      haproxy: { status: [200], forwarded: 1 },
      engine: { status: [400], forwarded: 0, closed: true },
    },
  },
];

const chunks: Case[] = [
  { name: 'several chunks', client: chunked('3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n') },
  { name: 'a size in capitals', client: chunked('A\r\n0123456789\r\n0\r\n\r\n') },
  { name: 'a size in small letters', client: chunked('a\r\n0123456789\r\n0\r\n\r\n') },
  { name: 'a size with leading zeros', client: chunked('0005\r\nhello\r\n000\r\n\r\n') },
  {
    name: 'a size with very many leading zeros',
    client: chunked(`${'0'.repeat(40)}5\r\nhello\r\n0\r\n\r\n`),
    expect: {
      differs: 'a size of more digits than any length needs',
      haproxy: { status: [200, 200], forwarded: 2 },
      engine: { status: [400], forwarded: 0, closed: true },
    },
  },
  { name: 'no size', client: chunked('\r\nhello\r\n0\r\n\r\n'), compare: REFUSED_BODY },
  { name: 'a size that is no number', client: chunked('x\r\nhello\r\n0\r\n\r\n'), compare: REFUSED_BODY },
  { name: 'a size with 0x', client: chunked('0x5\r\nhello\r\n0\r\n\r\n'), compare: REFUSED_BODY },
  { name: 'a negative size', client: chunked('-5\r\nhello\r\n0\r\n\r\n'), compare: REFUSED_BODY },
  { name: 'a size with a plus', client: chunked('+5\r\nhello\r\n0\r\n\r\n'), compare: REFUSED_BODY },
  { name: 'a blank before the size', client: chunked(' 5\r\nhello\r\n0\r\n\r\n'), compare: REFUSED_BODY },
  { name: 'a blank after the size', client: chunked('5 \r\nhello\r\n0\r\n\r\n') },
  { name: 'a tab after the size', client: chunked('5\t\r\nhello\r\n0\r\n\r\n') },
  { name: 'a size beyond 32 bits', client: chunked('100000005\r\nhello\r\n0\r\n\r\n') },
  {
    name: 'a size beyond 64 bits',
    client: chunked('10000000000000005\r\nhello\r\n0\r\n\r\n'),
    compare: REFUSED_BODY,
  },
  {
    name: 'a size that would wrap',
    client: chunked('fffffffffffffffff\r\nhello\r\n0\r\n\r\n'),
    compare: REFUSED_BODY,
  },
  { name: 'an extension', client: chunked('5;a=b\r\nhello\r\n0;c\r\n\r\n') },
  { name: 'an extension with a quoted string', client: chunked('5;a="b;c"\r\nhello\r\n0\r\n\r\n') },
  { name: 'an extension after blanks', client: chunked('5 ; a=b\r\nhello\r\n0\r\n\r\n') },
  {
    name: 'an extension with a bare LF',
    client: chunked('5;a\nhello\r\n0\r\n\r\n'),
    expect: {
      differs: LF_IN_CHUNKS,
      haproxy: { status: [200, 200], forwarded: 2 },
      engine: { status: [400], forwarded: 0, closed: true },
    },
  },
  { name: 'an extension with a CR', client: chunked('5;a\rb\r\nhello\r\n0\r\n\r\n'), compare: REFUSED_BODY },
  {
    name: 'an extension with a NUL',
    client: chunked('5;a\0b\r\nhello\r\n0\r\n\r\n'),
    expect: {
      differs: 'a control character',
      haproxy: { status: [200, 200], forwarded: 2 },
      engine: { status: [400], forwarded: 0, closed: true },
    },
  },
  {
    name: 'a bare LF after the size',
    client: chunked('5\nhello\r\n0\r\n\r\n'),
    expect: {
      differs: LF_IN_CHUNKS,
      haproxy: { status: [200, 200], forwarded: 2 },
      engine: { status: [400], forwarded: 0, closed: true },
    },
  },
  {
    name: 'a bare LF after the data',
    client: chunked('5\r\nhello\n0\r\n\r\n'),
    expect: {
      differs: LF_IN_CHUNKS,
      haproxy: { status: [200, 200], forwarded: 2 },
      engine: { status: [400], forwarded: 0, closed: true },
    },
  },
  {
    name: 'a bare LF after the last size',
    client: chunked('5\r\nhello\r\n0\n\r\n'),
    expect: {
      differs: LF_IN_CHUNKS,
      haproxy: { status: [200, 200], forwarded: 2 },
      engine: { status: [400], forwarded: 0, closed: true },
    },
  },
  { name: 'a bare LF at the very end', client: chunked('5\r\nhello\r\n0\r\n\n') },
  { name: 'a CR alone after the size', client: chunked('5\rhello\r\n0\r\n\r\n'), compare: REFUSED_BODY },
  { name: 'data longer than its size', client: chunked('3\r\nhello\r\n0\r\n\r\n'), compare: REFUSED_BODY },
  { name: 'data shorter than its size', client: chunked('7\r\nhello\r\n0\r\n\r\n'), compare: REFUSED_BODY },
  { name: 'no CRLF after the data', client: chunked('5\r\nhello0\r\n\r\n'), compare: REFUSED_BODY },
  { name: 'trailers', client: chunked('5\r\nhello\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n', 'Trailer: X-T') },
  { name: 'trailers with bare LF', client: chunked('5\r\nhello\r\n0\r\nX-T: 1\n\r\n') },
  {
    name: 'a trailer that is framing',
    client: chunked('5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n'),
    expect: {
      differs: 'trailers carry neither framing nor routing (RFC 9110, 6.5.1)',
      haproxy: { status: [200, 200], has: 'content-length: 5' },
      engine: { status: [200, 200], lacks: 'content-length: 5' },
    },
  },
  {
    name: 'a trailer that is Host',
    client: chunked('5\r\nhello\r\n0\r\nHost: b.test\r\n\r\n'),
    expect: {
      differs: 'trailers carry neither framing nor routing (RFC 9110, 6.5.1)',
      haproxy: { status: [200, 200], has: 'host: b.test' },
      engine: { status: [200, 200], lacks: 'host: b.test' },
    },
  },
  {
    name: 'a trailer with a blank before the colon',
    client: chunked('5\r\nhello\r\n0\r\nX-T : 1\r\n\r\n'),
    expect: {
      differs:
        'a field that is refused in the head is refused in trailers; 2.6 does so only when it gets them with the head',
      haproxy: {},
      engine: { status: [400], forwarded: 0, closed: true },
    },
  },
  {
    name: 'a trailer without a colon',
    client: chunked('5\r\nhello\r\n0\r\nnonsense\r\n\r\n'),
    compare: REFUSED_BODY,
  },
  { name: 'a folded trailer', client: chunked('5\r\nhello\r\n0\r\nX-T: 1\r\n 2\r\n\r\n') },
  {
    name: 'chunks in pieces',
    client: [
      post('', 'Transfer-Encoding: chunked'),
      '5',
      '\r',
      '\n',
      'hel',
      'lo',
      '\r',
      '\n',
      '0\r\n',
      '\r',
      '\n',
      get('/second'),
    ],
  },
  {
    name: 'a chunked body that ends early',
    client: [post('5\r\nhel', 'Transfer-Encoding: chunked'), 'FIN'],
    compare: REFUSED_BODY,
  },
  {
    name: 'a body of known length that ends early',
    client: [post('hel', 'Content-Length: 5'), 'FIN'],
    compare: REFUSED_BODY,
  },
  {
    name: 'a body in pieces',
    client: [post('he', 'Content-Length: 5'), { pause: 30 }, 'l', { pause: 30 }, 'lo', get('/second')],
  },
  {
    name: 'a body of 100,000 bytes',
    client: post('z'.repeat(100_000), 'Content-Length: 100000') + get('/second'),
  },
  {
    name: 'a chunked body of 100,000 bytes',
    client: chunked(`186a0\r\n${'z'.repeat(100_000)}\r\n0\r\n\r\n`),
  },
  { name: 'a body of 3,000 small chunks', client: chunked(`${'1\r\nz\r\n'.repeat(3000)}0\r\n\r\n`) },
];

/** What the origin says about the length of its own body. */
const answers: Case[] = (
  [
    { name: 'Content-Length', server: [OK] },
    { name: 'chunked', server: [response('200 OK', ['Transfer-Encoding: chunked'], HELLO)] },
    { name: 'until the connection closes', server: [[response('200 OK', [], 'hello'), 'CLOSE']] },
    { name: 'until the connection closes, in HTTP/1.0', server: [['HTTP/1.0 200 OK\r\n\r\nhello', 'CLOSE']] },
    { name: 'an empty body until the connection closes', server: [[response('200 OK'), 'CLOSE']] },
    {
      name: 'Content-Length twice, the same',
      server: [response('200 OK', ['Content-Length: 2', 'Content-Length: 2'], 'ok')],
    },
    {
      name: 'Content-Length twice, differing',
      server: [response('200 OK', ['Content-Length: 2', 'Content-Length: 3'], 'ok')],
    },
    { name: 'Content-Length as a list', server: [response('200 OK', ['Content-Length: 2, 2'], 'ok')] },
    { name: 'Content-Length empty', server: [response('200 OK', ['Content-Length:'], 'ok')] },
    { name: 'Content-Length negative', server: [response('200 OK', ['Content-Length: -2'], 'ok')] },
    { name: 'Content-Length no number', server: [response('200 OK', ['Content-Length: two'], 'ok')] },
    {
      name: 'both lengths',
      server: [response('200 OK', ['Content-Length: 5', 'Transfer-Encoding: chunked'], HELLO)],
    },
    {
      name: 'an unknown coding',
      server: [[response('200 OK', ['Transfer-Encoding: foo'], 'hello'), 'CLOSE']],
    },
    { name: 'gzip, chunked', server: [response('200 OK', ['Transfer-Encoding: gzip, chunked'], HELLO)] },
    { name: 'chunked twice', server: [response('200 OK', ['Transfer-Encoding: chunked, chunked'], HELLO)] },
    {
      name: 'chunked, gzip',
      server: [[response('200 OK', ['Transfer-Encoding: chunked, gzip'], HELLO), 'CLOSE']],
    },
    {
      name: 'trailers',
      server: [
        response(
          '200 OK',
          ['Transfer-Encoding: chunked', 'Trailer: X-T'],
          '5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n',
        ),
      ],
    },
    {
      name: 'chunk extensions',
      server: [response('200 OK', ['Transfer-Encoding: chunked'], '5;a=b\r\nhello\r\n0\r\n\r\n')],
    },
    {
      name: 'a bad chunk size',
      server: [response('200 OK', ['Transfer-Encoding: chunked'], 'x\r\nhello\r\n0\r\n\r\n')],
      expect: {
        differs: 'heads are not held back until the body is seen',
        haproxy: { status: [502, 502] },
        engine: { status: [200], closed: true },
      },
    },
    {
      name: 'a bad chunk size after a good one',
      server: [
        [
          response('200 OK', ['Transfer-Encoding: chunked'], '2\r\nok\r\n'),
          { pause: 50 },
          'x\r\nhello\r\n0\r\n\r\n',
        ],
      ],
    },
    {
      name: 'a bare LF in chunk framing',
      server: [
        [
          response('200 OK', ['Transfer-Encoding: chunked'], '2\r\nok\r\n'),
          { pause: 50 },
          '2\nok\r\n0\r\n\r\n',
        ],
      ],
      expect: {
        differs: LF_IN_CHUNKS,
        haproxy: { status: [200, 200], closed: false },
        engine: { status: [200], closed: true },
      },
    },
    { name: 'bytes after the response', server: [`${OK}garbage`] },
    { name: 'a second response nobody asked for', server: [OK + OK] },
  ] satisfies Omit<Case, 'client'>[]
).map((fixture) => ({
  client: [get('/'), { pause: 60 }, get('/second')],
  ...fixture,
}));

export const framing: Subject = { name: 'framing of requests', cases: smuggling };
export const chunking: Subject = { name: 'chunked bodies', cases: chunks };
export const responseFraming: Subject = { name: 'framing of responses', cases: answers };
