import { describe, expect, test } from 'vitest';
import { LOG_FIELDS } from '../../../src/proxy/logs/fields.ts';
import { compileLogFormat } from '../../../src/proxy/logs/format.ts';
import { compileHeader } from '../../../src/proxy/logs/header.ts';
import { makeLogger, makeMessenger } from '../../../src/proxy/logs/logger.ts';
import { noServerAvailable, proxyStopped, serverDown, serverUp } from '../../../src/proxy/logs/messages.ts';
import { LogOutputs } from '../../../src/proxy/logs/output.ts';
import { parseLogFormat } from '../../../src/proxy/logs/parse.ts';
import type { LogTarget } from '../../../src/proxy/settings.ts';
import type { DatagramAddress } from '../../../src/sockets/datagram.ts';
import { type TransactionOptions, transaction, world } from '../harness.ts';

process.env.TZ = 'UTC';

const CAPTURES =
  ' capture request header host len 8\n capture request header y len 8\n capture response header z len 8';
const CONTEXT = { file: 'f', line: 1, column: 1 };

/** Lines as HAProxy 2.6 writes them for the same events. */
describe('formats', () => {
  test.each([
    [
      'option httplog',
      '192.0.2.7:4711 [D.007] f b/s 1/0/2/7/12 200 49 - - ---- 0/0/0/0/0 0/0 {h|} {} "GET /x HTTP/1.1"',
    ],
    [
      'option httpslog',
      '192.0.2.7:4711 [D.007] f b/s 1/0/2/7/12 200 49 - - ---- 0/0/0/0/0 0/0 {h|} {} "GET /x HTTP/1.1" 0/-/-/-/0 -/-/-',
    ],
    ['option tcplog\n mode tcp', '192.0.2.7:4711 [D.007] f b/s 0/2/12 49 -- 0/0/0/0/0 0/0'],
    [
      'option httplog clf',
      '192.0.2.7 - - [D +0000] "GET /x HTTP/1.1" 200 49 "" "" 4711 007 "f" "b" "s" 1 0 2 7 12 ---- 0 0 0 0 0 0 0 "" "" "h" "" ""',
    ],
    ['', 'Connect from 192.0.2.7:4711 to 198.51.100.1:80 (f/HTTP)'],
    [
      'log-format "%{+Q}o  %B %ST %ci %cp %r %hr %hs %hrl|%tsc  %b  x%%y %s %{-Q}s %{-Q}CC %CC %[int(5)] %[src] %[env(nope)]"',
      '49 200 "192.0.2.7" 4711 "GET /x HTTP/1.1" "{h|}" "{}" "h" ""|---- "b" x%y "s" s - "" "5" "192.0.2.7" ""',
    ],
    [
      'log-format "%{+X}ci %{+X}cp %HM %HU %HP %HQ %HV %ID %f %ft %si %sp %bi %bp %{+E}[str(a]b)]"',
      'C0000207 1267 GET /x /x - HTTP/1.1 - f f 127.0.0.1 9 - - a\\]b',
    ],
    ['log-format "%T %t %trg %trl %Tl %ms %Ts"', 'D +0000 D.007 D +0000 D +0000 D +0000 007 S'],
  ])('%s', (lines, wanted) => {
    const { logged } = log(lines, { fields: { requestCaptures: ['h'], responseCaptures: [] } });
    expect(logged.map(mask)).toEqual([wanted]);
  });

  test('a request that could not be read', () => {
    const times = {
      idleStart: 100,
      requestStart: -1,
      requestEnd: -1,
      queueEnd: -1,
      connected: -1,
      responseStart: -1,
      end: 100,
    };
    const fields = {
      requestLine: '',
      status: 400,
      bytesOut: 0,
      termination: 'PR',
      server: undefined,
      backend: undefined,
      times,
    };
    const { logged } = log('option httplog', { fields });
    expect(logged.map(mask)).toEqual([
      '192.0.2.7:4711 [D.007] f f/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 0/0/0/0/0 0/0 "<BADREQ>"',
    ]);
  });

  test('what could break a line is encoded', () => {
    const fields = {
      requestLine: 'GET /"#\n\xe9 HTTP/1.1',
      requestCaptures: ['a{b|"c\xe9'],
      responseCaptures: [],
    };
    expect(log('option httplog', { fields }).logged[0]).toMatch(
      / \{a#7Bb#7C#22c#E9\|\} \{\} "GET \/#22#23#0A#E9 HTTP\/1.1"$/,
    );
    expect(log(`log-format '%[str("a\\nb")]'`).logged).toEqual(['a#0Ab']);
  });

  test('values are not lines: nothing for what is missing, control characters as %XX', () => {
    const w = world('listen f\n bind :80');
    const render = (text: string) => {
      const format = parseLogFormat(text, CONTEXT, context());
      return compileLogFormat(format, w.env('f'))(transaction(w.frontend('f')));
    };
    expect(render('a  b %[req.hdr(nope)]|%{+Q}[path]|%ci')).toBe('a  b |/|192.0.2.7');
    expect(render('%[bin(610a62097fe900ff)]')).toBe('a%0Ab\t%7F\xe9');
  });

  test('every variable renders something', () => {
    const fields = LOG_FIELDS.map((row) => `%${row.keyword}`).join('|');
    expect(log(`log-format "${fields}"`).logged[0]!.split('|').length).toBeGreaterThanOrEqual(
      LOG_FIELDS.length,
    );
  });
});

describe('what is logged', () => {
  test.each([
    ['option dontlognull', { requestLine: '', bytesIn: 0, bytesOut: 0 }, undefined],
    ['option dontlognull', { requestLine: '', bytesIn: 5, bytesOut: 0 }, 6],
    ['option dontlog-normal', {}, undefined],
    ['option dontlog-normal', { status: 500 }, 6],
    ['option dontlog-normal', { retries: 1 }, 6],
    ['option log-separate-errors', { status: 503, termination: 'SC' }, 3],
    ['option log-separate-errors', { status: 302, termination: 'LR' }, 6],
    ['', { logLevel: -1 }, undefined],
    ['', { logLevel: 4 }, 4],
  ])('%s %j', (option, fields, level) => {
    const { sent } = log(`option httplog\n ${option}`, { fields });
    expect(sent.map((line) => Number(/^<(\d+)>/.exec(line)![1]) - 16 * 8)).toEqual(
      level === undefined ? [] : [level],
    );
  });

  test('levels, samples and lengths of a target', () => {
    const text = (targets: string) => `${targets}\nlisten f\n mode tcp\n log global\n bind :80`;
    const { w, sent, outputs } = open(
      text('global\n log 127.0.0.1:1 len 80 local0 notice err\n log 127.0.0.1:2 sample 2:3 local0'),
    );
    const message = makeMessenger(w.settings('f'), w.configuration, outputs);
    for (let i = 1; i <= 6; i++) message(6, `info ${i}`);
    message(5, 'x'.repeat(100));
    message(0, 'urgent');
    outputs.flush();
    const byPort = (port: number) => sent.filter((s) => s.port === port).map((s) => s.line);
    expect(byPort(1).map((line) => line.replace(/^<(\d+)>.{15} /, '<$1>'))).toEqual([
      expect.stringMatching(/^<133>haproxy\[\d+\]: x+\n$/),
      expect.stringMatching(/^<131>haproxy\[\d+\]: urgent\n$/),
    ]);
    expect(byPort(1)[0]).toHaveLength(81);
    expect(byPort(2).map((line) => line.slice(-7))).toEqual(
      ['info 2\n', 'info 5\n', 'urgent\n'].map((l) => expect.stringContaining(l)),
    );
  });
});

describe('headers', () => {
  const NOW = Date.UTC(2026, 10, 1, 21, 0, 5, 42);
  test.each([
    ['local', undefined, '<134>Nov  1 21:00:05 haproxy[7]: '],
    ['local', 'here', '<134>Nov  1 21:00:05 here haproxy[7]: '],
    ['rfc3164', undefined, '<134>Nov  1 21:00:05 localhost haproxy[7]: '],
    ['rfc5424', undefined, '<134>1 2026-11-01T21:00:05.042000+00:00 - haproxy 7 - - '],
    ['rfc5424', 'here', '<134>1 2026-11-01T21:00:05.042000+00:00 here haproxy 7 - - '],
    ['short', undefined, '<6>'],
    ['raw', undefined, ''],
    ['timed', undefined, '<6>2026-11-01T21:00:05.042000+00:00 '],
    ['iso', undefined, '2026-11-01T21:00:05.042000+00:00 '],
    ['priority', undefined, '<134>'],
  ] as const)('%s %s', (format, hostname, wanted) => {
    const target: LogTarget = {
      to: { kind: 'fd', fd: 1 },
      format,
      facility: 16,
      level: 7,
      minLevel: 0,
      length: 1024,
    };
    const header = compileHeader(target, { tag: 'haproxy', pid: 7, hostname });
    expect(header(6, NOW)).toBe(wanted);
    expect(header(6, NOW + 1000) === wanted).toBe(['short', 'raw', 'priority'].includes(format));
  });
});

describe('messages', () => {
  const w = world('backend b\n server s 127.0.0.1:9 check\n server t 127.0.0.1:9 backup');
  const server = w.backend('b').servers[0]!;
  test('are HAProxy’s', () => {
    expect(
      serverDown(server, 'Layer4 connection problem, info: "Connection refused", check duration: 0ms', {
        active: 1,
        backup: 0,
      }),
    ).toEqual({
      level: 1,
      text: 'Server b/s is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
    });
    expect(serverUp(server, 'Layer4 check passed, check duration: 0ms', { active: 1, backup: 0 }).text).toBe(
      'Server b/s is UP, reason: Layer4 check passed, check duration: 0ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
    );
    expect(serverDown(server, 'x', { active: 0, backup: 1 }).text).toContain(
      '0 active and 1 backup servers left. Running on backup. 0 sessions',
    );
    expect(noServerAvailable('b')).toEqual({ level: 0, text: 'backend b has no server available!' });
    expect(proxyStopped('f', 2, 0)).toEqual({
      level: 4,
      text: 'Proxy f stopped (cumulated conns: FE: 2, BE: 0).',
    });
  });
});

describe('outputs', () => {
  test('send many lines in one go, in order, and count what is lost', () => {
    const { outputs, sent, calls, refuse } = open('frontend f\n bind :80');
    const output = outputs.of({
      to: { kind: 'udp', host: '127.0.0.1', port: 9 },
      format: 'raw',
      facility: 0,
      level: 7,
      minLevel: 0,
      length: 1024,
    });
    for (let i = 0; i < 100; i++) output.line('h ', `line ${i}`, 1024);
    outputs.flush();
    expect(sent.map((s) => s.line)).toEqual(Array.from({ length: 100 }, (_, i) => `h line ${i}\n`));
    expect(calls()).toBe(2);
    refuse(1);
    output.line('', 'a', 9);
    output.line('', 'b', 9);
    outputs.flush();
    expect([sent.at(-1)!.line, outputs.dropped]).toEqual(['a\n', 1]);
  });

  test('leave by themselves at the end of the turn', async () => {
    const { outputs, sent } = open('frontend f\n bind :80');
    outputs
      .of({ to: { kind: 'unix', path: '/x' }, format: 'raw', facility: 0, level: 7, minLevel: 0, length: 9 })
      .line('', 'a', 9);
    expect(sent).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent.map((s) => s.line)).toEqual(['a\n']);
  });
});

