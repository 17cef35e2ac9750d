import type { CheckSettings } from '../../../src/proxy/settings.ts';
import type { Script } from './fakes.ts';

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** Servers that answer well, badly or not at all. */
export const answers: Record<string, Script> = {
  ok: { answer: () => OK },
  closing: { answer: () => 'HTTP/1.1 200 OK\r\n\r\nhello', after: 'end' },
  chunked: {
    answer: () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
  },
  slow: { answer: () => 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello' },
  missing: { answer: () => 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n' },
  broken: { answer: () => 'HTTP/1.1 500 Internal Server Error\r\n\r\n', after: 'end' },
  odd: { answer: () => 'HTTP/1.1 99 xx\r\n\r\n', after: 'end' },
  bare: { answer: () => 'HTTP/1.1 200\r\n\r\n', after: 'end' },
  garbage: { answer: () => 'foo bar\r\n\r\n', after: 'end' },
  cut: { answer: () => 'HTTP/1.1 200', after: 'end' },
  close: { answer: () => undefined, after: 'end' },
  reset: { answer: () => undefined, after: 'reset' },
  refused: { refuse: 'ECONNREFUSED' },
  ssh: { greet: 'SSH-2.0-x\r\n', answer: () => undefined },
  alert: { answer: () => '\x15\x03\x01\x00\x02\x02\x28', after: 'end' },
};

const http = (expect?: CheckSettings['expect']): Partial<CheckSettings> => ({ type: 'http', expect });
const tcp = (...tcpSteps: CheckSettings['tcpSteps']): Partial<CheckSettings> => ({
  type: 'tcp-check',
  tcpSteps,
});

/** Kinds of checks. */
export const kinds: Record<string, Partial<CheckSettings>> = {
  tcp: {},
  http: http(),
  status: http({ kind: 'status', value: '200,400-404', negate: false }),
  notStatus: http({ kind: 'status', value: '200', negate: true }),
  rstatus: http({ kind: 'rstatus', value: '^2', negate: false }),
  string: http({ kind: 'string', value: 'hello', negate: false }),
  other: http({ kind: 'string', value: 'bye', negate: false }),
  notString: http({ kind: 'string', value: 'hello', negate: true }),
  rstring: http({ kind: 'rstring', value: 'h.l', negate: false }),
  on404: { ...http(), disableOn404: true },
  hello: { type: 'ssl-hello' },
  expectSsh: tcp({ kind: 'expect', match: 'string', value: 'SSH', negate: false }),
  script: tcp(
    { kind: 'connect' },
    { kind: 'send', data: 'GET / HTTP/1.0\r\n\r\n' },
    { kind: 'expect', match: 'string', value: '200', negate: false },
  ),
  regex: tcp(
    { kind: 'send', data: 'x' },
    { kind: 'expect', match: 'rstring', value: '^HTTP', negate: false },
  ),
  unwanted: tcp(
    { kind: 'send', data: 'x' },
    { kind: 'expect', match: 'string', value: 'HTTP', negate: true },
  ),
  empty: tcp(),
  sendOnly: tcp({ kind: 'send', data: 'x' }),
};

/** The same kinds as HAProxy reads them; each line stands in a backend. */
export const written: Record<keyof typeof kinds, string[]> = {
  tcp: [],
  http: ['option httpchk'],
  status: ['option httpchk', 'http-check expect status 200,400-404'],
  notStatus: ['option httpchk', 'http-check expect ! status 200'],
  rstatus: ['option httpchk', 'http-check expect rstatus ^2'],
  string: ['option httpchk', 'http-check expect string hello'],
  other: ['option httpchk', 'http-check expect string bye'],
  notString: ['option httpchk', 'http-check expect ! string hello'],
  rstring: ['option httpchk', 'http-check expect rstring h.l'],
  on404: ['option httpchk', 'http-check disable-on-404'],
  hello: ['option ssl-hello-chk'],
  expectSsh: ['option tcp-check', 'tcp-check expect string SSH'],
  script: [
    'option tcp-check',
    'tcp-check connect',
    'tcp-check send GET\\ /\\ HTTP/1.0\\r\\n\\r\\n',
    'tcp-check expect string 200',
  ],
  regex: ['option tcp-check', 'tcp-check send x', 'tcp-check expect rstring ^HTTP'],
  unwanted: ['option tcp-check', 'tcp-check send x', 'tcp-check expect ! string HTTP'],
  empty: ['option tcp-check'],
  sendOnly: ['option tcp-check', 'tcp-check send x'],
};
