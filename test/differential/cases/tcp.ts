import { bare, get, OK, REFUSING, response, type Subject } from '../fixture.ts';

const RELAY = bare('mode tcp', 'server s1 {origin}');
const ALL = ['bytes', 'connection', 'origin'] as const;

export const tcp: Subject = {
  name: 'mode tcp',
  cases: [
    {
      name: 'the server speaks first',
      config: RELAY,
      client: [{ until: 'hello' }, 'hi', { until: 'bye' }],
      raw: ['hello', { read: 2 }, 'bye'],
      compare: ALL,
    },
    {
      name: 'the client speaks first',
      config: RELAY,
      client: ['hi', { until: 'hello' }],
      raw: [{ read: 2 }, 'hello'],
      compare: ALL,
    },
    {
      name: 'HTTP is not looked at',
      config: RELAY,
      client: 'GET / HTTP/9.9\r\n bad\r\n\r\n',
      raw: [{ read: 24 }, OK],
      compare: ALL,
    },
    {
      name: 'the client half-closes, the server answers after that',
      config: RELAY,
      client: ['question', 'FIN'],
      raw: [{ read: 8 }, { pause: 60 }, 'answer', 'CLOSE'],
      compare: ALL,
    },
    {
      name: 'the server half-closes, the client speaks on',
      config: RELAY,
      client: [{ until: 'hello' }, { pause: 60 }, 'late'],
      raw: ['hello', 'FIN', { read: 4 }, 'CLOSE'],
      compare: ALL,
    },
    {
      name: 'the server closes',
      config: RELAY,
      client: [{ until: 'bye' }],
      raw: ['bye', 'CLOSE'],
      compare: ALL,
    },
    {
      name: 'the server closes at once',
      config: RELAY,
      client: [{ pause: 50 }],
      raw: ['CLOSE'],
      compare: ALL,
    },
    {
      name: 'the server resets',
      config: RELAY,
      client: ['hi'],
      raw: [{ read: 2 }, { pause: 30 }, 'RST'],
      compare: ALL,
    },
    {
      name: 'connection refused',
      config: bare('mode tcp', 'retries 0', `server s1 ${REFUSING}`),
      client: ['hi'],
      compare: ALL,
    },
    { name: 'no server', config: bare('mode tcp'), client: ['hi'], compare: ALL },
    {
      name: '300,000 bytes to the client',
      config: RELAY,
      client: ['go'],
      raw: [{ read: 2 }, 'x'.repeat(300_000), 'CLOSE'],
      compare: ALL,
    },
    {
      name: '300,000 bytes to the server',
      config: RELAY,
      client: ['x'.repeat(300_000), { until: 'thanks' }],
      raw: [{ read: 300_000 }, 'thanks'],
      compare: ALL,
    },
    {
      name: 'all 256 bytes both ways',
      config: RELAY,
      client: [bytes(), { until: '\xff' }],
      raw: [{ read: 256 }, bytes()],
      compare: ALL,
    },
    {
      name: 'timeout client',
      config: bare('mode tcp', 'timeout client 200ms', 'timeout server 200ms', 'server s1 {origin}'),
      client: ['hi', { pause: 700 }],
      raw: [{ read: 2 }, 'ok'],
      compare: ALL,
    },
    {
      name: 'tcp-request connection reject',
      config: bare('mode tcp', 'tcp-request connection reject if { src 127.0.0.0/8 }', 'server s1 {origin}'),
      client: ['hi', { pause: 50 }],
      raw: ['hello'],
      compare: ALL,
    },
    {
      name: 'tcp-request content reject',
      config: bare(
        'mode tcp',
        'tcp-request inspect-delay 100ms',
        'tcp-request content reject if { req.len gt 5 }',
        'server s1 {origin}',
      ),
      client: ['too long'],
      raw: ['hello'],
      compare: ALL,
    },
    {
      name: 'tcp-response content reject',
      config: bare(
        'mode tcp',
        'tcp-response inspect-delay 200ms',
        'tcp-response content reject if { res.len gt 5 }',
        'server s1 {origin}',
      ),
      client: ['hi'],
      raw: [{ read: 2 }, 'too long'],
      compare: ['bytes', 'origin'],
    },
    {
      name: 'tcp-response content reject, without an inspect-delay',
      config: bare('mode tcp', 'tcp-response content reject if { res.len gt 5 }', 'server s1 {origin}'),
      client: ['hi'],
      raw: [{ read: 2 }, 'too long'],
      expect: {
        differs: 'HAProxy decides before the server has said a word, the engine on its first bytes',
        haproxy: { sends: 'too long' },
        engine: { closed: true },
      },
    },
    {
      name: 'tcp-response content accept',
      config: bare(
        'mode tcp',
        'tcp-response inspect-delay 200ms',
        'tcp-response content reject if { res.len gt 5 }',
        'server s1 {origin}',
      ),
      client: ['hi', { until: 'ok' }],
      raw: [{ read: 2 }, 'ok'],
      compare: ['bytes', 'connection', 'origin'],
    },
    {
      name: 'send-proxy',
      config: bare('mode tcp', 'server s1 {origin} send-proxy'),
      client: ['hi', { until: 'ok' }],
      raw: [{ read: 4 }, 'ok'],
      compare: ['bytes', 'connection'],
    },
    {
      name: 'accept-proxy is told who the client is',
      config: (at) =>
        `listen ${at.id}\n  bind 127.0.0.1:${at.port} accept-proxy\n  option forwardfor\n  server s1 127.0.0.1:${at.origin}\n`,
      client: `PROXY TCP4 192.0.2.7 192.0.2.8 1234 80\r\n${get('/')}`,
      server: [response('200 OK', ['Content-Length: 2'], 'ok')],
    },
    {
      name: 'accept-proxy without a PROXY line',
      config: (at) =>
        `listen ${at.id}\n  bind 127.0.0.1:${at.port} accept-proxy\n  option forwardfor\n  server s1 127.0.0.1:${at.origin}\n`,
      client: get('/'),
    },
  ],
};

function bytes(): string {
  return Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
}
