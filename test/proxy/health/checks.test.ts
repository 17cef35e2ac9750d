import { describe, expect, it } from 'vitest';
import { type CheckEvent, startChecks } from '../../../src/proxy/health/checks.ts';
import { stateText } from '../../../src/proxy/health/counter.ts';
import { OBSERVED, observedStatus } from '../../../src/proxy/health/observe.ts';
import type { CheckSettings, ProxySettings, ServerSettings } from '../../../src/proxy/settings.ts';
import { answers, kinds, OK } from './cases.ts';
import {
  backendOf,
  FakeClock,
  FakeTransport,
  proxyOf,
  proxySettings,
  type Script,
  serverSettings,
} from './fakes.ts';

const HERE = '127.0.0.1:80';

function lab(
  options: {
    check?: Partial<CheckSettings>;
    server?: Partial<ServerSettings>;
    proxy?: Partial<ProxySettings>;
    script?: Script;
    spread?: number;
  } = {},
) {
  const clock = new FakeClock();
  const transport = new FakeTransport(clock);
  transport.servers.set(HERE, options.script ?? {});
  const check = {
    type: 'tcp',
    disableOn404: false,
    sendState: false,
    tcpSteps: [],
    ...options.check,
  } as CheckSettings;
  const backend = backendOf(proxySettings('web', { check, ...options.proxy }), [
    serverSettings('a', options.server),
  ]);
  const events: CheckEvent[] = [];
  const proxy = proxyOf({ backends: [backend] }, { node: 'n1', spreadChecks: options.spread ?? 0 });
  const checks = startChecks(proxy, transport, clock, (event) => events.push(event), { random: () => 0.5 });
  return { clock, transport, backend, server: backend.servers[0]!, events, checks };
}

describe('rise and fall', () => {
  it('takes a dead server out within fall × inter, and back in after rise', () => {
    const { clock, transport, server, events } = lab();
    clock.advance(100);
    expect([server.up, server.health, stateText(server)]).toEqual([true, 4, 'UP']);
    transport.servers.delete(HERE);
    clock.advance(4000);
    expect([server.up, server.health, stateText(server)]).toEqual([true, 2, 'UP 1/3']);
    clock.advance(2000);
    expect([server.up, server.health, stateText(server)]).toEqual([false, 0, 'DOWN']);
    expect(events.at(-1)).toMatchObject({
      kind: 'down',
      status: 'L4CON',
      info: 'Connection refused',
      duration: 0,
    });
    transport.servers.set(HERE, {});
    clock.advance(2000);
    expect([server.up, stateText(server)]).toEqual([false, 'DOWN 1/2']);
    clock.advance(2000);
    expect([server.up, stateText(server)]).toEqual([true, 'UP']);
    expect(events.map((e) => e.kind)).toEqual([
      'check',
      'check',
      'check',
      'check',
      'down',
      'check',
      'check',
      'up',
    ]);
    expect([server.check.failures, server.check.downs]).toEqual([3, 1]);
  });

  it('is down after the first failure when it never passed a check', () => {
    const { clock, server } = lab({ script: { refuse: 'ECONNREFUSED' } });
    expect(stateText(server)).toBe('UP 1/3');
    clock.advance(1);
    expect(server.up).toBe(false);
  });

  it('waits inter, fastinter and downinter', () => {
    const { clock, transport } = lab({ server: { fastInter: 500, downInter: 4000 } });
    clock.advance(1);
    transport.servers.delete(HERE);
    clock.advance(20_000);
    // up: 2 s; two times in transition: 0.5 s; down: 4 s
    expect(transport.connects.map((c) => c.at)).toEqual([0, 2000, 2500, 3000, 7000, 11_000, 15_000, 19_000]);
  });

  it('spreads first checks over the shortest interval of at least a second', () => {
    const clock = new FakeClock();
    const transport = new FakeTransport(clock);
    const servers = [1, 2, 3, 4].map((i) => serverSettings(`s${i}`, { port: 80 + i }));
    const proxy = proxyOf({ backends: [backendOf(proxySettings('web'), servers)] });
    startChecks(proxy, transport, clock, () => {});
    clock.advance(1999);
    expect(transport.connects.map((c) => c.at)).toEqual([0, 500, 1000, 1500]);
  });

  it('spreads by spread-checks percent', () => {
    const clock = new FakeClock();
    const transport = new FakeTransport(clock);
    transport.servers.set(HERE, {});
    const backend = backendOf(proxySettings('web'), [serverSettings('a')]);
    const proxy = proxyOf({ backends: [backend] }, { spreadChecks: 50 });
    startChecks(proxy, transport, clock, () => {}, { random: () => 0 });
    clock.advance(3000);
    expect(transport.connects.map((c) => c.at)).toEqual([0, 3000]);
  });

  it('leaves a server alone in maintenance or with checks disabled, and stops for good', () => {
    const { clock, transport, server, checks } = lab();
    server.setAdmin('maint');
    transport.servers.delete(HERE);
    clock.advance(10_000);
    expect(transport.connects).toHaveLength(0);
    server.setAdmin('ready');
    server.check.enabled = false;
    clock.advance(10_000);
    expect(transport.connects).toHaveLength(0);
    server.check.enabled = true;
    clock.advance(2000);
    expect(transport.connects).toHaveLength(1);
    checks.stop();
    expect(clock.waiting).toBe(0);
  });

  it('checks another address and port when told so', () => {
    const { clock, transport } = lab({ server: { checkAddr: '127.0.0.9', checkPort: 99 } });
    clock.advance(0);
    expect(transport.connects[0]!.to).toBe('127.0.0.9:99');
  });
});

