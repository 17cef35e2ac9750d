import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BodyKind } from '../../../src/proxy/http1/body.ts';
import { cut, feed, fieldsOf, oneByOne, type ParsedHead, parse, serialise } from './messages.ts';

const RUNS = { numRuns: 1000 };
const cuts = fc.array(fc.nat(4000), { maxLength: 12 });
const latin1 = (text: string) => Buffer.from(text, 'latin1');

// ── Messages that look like HTTP, right and wrong ──────────────────────────────────────────────────────────────────

/** Mostly right; faults are rare enough that many messages have none. */
function mostly<T>(right: fc.Arbitrary<T>, ...faults: T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 20, arbitrary: right }, { weight: 1, arbitrary: fc.constantFrom(...faults) });
}
const one = (...texts: string[]) => fc.constantFrom(...texts);

const token = fc.string({ unit: one(...'abcXYZ019-_!~'), minLength: 1, maxLength: 12 });
const blanks = one('', ' ', ' ', ' ', '  ', '\t', ' \t ');
const valueText = fc.string({ unit: one(...'abcXYZ 019-_=;,"/\t\xe9\x7f'), maxLength: 30 });
const endOfLine = mostly(
  one('\r\n', '\r\n', '\r\n', '\n', '\r\n \r\n', '\r\n\t x\r\n', '\n  y\n'),
  '\r',
  '\0\r\n',
  '\r\r\n',
);
const plainField = fc.tuple(mostly(token, '', ' a', 'a ', 'a b', '\xe9'), mostly(valueText, 'a\0b'));
const telling = fc.oneof(
  fc.tuple(one('Host'), mostly(one('example.org', 'example.org', 'example.org:80'), 'a@b', 'a,b', 'a/b', '')),
  fc.tuple(
    one('Content-Length'),
    mostly(one('5', '5', '5, 5', '05'), '+5', '5,6', '', '5 5', '0x5', '\x0b5', '6'),
  ),
  fc.tuple(
    one('Transfer-Encoding', 'TRANSFER-ENCODING'),
    mostly(
      one('chunked', 'Chunked'),
      '\x0bchunked',
      'chunked\xa0',
      'gzip, chunked',
      'chunked,',
      'gzip',
      '',
      'chunked;a',
      'identity',
    ),
  ),
  fc.tuple(
    one('Connection'),
    one('close', 'keep-alive, x', 'close ,\tUpgrade, foo', 'Upgrade', ',', 'close, \xa0', 'x\x0b, close', ''),
  ),
  fc.tuple(
    one('TE', 'Upgrade', 'Expect'),
    one('trailers;q=0.5', 'gzip, trailers', 'websocket', '100-continue', ''),
  ),
);
const field = fc
  .tuple(fc.oneof(plainField, telling), blanks, blanks, endOfLine)
  .map(([[n, v], before, after, end]) => `${n}:${before}${v}${after}${end}`);
const requestLine = fc
  .tuple(
    mostly(one('', '', '\r\n', '\n\r\n'), '\r', '\r\r\n'),
    fc.oneof(one('GET', 'POST', 'CONNECT', 'OPTIONS', 'get'), token),
    mostly(one(' '), '  ', '\t', ''),
    mostly(
      one('/', '/a?b=c', '/', '*', 'http://example.org/', 'HTTP://example.org:80', 'example.org:443'),
      'x',
      '/#',
      '/\xe9',
      'http://a@b/',
    ),
    mostly(
      one(' HTTP/1.1', ' HTTP/1.1', ' HTTP/1.0'),
      ' HTTP/2.0',
      '',
      ' HTTP/1.1 ',
      ' http/1.1',
      ' HTTP/1.10',
    ),
    mostly(one('\r\n', '\r\n', '\n'), '\r', '\0\r\n'),
  )
  .map((parts) => parts.join(''));
const statusLine = fc
  .tuple(
    mostly(one('HTTP/1.1 ', 'HTTP/1.0 '), 'HTTP/1.1', 'http/1.1 ', 'HTTP/1.1  '),
    mostly(one('200', '101', '204', '304', '600'), '99', '0', '2000', '20a'),
    mostly(one(' OK', '', ' ', ' a\tb\xe9'), ' a\0b', '\tOK'),
    mostly(one('\r\n', '\r\n', '\n'), '\r'),
  )
  .map((parts) => parts.join(''));
const rest = mostly(one('\r\n', '\r\n', '\r\nbody', '\nbody'), '');
const fields = fc.array(field, { maxLength: 6 }).map((all) => all.join(''));

const requests = fc.tuple(requestLine, fields, rest).map((parts) => latin1(parts.join('')));
const responses = fc.tuple(statusLine, fields, rest).map((parts) => latin1(parts.join('')));
const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

