import { describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { startProxy } from '../support/proxy.ts';
import { differences, shortcomings } from './compare.ts';
import { type Aspect, type Case, type Config, DEFAULTS, get, OK, response, web } from './fixture.ts';
import { comparableLine, startLogSink } from './logsink.ts';
import { GENEROUS, type Observation, observe, scriptOf } from './observe.ts';
import { startOrigin } from './origin.ts';
import { judge } from './suite.ts';
import { sideBySide } from './transcript.ts';
import { readRequests, readResponses } from './wire.ts';

/** One case through HAProxy with one configuration, and through HAProxy with another. */
async function through(
  fixture: Case,
  ...configs: readonly [Config, Config]
): Promise<[Observation, Observation]> {
  const observations = configs.map(async (config) => {
    const origin = await startOrigin(scriptOf(fixture));
    const port = '$' + '{port:c}';
    const log = await startLogSink();
    const slot = { id: 'c', port, origin: String(origin.port), dir: '.', log: String(log.port) };
    const text = `${DEFAULTS}${config(slot)}`;
    const proxy = await startProxy(text, { engine: 'haproxy' });
    try {
      return await observe(fixture, { port: proxy.ports.c!, origin, log }, { ...GENEROUS, quiet: 400 });
    } finally {
      await proxy.stop();
      origin.close();
      log.close();
    }
  });
  return (await Promise.all(observations)) as [Observation, Observation];
}

describe.skipIf(!needs('haproxy'))('a difference is seen', () => {
  const cases: { what: Aspect; config: Config; server?: string }[] = [
    { what: 'status', config: web('http-request deny') },
    { what: 'headers', config: web('http-response set-header x-more 1') },
    { what: 'body', config: web('http-request return status 200 content-type text/plain string no') },
    { what: 'connection', config: web('option httpclose') },
    { what: 'origin', config: web('http-request set-header x-more 1') },
    { what: 'origin', config: web('http-request set-method POST') },
    { what: 'bytes', config: web('http-response set-header x-more 1') },
  ];
  for (const { what, config } of cases) {
    test.concurrent(`of ${what}: ${config({ id: '', port: '', origin: '', dir: '', log: '' }).trim().split('\n').at(-1)!.trim()}`, async () => {
      const fixture: Case = { name: 'any', client: get('/'), compare: [what] };
      const [same, other] = await through(fixture, web(), config);
      expect(differences(fixture, same, same)).toEqual([]);
      const found = differences(fixture, same, other);
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(new RegExp(`^${what}:\n    haproxy .*\n    engine `));
    });
  }

  test.concurrent('of log lines', async () => {
    const fixture: Case = { name: 'any', client: get('/'), compare: ['log'] };
    const [plain, http] = await through(
      fixture,
      web('log {log} local0'),
      web('log {log} local0', 'option httplog'),
    );
    expect(differences(fixture, http, http)).toEqual([]);
    expect(differences(fixture, plain, http)).toHaveLength(1);
    expect(comparableLine(http.log[0]!)).toMatch(
      /^<134>127\.0\.0\.1:PORT \[DATE\] c c\/s1 T\/T\/T\/T\/T 200 BYTES - - ---- N\/1\/0\/0\/0 0\/0 "GET \/ HTTP\/1\.1"$/,
    );
  });

  test.concurrent('none between HAProxy and HAProxy', async () => {
    const fixture: Case = { name: 'any', client: get('/') + get('/second') };
    const [left, right] = await through(fixture, web(), web());
    expect(judge(fixture, left, right)).toEqual([]);
    expect(left.origin.length).toBe(1);
  });

  test.concurrent('stricter is allowed where a case says so, laxer never', async () => {
    const fixture: Case = { name: 'any', client: get('/'), expect: 'stricter' };
    const [open, denied] = await through(fixture, web(), web('http-request deny'));
    expect(judge(fixture, open, open)).toEqual([]);
    expect(judge(fixture, open, denied)).toEqual([]);
    expect(judge(fixture, denied, open).at(-1)).toMatch(
      /^the origin received what HAProxy did not send: GET \/ /,
    );
  });

  test.concurrent('both sides are held to what a case says about a difference', async () => {
    const expect_ = {
      differs: 'for a test',
      haproxy: { status: [200], forwarded: 1, closed: false, has: 'GET /' },
      engine: { status: [403], forwarded: 0, closed: true, lacks: 'GET /' },
    };
    const fixture: Case = { name: 'any', client: get('/'), expect: expect_ };
    const [open, denied] = await through(fixture, web(), web('http-request deny'));
    expect(judge(fixture, open, { ...denied, ended: 'FIN' }, false)).toEqual([]);
    expect(judge(fixture, denied, open, false)).toHaveLength(7);
  });
});

describe('a transcript', () => {
  const side = (received: string): Observation => ({
    sent: get('/'),
    received,
    ended: 'open',
    origin: [{ bytes: 'GET / HTTP/1.1\r\n\r\n', ended: 'open' }],
    log: [],
  });

  test('marks the lines that differ', () => {
    const lines = sideBySide(side('HTTP/1.1 200 OK\r\n\r\n'), side('HTTP/1.1 400 Bad\r\n\r\n')).split('\n');
    expect(lines.filter((line) => line.includes('┃'))).toEqual([
      expect.stringMatching(/^HTTP\/1\.1 200 OK\\r\\n +┃ HTTP\/1\.1 400 Bad\\r\\n$/),
    ]);
  });
});

describe('reading what a proxy wrote', () => {
  test('responses: interim, HEAD, chunked with trailers, cut', () => {
    const bytes = [
      response('100 Continue'),
      OK,
      response('200 OK', ['Content-Length: 5']),
      response('200 OK', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\nt: 1\r\n\r\n'),
      response('200 OK', ['Content-Length: 5'], 'abc'),
    ].join('');
    const { messages, rest } = readResponses(bytes, ['POST', 'HEAD', 'GET', 'GET'], true);
    expect(messages.map(({ body, trailers, complete }) => [body, trailers, complete])).toEqual([
      ['', '', true],
      ['ok', '', true],
      ['', '', true],
      ['abc', 't: 1\r\n', true],
      ['abc', '', false],
    ]);
    expect(rest).toBe('');
  });

  test('a body that ends with the connection is complete only if it closed properly', () => {
    const bytes = response('200 OK', [], 'abc');
    expect(readResponses(bytes, ['GET'], true).messages[0]!.complete).toBe(true);
    expect(readResponses(bytes, ['GET'], false).messages[0]!.complete).toBe(false);
  });

  test('requests, and what is none', () => {
    const { messages, rest } = readRequests(`${get('/a')}${get('/b')}nonsense`);
    expect(messages.map((message) => message.startLine)).toEqual(['GET /a HTTP/1.1', 'GET /b HTTP/1.1']);
    expect(rest).toBe('nonsense');
  });

  test('a broken chunk leaves the request incomplete', () => {
    const { messages } = readRequests(
      'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n',
    );
    expect(messages[0]!.complete).toBe(false);
  });

  test('shortcomings are none when nothing is asked', () => {
    expect(shortcomings({}, { sent: '', received: '', ended: 'open', origin: [], log: [] })).toEqual([]);
  });
});

describe('a log line', () => {
  const LINE =
    '<134>Nov 21 21:40:00 haproxy[123]: 127.0.0.1:54321 [21/Nov/2026:21:40:00.123] front back/s1 0/-1/12/3/+15 200 45 - - ---- 7/1/0/0/0 0/0 "GET / HTTP/1.1"';

  test('loses what no two runs share, and nothing else', () => {
    expect(comparableLine(LINE)).toBe(
      '<134>127.0.0.1:PORT [DATE] front back/s1 T/-1/T/T/+T 200 BYTES - - ---- N/1/0/0/0 0/0 "GET / HTTP/1.1"',
    );
  });
});