describe('timeouts', () => {
  it.each([
    ['inter covers it all without timeout check', {}, {}, 2000],
    ['timeout connect counts only with timeout check', { connect: 300 }, {}, 2000],
    ['the shorter of timeout connect and inter', { connect: 300, check: 700 }, {}, 300],
    ['inter when it is the shorter one', { connect: 3000, check: 700 }, {}, 2000],
  ])('connecting: %s', (_, timeouts, server, expected) => {
    const run = lab({ script: { silent: true }, proxy: { timeouts }, server });
    run.clock.advance(expected - 1);
    expect(run.events).toEqual([]);
    run.clock.advance(1);
    expect(run.events[0]).toMatchObject({ status: 'L4TOUT', duration: expected });
  });

  it('gives the answer timeout check from the connection on', () => {
    const { clock, events } = lab({
      check: { type: 'http' },
      proxy: { timeouts: { connect: 300, check: 700 } },
    });
    clock.advance(699);
    expect(events).toEqual([]);
    clock.advance(1);
    expect(events[0]).toMatchObject({ status: 'L7TOUT', description: 'Layer7 timeout', info: '' });
  });
});

describe('requests', () => {
  const sent = (check: Partial<CheckSettings>): string => {
    const { clock, transport } = lab({ check: { type: 'http', ...check } });
    clock.advance(0);
    return transport.received[0]!.bytes;
  };

  it('asks OPTIONS / in HTTP/1.0 by default', () => {
    expect(sent({})).toBe('OPTIONS / HTTP/1.0\r\n\r\n');
  });

  it('sends method, target, version, headers and body', () => {
    const headers = [
      { name: 'Host', value: 'localhost' },
      { name: 'X-A', value: 'b' },
    ];
    expect(sent({ http: { method: 'HEAD', uri: '/', version: 'HTTP/1.1', headers } })).toBe(
      'HEAD / HTTP/1.1\r\nhost: localhost\r\nx-a: b\r\nconnection: close\r\n\r\n',
    );
    expect(sent({ http: { method: 'POST', uri: '/z', version: 'HTTP/1.0', headers: [], body: 'ab' } })).toBe(
      'POST /z HTTP/1.0\r\ncontent-length: 2\r\n\r\nab',
    );
  });

  it('tells the server its state', () => {
    expect(sent({ sendState: true })).toBe(
      'OPTIONS / HTTP/1.0\r\nx-haproxy-server-state: UP 1/3; address=127.0.0.1; port=80; name=web/a; node=n1; weight=1/1; scur=0/0; qcur=0\r\n\r\n',
    );
  });

  it('begins as the traffic does with send-proxy', () => {
    const { clock, transport } = lab({ server: { sendProxy: 1 } });
    clock.advance(0);
    expect(transport.received.map((r) => r.bytes)).toEqual(['PROXY UNKNOWN\r\n']);
  });
});