const size = mostly(
  one('5', '05', 'A', '1f', '5', '5;a=b', '5 ', '5\t;x="y"'),
  '',
  '-1',
  '0x5',
  'fffffffffffffff',
  '5 5',
  '0',
  '5;a\0',
);
const chunk = fc
  .tuple(
    size,
    mostly(one('\r\n'), '\n', '\r', ' \n'),
    fc.string({ maxLength: 40 }),
    mostly(one('\r\n'), '', '\n', 'x\r\n'),
  )
  .map(([n, end, data, after]) => {
    const length = Number.parseInt(n, 16);
    return `${n}${end}${length >= 0 && length < 100 ? data.padEnd(length, 'x').slice(0, length) : data}${after}`;
  });
const trailers = fc.oneof(one('', ''), fields);
const bodies = fc
  .tuple(fc.array(chunk, { maxLength: 5 }), mostly(one('0\r\n', '0;x\r\n', '00\r\n'), ''), trailers, rest)
  .map(([chunks, last, more, end]) => latin1(chunks.join('') + last + more + end));

/** Like `parse`, with everything that can be compared. */
function describeHead(kind: 'request' | 'response', pieces: readonly Buffer[]) {
  const parsed = parse(kind, pieces);
  const { outcome, head, length } = parsed;
  if (outcome !== 1) return { outcome };
  const { contentLength, chunked, connectionTokens, minor, status, ambiguous, expectContinue } = head;
  const framing = { contentLength, chunked, connectionTokens, minor, status, ambiguous, expectContinue };
  return { outcome, length, fields: fieldsOf(head), framing, out: serialise(kind, head).toString('latin1') };
}

describe.each(['request', 'response'] as const)('a %s', (kind) => {
  const messages = fc.oneof({ weight: 8, arbitrary: kind === 'request' ? requests : responses }, noise);

  it('means the same whole, cut anywhere, and byte by byte', () => {
    fc.assert(
      fc.property(messages, cuts, (bytes, places) => {
        const whole = describeHead(kind, [Buffer.from(bytes)]);
        // Copies: the parser lower-cases names in its own buffer, never in what it is given.
        expect(describeHead(kind, cut(Buffer.from(bytes), places))).toEqual(whole);
        expect(describeHead(kind, oneByOne(Buffer.from(bytes)))).toEqual(whole);
      }),
      RUNS,
    );
  });

  it('is made here so that many are taken and many refused', () => {
    const outcomes = fc
      .sample(messages, { numRuns: 400, seed: 1 })
      .map((bytes) => parse(kind, [bytes]).outcome);
    expect(outcomes.filter((outcome) => outcome === 1).length).toBeGreaterThan(80);
    expect(outcomes.filter((outcome) => outcome > 1).length).toBeGreaterThan(80);
  });

  it('leaves nothing that two parsers could read differently', () => {
    fc.assert(
      fc.property(messages, (bytes) => {
        const parsed = parse(kind, [bytes]);
        if (parsed.outcome !== 1) return;
        checkOutput(kind, serialise(kind, parsed.head).toString('latin1'), parsed);
      }),
      RUNS,
    );
  });

  it('reads what it writes as the same message', () => {
    fc.assert(
      fc.property(messages, (bytes) => {
        const parsed = parse(kind, [bytes]);
        if (parsed.outcome !== 1) return;
        const out = serialise(kind, parsed.head);
        const again = parse(kind, [out]);
        expect(again.outcome, out.toString('latin1')).toBe(1);
        expect(again.length).toBe(out.length);
        expect(fieldsOf(again.head)).toEqual(fieldsOf(parsed.head));
        expect(again.head.chunked).toBe(parsed.head.chunked);
        if (!parsed.head.chunked) expect(again.head.contentLength).toBe(parsed.head.contentLength);
        expect(serialise(kind, again.head)).toEqual(out);
      }),
      RUNS,
    );
  });
});

