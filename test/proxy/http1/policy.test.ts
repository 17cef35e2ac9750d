import { describe, expect, it } from 'vitest';
import { Head, headerName, isFieldValue } from '../../../src/proxy/http1/head.ts';
import { TOKEN } from '../../../src/proxy/http1/parse.ts';
import { cut, feed, fieldsOf, parse, parseText, serialise, verdict } from './messages.ts';

const MORE = 0;
const TAKEN = 1;

const head = (line: string, ...lines: string[]) => `${[line, ...lines].join('\r\n')}\r\n\r\n`;
const get = (...lines: string[]) => head('GET / HTTP/1.1', ...lines);
const post = (...lines: string[]) => head('POST / HTTP/1.1', 'Host: a', ...lines);
const fields = (text: string) => fieldsOf(parseText('request', text).head);
const ok = (...lines: string[]) => head('HTTP/1.1 200 OK', ...lines);

/** What is told apart by a verdict alone: text, verdict, why. */
const REQUESTS: readonly (readonly [string, number, string])[] = [
  [get('Host: a'), TAKEN, 'an ordinary request'],
  [get(), TAKEN, 'a missing Host'],
  [`\r\n\n${get()}`, TAKEN, 'empty lines before it'],
  [get('Host: a').replaceAll('\r\n', '\n'), TAKEN, 'bare LF as ends of lines'],
  ['GET / HTTP/1.1\r\nHost: a\r\n', MORE, 'no blank line yet'],
  ['GET /x HTTP/1.1\rHost: a\r\n\r\n', 400, 'a bare CR after the version'],
  [get('A: b\rc'), 400, 'a bare CR in a value'],
  [get('A: b\0c'), 400, 'NUL in a value'],
  [get('A : b'), 400, 'a blank before the colon'],
  [get(': b'), 400, 'an empty name'],
  [get(' A: b'), 400, 'a fold before any field'],
  [get('A'), 400, 'no colon'],
  [get('A\xe9: b'), 400, 'a name that is no token'],
  [head('GET path HTTP/1.1'), 400, 'a relative target'],
  [head('GET /a#b HTTP/1.1'), 400, '# in the target'],
  [head('GET /\x7f HTTP/1.1'), 400, 'a control character in the target'],
  [head('GET  / HTTP/1.1'), 400, 'two blanks'],
  [head('GET /'), 400, 'HTTP/0.9'],
  [head('GET / HTTP/2.0'), 400, 'another version'],
  [head('GET / http/1.1'), 400, 'a version in small letters'],
  [head('* / HTTP/1.1'), TAKEN, 'a method of any token characters'],
  [head('G(T / HTTP/1.1'), 400, 'a method that is no token'],
  [head('GET * HTTP/1.1'), 400, '* without OPTIONS'],
  [head('OPTIONS * HTTP/1.1'), TAKEN, '* with OPTIONS'],
  [get('Host: a', 'Host: b'), 400, 'two Hosts'],
  [get('Host: a,b'), 400, 'a list in Host'],
  [get('Host: u@a'), 400, 'user information in Host'],
  [head('GET http://a/ HTTP/1.1', 'Host: b'), 400, 'another authority than Host'],
  [head('GET http://A:80/ HTTP/1.1', 'Host: a'), TAKEN, 'the same authority in other words'],
  [head('GET http://u@a/ HTTP/1.1'), 400, 'user information in the target'],
  [head('GET http:///x HTTP/1.1'), 400, 'no authority'],
  [head('CONNECT a:443 HTTP/1.1'), TAKEN, 'CONNECT'],
  [head('CONNECT a HTTP/1.1'), 400, 'CONNECT without a port'],
  [head('CONNECT http://a:80 HTTP/1.1'), 400, 'CONNECT to more than an authority'],
  [post('Content-Length: 5', 'Content-Length: 5'), TAKEN, 'equal lengths'],
  [post('Content-Length: 5, 5'), TAKEN, 'equal lengths in a list'],
  [post('Content-Length: 5', 'Content-Length: 6'), 400, 'differing lengths'],
  [post('Content-Length: 5,6'), 400, 'differing lengths in a list'],
  [post('Content-Length:'), 400, 'an empty length'],
  [post('Content-Length: +5'), 400, 'a length with a sign'],
  [post('Content-Length: 0x5'), 400, 'a hexadecimal length'],
  [post('Content-Length: 5,'), 400, 'a length and a comma'],
  [post('Content-Length: 99999999999999999999'), 400, 'a length beyond what can be counted'],
  [post('Transfer-Encoding: chunked'), TAKEN, 'chunked'],
  [post('Transfer-Encoding: CHUNKED'), TAKEN, 'chunked in capitals'],
  [post('Transfer-Encoding: chunked, chunked'), 400, 'chunked twice'],
  [post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), 400, 'chunked in two fields'],
  [post('Transfer-Encoding: chunked,'), 400, 'chunked and a comma'],
  [post('Transfer-Encoding: \x0bchunked'), 400, 'chunked after a vertical tab'],
  [post('Transfer-Encoding: \xa0chunked'), 400, 'chunked after a no-break space'],
  [post('Transfer-Encoding: chunked, gzip'), 400, 'chunked that is not last'],
  [post('Transfer-Encoding: gzip'), 400, 'a body without end'],
  [post('Transfer-Encoding: gzip, chunked'), 422, 'a coding that is not ours to read'],
  [post('Transfer-Encoding:'), 400, 'an empty coding'],
  [post('Transfer-Encoding: chunked').replace('1.1', '1.0'), 400, 'chunks in HTTP/1.0'],
  [get(...Array.from({ length: 100 }, (_, i) => `x-${i}: y`)), TAKEN, '100 fields'],
  [get(...Array.from({ length: 101 }, (_, i) => `x-${i}: y`)), 400, '101 fields'],
  [head(`GET /${'a'.repeat(15_000)} HTTP/1.1`), TAKEN, 'a target of 15,000 bytes'],
  [head(`GET /${'a'.repeat(17_000)} HTTP/1.1`), 414, 'a target larger than the buffer'],
  [get(`A: ${'a'.repeat(15_000)}`), TAKEN, 'a value of 15,000 bytes'],
  [get(`A: ${'a'.repeat(16_000)}`), 431, 'a value larger than the buffer'],
];