/** What Debian's HAProxy 2.6 said in each of these cases. */
const cases: [kind: string, answer: string, status: string, code: number, info: string][] = [
  ['tcp', 'close', 'L4OK', 0, ''],
  ['tcp', 'refused', 'L4CON', 0, 'Connection refused'],
  ['http', 'ok', 'L7OK', 200, ''],
  ['http', 'slow', 'L7OK', 200, ''],
  ['http', 'bare', 'L7OK', 200, ''],
  ['http', 'missing', 'L7STS', 404, 'Not Found'],
  ['http', 'broken', 'L7STS', 500, 'Internal Server Error'],
  ['http', 'odd', 'L7STS', 99, 'xx'],
  ['http', 'garbage', 'L7RSP', 0, ''],
  ['http', 'cut', 'L7RSP', 0, ''],
  ['http', 'close', 'L7RSP', 0, ''],
  ['http', 'ssh', 'L7RSP', 0, ''],
  ['http', 'alert', 'L7RSP', 0, ''],
  ['http', 'reset', 'SOCKERR', 0, 'Connection reset by peer'],
  ['http', 'refused', 'L4CON', 0, 'Connection refused'],
  ['status', 'ok', 'L7OK', 200, ''],
  ['status', 'missing', 'L7OK', 404, ''],
  ['status', 'broken', 'L7STS', 500, 'Internal Server Error'],
  ['notStatus', 'ok', 'L7STS', 200, 'OK'],
  ['notStatus', 'missing', 'L7OK', 404, ''],
  ['rstatus', 'ok', 'L7OK', 200, ''],
  ['rstatus', 'missing', 'L7STS', 404, 'Not Found'],
  ['string', 'ok', 'L7OK', 200, ''],
  ['string', 'chunked', 'L7OK', 200, ''],
  ['string', 'slow', 'L7OK', 200, ''],
  ['string', 'missing', 'L7RSP', 0, 'HTTP content check could not find a response body'],
  ['string', 'garbage', 'L7RSP', 0, ''],
  ['other', 'ok', 'L7RSP', 0, 'HTTP content check did not match'],
  ['other', 'closing', 'L7RSP', 0, 'HTTP content check did not match'],
  ['other', 'chunked', 'L7RSP', 0, 'HTTP content check did not match'],
  ['other', 'slow', 'L7TOUT', 0, ''],
  ['notString', 'ok', 'L7RSP', 0, 'HTTP check matched unwanted content'],
  ['rstring', 'ok', 'L7OK', 200, ''],
  ['on404', 'missing', 'L7OKC', 404, ''],
  ['on404', 'broken', 'L7STS', 500, 'Internal Server Error'],
  ['hello', 'ok', 'L6RSP', 0, ''],
  ['hello', 'close', 'L6RSP', 0, 'TCPCHK got an empty response at step 2'],
  ['hello', 'alert', 'L6OK', 0, ''],
  ['hello', 'reset', 'SOCKERR', 0, 'Connection reset by peer'],
  ['expectSsh', 'ssh', 'L7OK', 0, '(tcp-check)'],
  ['expectSsh', 'ok', 'L7TOUT', 0, " at step 1 of tcp-check (expect string 'SSH')"],
  ['expectSsh', 'refused', 'L4CON', 0, 'Connection refused at initial connection step of tcp-check'],
  ['script', 'ok', 'L7OK', 0, '(tcp-check)'],
  ['script', 'cut', 'L7OK', 0, '(tcp-check)'],
  ['script', 'broken', 'L7RSP', 0, "TCPCHK did not match content '200' at step 3"],
  ['script', 'close', 'L7RSP', 0, 'TCPCHK got an empty response at step 3'],
  ['script', 'reset', 'SOCKERR', 0, "Connection reset by peer at step 3 of tcp-check (expect string '200')"],
  ['script', 'refused', 'L4CON', 0, 'Connection refused at step 1 of tcp-check (connect)'],
  ['regex', 'ok', 'L7OK', 0, '(tcp-check)'],
  ['regex', 'garbage', 'L7RSP', 0, 'TCPCHK did not match content (regex) at step 2'],
  ['regex', 'reset', 'SOCKERR', 0, 'Connection reset by peer at step 2 of tcp-check (expect regex)'],
  ['unwanted', 'ok', 'L7RSP', 0, "TCPCHK matched unwanted content 'HTTP' at step 2"],
  ['unwanted', 'garbage', 'L7OK', 0, '(tcp-check)'],
  ['empty', 'ok', 'L4OK', 0, ''],
  ['sendOnly', 'ok', 'L7OK', 0, '(tcp-check)'],
];