/** A world whose datagrams are kept. */
function open(text: string) {
  const sent: { port: number | string; line: string }[] = [];
  let calls = 0;
  let limit = Number.POSITIVE_INFINITY;
  const outputs = new LogOutputs((address: DatagramAddress) => ({
    send(bytes, ends, count) {
      calls++;
      const taken = Math.min(count, limit);
      for (let i = 0; i < taken; i++)
        sent.push({
          port: address.kind === 'udp' ? address.port : address.path,
          line: bytes.latin1Slice(i === 0 ? 0 : ends[i - 1], ends[i]),
        });
      return taken;
    },
    close() {},
  }));
  const refuse = (n: number) => {
    limit = n;
  };
  return { w: world(text), sent, outputs, calls: () => calls, refuse };
}

function log(lines: string, options: TransactionOptions = {}) {
  const text = `global\n log 127.0.0.1:514 local0\nfrontend f\n bind :80\n log global\n${CAPTURES}\n ${lines}\nbackend b\n server s 127.0.0.1:9`;
  const { w, sent, outputs } = open(text);
  const [backend] = [w.backend('b')];
  const request = 'GET /x HTTP/1.1\r\nhost: h\r\n\r\n';
  const times = {
    idleStart: 100,
    requestStart: 100,
    requestEnd: 101,
    queueEnd: 101,
    connected: 103,
    responseStart: 110,
    end: 112,
  };
  const tx = transaction(w.frontend('f'), {
    request,
    ...options,
    fields: {
      backend,
      server: backend.servers[0],
      status: 200,
      bytesOut: 49,
      bytesIn: 60,
      times,
      ...options.fields,
    },
  });
  makeLogger(w.settings('f'), w.env('f'), outputs)(tx);
  outputs.flush();
  return {
    sent: sent.map((s) => s.line),
    logged: sent.map((s) => s.line.replace(/^<\d+>.*?\]: /, '').replace(/\n$/, '')),
  };
}

/** Dates are those of the accept in the harness, or of now for the request. */
function mask(line: string): string {
  return line
    .replace(/\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d/g, 'D')
    .replace(/D\.\d{3}/g, 'D.007')
    .replace(String(Math.floor(Date.UTC(2026, 10, 21, 21) / 1000)), 'S');
}

function context() {
  return {
    report: () => {},
    later: () => {},
    readFile: () => undefined,
    configuration: undefined,
    place: CONTEXT,
    environment: new Map<string, string>(),
  };
}