describe('a request', () => {
  it.each(REQUESTS.map(([text, expected, why]) => ({ text, expected, why })))(
    'with $why: $expected',
    ({ text, expected }) => {
      expect(verdict(text)).toBe(expected);
    },
  );

  it('with Transfer-Encoding and Content-Length loses the length and its connection, in either order', () => {
    for (const lines of [
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked', 'Content-Length: 5'],
    ]) {
      const { head } = parseText('request', post(...lines));
      expect(fieldsOf(head)).toEqual(['host: a', 'transfer-encoding: chunked']);
      expect(head).toMatchObject({ chunked: true, ambiguous: true });
    }
  });

  it('has its folds become spaces', () => {
    expect(fields(get('A: b\r\n\tc', 'D:\r\n e', 'F: g\n   h '))).toEqual(['a: b   c', 'd: e', 'f: g    h']);
  });

  it('has equal Hosts and lengths merged', () => {
    expect(fields(post('Host: a', 'Content-Length: 5, 5', 'Content-Length: 5'))).toEqual([
      'host: a',
      'content-length: 5',
    ]);
  });

  it('gets the Host that its target names', () => {
    expect(fields(head('GET http://a.example/x HTTP/1.1'))).toEqual(['host: a.example']);
  });

  it('keeps from Connection what does not speak of this hop', () => {
    const { head } = parseText(
      'request',
      get('Connection: close, X-A', 'Connection: Upgrade', 'Connection: keep-alive'),
    );
    expect(head.connectionTokens).toBe(TOKEN.close | TOKEN.upgrade | TOKEN.keepAlive);
    expect(fieldsOf(head)).toEqual(['connection: X-A', 'connection: Upgrade']);
  });

  it('says of TE only that trailers may come', () => {
    expect(fields(get('TE: gzip;q=1, Trailers', 'TE: deflate'))).toEqual(['te: Trailers']);
  });

  it('is refused in time that grows with its length only', () => {
    const blanks = ' '.repeat(14_000);
    const started = performance.now();
    for (let i = 0; i < 20; i++) verdict(post(`Transfer-Encoding: a${blanks}b`, 'A: b'));
    for (let i = 0; i < 20; i++) verdict(get(`Connection: a${blanks}b,c`));
    // Quadratic it would be some seconds.
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

const RESPONSES: readonly (readonly [string, boolean, string])[] = [
  [ok(), true, 'an ordinary one'],
  [head('HTTP/1.1 200'), true, 'no reason'],
  [head('HTTP/1.0 404 Not\tFound\xe9'), true, 'any text as its reason'],
  [head('HTTP/1.1 20 OK'), false, 'a status of two digits'],
  [head('HTTP/1.1 2000 OK'), false, 'a status of four digits'],
  [head('HTTP/1.1 099 OK'), false, 'a status below 100'],
  [head('HTTP/1.1 200 a\0b'), false, 'NUL in the reason'],
  [head('HTTP/1.1  200 OK'), false, 'two blanks'],
  [head('ICY 200 OK'), false, 'another protocol'],
  [ok('Content-Length: 5', 'Content-Length: 6'), false, 'differing lengths'],
  [ok('Transfer-Encoding: chunked, gzip'), false, 'chunked that is not last'],
  [ok('Transfer-Encoding: gzip, chunked'), false, 'a coding that is not ours to read'],
  [ok('Transfer-Encoding: chunked').replace('1.1', '1.0'), false, 'chunks in HTTP/1.0'],
  [ok(`A: ${'a'.repeat(16_000)}`), false, 'a head larger than the buffer'],
];

describe('a response', () => {
  it.each(RESPONSES.map(([text, taken, why]) => ({ text, taken, why })))(
    'with $why: $taken',
    ({ text, taken }) => {
      const { outcome } = parseText('response', text);
      if (taken) expect(outcome).toBe(TAKEN);
      else expect(outcome).toBeGreaterThan(TAKEN);
    },
  );
});

describe('edits of a head', () => {
  const X = headerName('X-A');

  it('add, replace and remove fields, and leave the others as they were', () => {
    const { head } = parseText('request', get('X-A: 1', 'B:2', 'x-a: 3'));
    expect(head.getAll(X)).toEqual(['1', '3']);
    head.replaceAt(head.find(X), 'one');
    head.add(headerName('c'), '4');
    expect(fieldsOf(head)).toEqual(['x-a: one', 'b: 2', 'x-a: 3', 'c: 4']);
    head.set(X, 'all');
    head.setTarget('/new?a');
    expect(serialise('request', head).toString()).toBe(
      'GET /new?a HTTP/1.1\r\nb: 2\r\nc: 4\r\nx-a: all\r\n\r\n',
    );
  });

  it('never end a line, not even with characters that become CR or LF as bytes', () => {
    const { head } = parseText('request', get('A: b'));
    for (const value of ['a\r\nb: c', 'a\n', '\0', 'a\u010ab', '\u0d0d'])
      expect([isFieldValue(value), head.add(X, value), head.replaceAt(0, value)]).toEqual([
        false,
        false,
        false,
      ]);
    expect(fieldsOf(head)).toEqual(['a: b']);
  });

  it('stop when the reserve is used up, and change nothing then', () => {
    const head = new Head(256, 16);
    const [request] = [Buffer.from(get('A: b'))];
    head.take(request, 0, 100);
    expect(parse('request', [request]).outcome).toBe(TAKEN);
    expect(head.add(X, 'c'.repeat(300))).toBe(false);
    expect(head.count).toBe(0);
  });

  it('may be more than there were fields', () => {
    const { head } = parseText('request', get('A: b'));
    for (let i = 0; i < 400; i++) expect(head.add(X, String(i))).toBe(true);
    expect(head.getAll(X)).toHaveLength(400);
  });
});

const HELLO = '5\r\nhello\r\n0\r\n\r\n';
const CHUNKS: readonly (readonly [string, string | undefined, string])[] = [
  [HELLO, HELLO, 'plain'],
  ['5;a="b;c"\r\nhello\r\n0;x\r\n\r\n', HELLO, 'with extensions'],
  ['5 \t ;a\r\nhello\r\n0 \r\n\r\n', HELLO, 'with blanks after sizes'],
  ['5 5\r\nhello\r\n0\r\n\r\n', undefined, 'with two sizes on a line'],
  ['5\nhello\r\n0\r\n\r\n', undefined, 'with a bare LF after a size'],
  ['5;a\nhello\r\n0\r\n\r\n', undefined, 'with a bare LF after an extension'],
  ['5\r\nhello\n0\r\n\r\n', undefined, 'with a bare LF after a chunk'],
  ['5\r\nhelloX\r\n0\r\n\r\n', undefined, 'with a chunk that is too long'],
  ['\r\nhello\r\n', undefined, 'without a size'],
  ['-5\r\nhello\r\n', undefined, 'with a negative size'],
  ['0x5\r\nhello\r\n', undefined, 'with 0x'],
  ['fffffffffffffffff\r\n', undefined, 'with a size beyond what can be counted'],
  [`5;${'a'.repeat(9000)}\r\nhello\r\n`, undefined, 'with an extension without end'],
  ['0\r\nA: b\r\nC:d \r\n\r\n', '0\r\na: b\r\nc: d\r\n\r\n', 'with trailers'],
  ['0\r\nA: b\n\n', '0\r\na: b\r\n\r\n', 'with bare LF in trailers'],
  ['0\r\nContent-Length: 3\r\nHost: x\r\nA: b\r\n\r\n', '0\r\na: b\r\n\r\n', 'with trailers that are none'],
  ['0\r\nA : b\r\n\r\n', undefined, 'with a broken trailer'],
  [`0\r\nA: ${'b'.repeat(9000)}\r\n\r\n`, undefined, 'with trailers that are too large'],
  [`0\r\nA: ${'b'.repeat(5000)}\r\n\r\n`, `0\r\na: ${'b'.repeat(5000)}\r\n\r\n`, 'with long trailers'],
];

describe('chunks', () => {
  it.each(CHUNKS.map(([text, out, why]) => ({ text, out, why })))('$why', ({ text, out }) => {
    for (const rest of ['', 'GET /next HTTP/1.1\r\n']) {
      const fed = feed('chunked', [Buffer.from(text + rest)]);
      expect(fed.broken).toBe(out === undefined);
      if (out === undefined) continue;
      expect(fed).toMatchObject({ done: true, consumed: text.length });
      expect(fed.forwarded.toString()).toBe(out);
    }
  });

  it('become the bare body for who knows no chunks', () => {
    const bytes = Buffer.from('5;x\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n');
    expect(feed('chunked', cut(bytes, [3, 7, 12]), { decode: true }).forwarded.toString()).toBe('hello!');
  });
});