describe('outcomes, as HAProxy 2.6 names them', () => {
  it.each(cases)('%s against %s: %s %i %s', (kind, answer, status, code, info) => {
    const { clock, events } = lab({ check: kinds[kind], script: answers[answer] });
    clock.advance(2000);
    expect(events[0]).toMatchObject({ status, code, info });
  });

  it('finds the head at any cut of the bytes', () => {
    for (let cut = 1; cut < OK.length; cut++) {
      const { clock, events } = lab({
        check: kinds.string,
        script: { greet: OK.slice(0, cut), answer: () => OK.slice(cut) },
      });
      clock.advance(10);
      expect(events[0]).toMatchObject({ status: 'L7OK', code: 200 });
    }
  });
});

describe('404 with disable-on-404', () => {
  it('keeps the server for its own sessions only, until it answers 200 again', () => {
    const { clock, transport, server, events } = lab({ check: kinds.on404, script: answers.ok });
    clock.advance(1);
    transport.servers.set(HERE, answers.missing!);
    clock.advance(2000);
    expect([server.usable, server.usableForSticky, stateText(server)]).toEqual([false, true, 'NOLB']);
    transport.servers.set(HERE, answers.ok!);
    clock.advance(2000);
    expect([server.usable, stateText(server)]).toEqual([true, 'UP']);
    expect(events.filter((e) => e.kind !== 'check').map((e) => e.kind)).toEqual(['stopping', 'up']);
  });

  it('is a failure from a server that was down', () => {
    const { clock, transport, server } = lab({ check: kinds.on404, script: answers.refused });
    clock.advance(1);
    transport.servers.set(HERE, answers.missing!);
    clock.advance(4000);
    expect([server.up, server.check.status]).toEqual([false, 'L7STS']);
  });
});

describe('observe', () => {
  it.each([
    ['fail-check', 3, true],
    ['sudden-death', 2, true],
    ['mark-down', 0, false],
    ['fastinter', 4, true],
  ] as const)('after error-limit errors in a row, %s leaves health %i', (onError, health, up) => {
    const { clock, server, events } = lab({ server: { observe: 'layer4', errorLimit: 2, onError } });
    clock.advance(1);
    server.observe?.(OBSERVED.notConnected);
    server.observe?.(OBSERVED.connected);
    server.observe?.(OBSERVED.notConnected);
    expect(server.health).toBe(4);
    server.observe?.(OBSERVED.notConnected);
    expect([server.health, server.up]).toEqual([health, up]);
    expect(server.check.observedFailures).toBe(1);
    if (onError !== 'fastinter')
      expect(events.find((e) => e.status === 'HANA')!.info).toBe(
        'Detected 2 consecutive errors, last one was: L4 unsuccessful connection',
      );
  });

  it('brings the next check closer', () => {
    const { clock, transport, server } = lab({
      server: { observe: 'layer7', errorLimit: 1, fastInter: 100 },
    });
    clock.advance(1);
    server.observe?.(observedStatus(500));
    clock.advance(100);
    expect(transport.connects).toHaveLength(2);
  });

  it('costs nothing where it is not configured', () => {
    const { server } = lab();
    server.observe?.(OBSERVED.notConnected);
    expect(server.observe).toBeUndefined();
  });
});

describe('what follows a change', () => {
  it('a tracking server stands as the tracked one', () => {
    const clock = new FakeClock();
    const transport = new FakeTransport(clock);
    const servers = [serverSettings('a'), serverSettings('b', { check: false, track: 'web/a' })];
    const backend = backendOf(proxySettings('web'), servers);
    const checks = startChecks(proxyOf({ backends: [backend] }), transport, clock, () => {});
    clock.advance(1);
    expect(backend.servers.map((s) => s.up)).toEqual([false, false]);
    transport.servers.set(HERE, {});
    clock.advance(5000);
    expect(backend.servers.map((s) => s.up)).toEqual([true, true]);
    checks.stop();
    expect(backend.watchers).toEqual([]);
  });

  it('ends the sessions of a server that died with on-marked-down shutdown-sessions', () => {
    const clock = new FakeClock();
    const servers = [
      serverSettings('a', { onMarkedDown: 'shutdown-sessions' }),
      serverSettings('b', { port: 81 }),
    ];
    const backend = backendOf(proxySettings('web'), servers);
    const ended: string[] = [];
    const sessions = backend.servers.map((server) => ({ server, shutdown: () => ended.push(server.name) }));
    const proxy = proxyOf({ backends: [backend], sessions: sessions as never });
    startChecks(proxy, new FakeTransport(clock), clock, () => {});
    clock.advance(1500);
    expect(ended).toEqual(['a']);
  });
});
