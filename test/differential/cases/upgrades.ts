import { get, OK, request, response, type Subject, web } from '../fixture.ts';

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];
const SWITCH = response('101 Switching Protocols', [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
]);

export const upgrades: Subject = {
  name: 'upgrades',
  cases: [
    {
      name: 'WebSocket, both ways after the 101',
      client: [get('/', ...UPGRADE), { until: '\r\n\r\n' }, 'ping!', { until: 'pong' }],
      server: [[SWITCH, { read: 5 }, 'pong', { pause: 50 }, 'more']],
    },
    {
      name: 'the origin speaks first, with the 101',
      client: get('/', ...UPGRADE),
      server: [[`${SWITCH}hello`]],
    },
    {
      name: 'the origin closes after the 101',
      client: get('/', ...UPGRADE),
      server: [[`${SWITCH}bye`, 'CLOSE']],
    },
    {
      name: 'the client closes after the 101',
      client: [get('/', ...UPGRADE), { until: '\r\n\r\n' }, 'bye', 'FIN'],
      server: [[SWITCH, { read: 3 }, { pause: 30 }, 'CLOSE']],
    },
    {
      name: 'bytes sent before the 101',
      client: `${get('/', ...UPGRADE)}early`,
      server: [[{ pause: 60 }, SWITCH, { read: 5 }, 'got it']],
    },
    {
      name: 'the origin answers 200',
      client: [get('/', ...UPGRADE), { until: 'ok' }, get('/2')],
      server: [OK],
    },
    {
      name: 'the origin answers 426',
      client: [get('/', ...UPGRADE), { pause: 60 }, get('/2')],
      server: [
        response('426 Upgrade Required', ['Upgrade: websocket', 'Connection: Upgrade', 'Content-Length: 0']),
        OK,
      ],
      expect: {
        differs: '2.6 adds a Sec-WebSocket-Accept to what is no switch',
        haproxy: { status: [426, 200], sends: 'Sec-Websocket-Accept: ' },
        engine: { status: [426, 200], forwarded: 2 },
      },
    },
    {
      name: 'the origin answers 400 and closes',
      client: get('/', ...UPGRADE),
      server: [[response('400 Bad Request', ['Connection: close', 'Content-Length: 0']), 'CLOSE']],
    },
    {
      name: 'Upgrade without Connection',
      client: get('/', 'Upgrade: websocket'),
      expect: {
        differs: 'Upgrade means something only when Connection names it',
        haproxy: { status: [200], has: 'upgrade:' },
        engine: { status: [200], lacks: 'upgrade:' },
      },
    },
    {
      name: 'Connection: Upgrade without Upgrade',
      client: get('/', 'Connection: Upgrade'),
      expect: {
        differs: 'there is nothing that Connection could name',
        haproxy: { status: [200], has: 'connection:' },
        engine: { status: [200], lacks: 'connection:' },
      },
    },
    {
      name: 'Connection: keep-alive, Upgrade',
      client: [
        get(
          '/',
          'Connection: keep-alive, Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        ),
        { until: '\r\n\r\n' },
        'ping!',
      ],
      server: [[SWITCH, { read: 5 }, 'pong']],
    },
    {
      name: 'Upgrade to h2c',
      client: get(
        '/',
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
      ),
    },
    {
      name: 'an upgrade in HTTP/1.0',
      client: request('GET / HTTP/1.0', ['Host: a.test', ...UPGRADE]),
      expect: {
        differs: 'HTTP/1.0 knows no upgrade (RFC 9110, 7.8)',
        haproxy: { status: [200], has: 'upgrade:' },
        engine: { status: [200], lacks: 'upgrade:' },
      },
    },
    {
      name: 'an upgrade with a body, refused',
      client: request(
        'POST / HTTP/1.1',
        ['Host: a.test', 'Content-Length: 5', 'Connection: Upgrade', 'Upgrade: foo'],
        'hello',
      ),
      expect: {
        differs: 'an upgrade may have a body; its connection is not used again',
        haproxy: { status: [200], lacks: 'upgrade: foo' },
        engine: { status: [200], has: 'upgrade: foo' },
      },
    },
    { name: 'a 101 that nobody asked for', client: get('/'), server: [[`${SWITCH}raw`]] },
    {
      name: 'a 101 to HEAD',
      client: request('HEAD / HTTP/1.1', ['Host: a.test']),
      server: [[`${SWITCH}raw`]],
    },
    {
      name: 'a 101 without Upgrade',
      client: get('/', ...UPGRADE),
      server: [[response('101 Switching Protocols'), 'raw']],
    },
    { name: 'an upgrade that is denied', config: web('http-request deny'), client: get('/', ...UPGRADE) },
    {
      name: 'header rules apply to an upgrade',
      config: web('http-request set-header X-A 1', 'http-response set-header X-B 2'),
      client: get('/', ...UPGRADE),
      server: [[SWITCH]],
    },
    {
      name: 'CONNECT that is granted',
      client: [
        request('CONNECT a.test:443 HTTP/1.1', ['Host: a.test:443']),
        { until: '\r\n\r\n' },
        'ping!',
        { until: 'pong' },
      ],
      server: [[response('200 Connected'), { read: 5 }, 'pong']],
    },
    {
      name: 'CONNECT that is refused',
      client: [request('CONNECT a.test:443 HTTP/1.1', ['Host: a.test:443']), { pause: 60 }, get('/2')],
      server: [response('403 No', ['Content-Length: 2'], 'no'), OK],
    },
  ],
};