function checkOutput(kind: string, out: string, { head }: ParsedHead): void {
  expect(out.endsWith('\r\n\r\n')).toBe(true);
  expect(out.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/);
  const [start, ...lines] = out.slice(0, -4).split('\r\n');
  if (kind === 'request') expect(start).toMatch(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!"$-~]+ HTTP\/1\.[01]$/);
  else expect(start).toMatch(/^HTTP\/1\.[01] [1-9]\d\d /);
  for (const line of lines) expect(line).toMatch(/^[!#$%&'*+.^_`|~0-9a-z-]+: /);
  const framing = lines.filter((line) => /^(content-length|transfer-encoding):/.test(line));
  expect(framing.length).toBeLessThanOrEqual(1);
  if (head.chunked) expect(framing[0]!.toLowerCase()).toBe('transfer-encoding: chunked');
  else if (framing.length > 0) expect(framing[0]).toMatch(/^content-length: \d+$/);
  if (kind === 'request')
    expect(lines.filter((line) => line.startsWith('host:')).length).toBeLessThanOrEqual(1);
}

describe('a body', () => {
  const kinds = fc.constantFrom<BodyKind>('none', 'length', 'chunked', 'close');

  it('is made here so that many come to their end and many break', () => {
    const fed = fc.sample(bodies, { numRuns: 400, seed: 1 }).map((bytes) => feed('chunked', [bytes]));
    expect(fed.filter((each) => each.done).length).toBeGreaterThan(80);
    expect(fed.filter((each) => each.broken).length).toBeGreaterThan(80);
  });

  it('is forwarded the same whole, cut anywhere, and byte by byte', () => {
    fc.assert(
      fc.property(
        fc.oneof({ weight: 5, arbitrary: bodies }, noise),
        cuts,
        kinds,
        fc.nat(60),
        fc.boolean(),
        (bytes, places, kind, length, decode) => {
          const kindOrChunked = length % 3 === 0 ? kind : 'chunked';
          const whole = feed(kindOrChunked, [bytes], { length, decode });
          for (const pieces of [cut(bytes, places), oneByOne(bytes)]) {
            const fed = feed(kindOrChunked, pieces, { length, decode });
            expect({ done: fed.done, broken: fed.broken }).toEqual({
              done: whole.done,
              broken: whole.broken,
            });
            // Size lines are written anew when they came in pieces: what they say is the same.
            expect(sizesPlain(kindOrChunked, decode, fed.forwarded)).toBe(
              sizesPlain(kindOrChunked, decode, whole.forwarded),
            );
            if (whole.done) expect(fed.consumed).toBe(whole.consumed);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('that was chunked and came to its end is plain chunks, which hold what it held', () => {
    fc.assert(
      fc.property(bodies, cuts, (bytes, places) => {
        const whole = feed('chunked', cut(bytes, places));
        if (!whole.done) return;
        const text = whole.forwarded.toString('latin1');
        const { data, trailers } = strictChunks(text);
        expect(data).toBe(feed('chunked', [bytes], { decode: true }).forwarded.toString('latin1'));
        for (const line of trailers) expect(line).toMatch(/^[!#$%&'*+.^_`|~0-9a-z-]+: [^\r\n\0]*$/);
        for (const line of trailers)
          expect(line).not.toMatch(/^(content-length|transfer-encoding|host|connection):/);
        const again = feed('chunked', [whole.forwarded]);
        expect(again).toMatchObject({ done: true, broken: false, consumed: whole.forwarded.length });
        expect(again.forwarded).toEqual(whole.forwarded);
      }),
      { numRuns: 1000 },
    );
  });

  it('that is not complete never looks complete', () => {
    fc.assert(
      fc.property(bodies, cuts, (bytes, places) => {
        const fed = feed('chunked', cut(bytes, places));
        if (!fed.done) expect(() => strictChunks(fed.forwarded.toString('latin1'))).toThrow();
      }),
      { numRuns: 1000 },
    );
  });
});

/** Chunks without leading zeros in their sizes, for what was forwarded as far as it can be read. */
function sizesPlain(kind: BodyKind, decode: boolean, forwarded: Buffer): string {
  const text = forwarded.toString('latin1');
  if (kind !== 'chunked' || decode) return text;
  let out = '';
  let at = 0;
  for (;;) {
    const line = /^([0-9a-fA-F]+)\r\n/.exec(text.slice(at, at + 40));
    if (line === null) return out + text.slice(at);
    const length = Number.parseInt(line[1]!, 16);
    out += `${length.toString(16)}\r\n`;
    at += line[0].length;
    if (length === 0) return out + text.slice(at);
    out += text.slice(at, at + length + 2);
    at += length + 2;
  }
}

/** A reader that forgives nothing. */
function strictChunks(text: string): { data: string; trailers: string[] } {
  let data = '';
  let at = 0;
  for (;;) {
    const line = /^([0-9a-fA-F]{1,13})\r\n/.exec(text.slice(at, at + 40));
    if (line === null) throw new Error(`no size at ${at} of ${JSON.stringify(text)}`);
    const length = Number.parseInt(line[1]!, 16);
    at += line[0].length;
    if (length === 0) break;
    if (text.slice(at + length, at + length + 2) !== '\r\n')
      throw new Error(`no end of chunk at ${at + length}`);
    data += text.slice(at, at + length);
    at += length + 2;
  }
  if (text.startsWith('\r\n', at) && text.length === at + 2) return { data, trailers: [] };
  if (!text.endsWith('\r\n\r\n')) throw new Error('no end');
  return { data, trailers: text.slice(at, -4).split('\r\n') };
}
