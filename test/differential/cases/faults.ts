import { bare, type Case, get, OK, post, REFUSING, response, type Subject, web } from '../fixture.ts';

const twice = [get('/1'), { pause: 80 }, get('/2')] as const;

export const badOrigins: Subject = {
  name: 'origins that misbehave',
  cases: (
    [
      { name: 'garbage', server: [['hello there\r\n\r\n', { pause: 30 }, 'CLOSE']] },
      { name: 'garbage, and the connection stays', server: ['hello there\r\n\r\n'] },
      { name: 'an SSH banner', server: ['SSH-2.0-OpenSSH_9.2\r\n'] },
      { name: 'a status that is no number', server: [response('abc OK', ['Content-Length: 2'], 'ok')] },
      {
        name: 'HTTP/2.0',
        server: ['HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
        expect: {
          differs: 'a status line that is none (RFC 9112, 4)',
          haproxy: { status: [200, 200] },
          engine: { status: [502, 502] },
        },
      },
      { name: 'HTTP/0.9', server: [['<html>hi</html>', 'CLOSE']] },
      {
        name: 'closed at once',
        server: [['CLOSE']],
        expect: {
          differs: 'the second request of a connection fails like the first, not without a word',
          haproxy: { status: [502], closed: true },
          engine: { status: [502, 502], closed: false },
        },
      },
      {
        name: 'reset at once',
        server: [['RST']],
        expect: {
          differs: 'the second request of a connection fails like the first, not without a word',
          haproxy: { status: [502], closed: true },
          engine: { status: [502, 502], closed: false },
        },
      },
      {
        name: 'closed within the head',
        server: [['HTTP/1.1 200 OK\r\nConte', 'CLOSE']],
        expect: {
          differs: 'the second request of a connection fails like the first, not without a word',
          haproxy: { status: [502], closed: true },
          engine: { status: [502, 502], closed: false },
        },
      },
      {
        name: 'reset within the head',
        server: [['HTTP/1.1 200 OK\r\nConte', { pause: 30 }, 'RST']],
        expect: {
          differs: 'the second request of a connection fails like the first, not without a word',
          haproxy: { status: [502], closed: true },
          engine: { status: [502, 502], closed: false },
        },
      },
      {
        name: 'closed after the head',
        server: [[response('200 OK', ['Content-Length: 5']), { pause: 30 }, 'CLOSE']],
      },
      {
        name: 'closed within the body',
        server: [[response('200 OK', ['Content-Length: 5'], 'hel'), { pause: 30 }, 'CLOSE']],
      },
      {
        name: 'reset within the body',
        server: [[response('200 OK', ['Content-Length: 5'], 'hel'), { pause: 30 }, 'RST']],
      },
      {
        name: 'closed within a chunk',
        server: [[response('200 OK', ['Transfer-Encoding: chunked'], '5\r\nhel'), { pause: 30 }, 'CLOSE']],
      },
      {
        name: 'closed between chunks',
        server: [
          [response('200 OK', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n'), { pause: 30 }, 'CLOSE'],
        ],
      },
      {
        name: 'closed before the last CRLF',
        server: [
          [response('200 OK', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n'), { pause: 30 }, 'CLOSE'],
        ],
      },
      { name: 'half-closed after a whole answer', server: [[OK, 'FIN']] },
      { name: 'an answer in single bytes', server: [[...OK].flatMap((byte) => [byte, { pause: 1 }])] },
      {
        name: 'an answer before the request is whole',
        client: [post('', 'Content-Length: 5'), { until: 'ok' }, 'hello', { pause: 60 }, get('/2')],
        server: [{ at: 'head', steps: [OK, { read: 5 }] }, OK],
      },
      {
        name: 'an answer and a close before the request is whole',
        client: [post('he', 'Content-Length: 5'), { until: 'ok' }],
        server: [
          {
            at: 'head',
            steps: [response('413 Too Large', ['Content-Length: 2', 'Connection: close'], 'ok'), 'CLOSE'],
          },
        ],
      },
      {
        name: 'a body of 300,000 bytes',
        server: [response('200 OK', ['Content-Length: 300000'], 'z'.repeat(300_000))],
      },
      {
        name: 'a chunked body of 300,000 bytes',
        server: [
          response('200 OK', ['Transfer-Encoding: chunked'], `493e0\r\n${'z'.repeat(300_000)}\r\n0\r\n\r\n`),
        ],
      },
      {
        name: 'a body in pieces',
        server: [[response('200 OK', ['Content-Length: 6'], 'ab'), { pause: 30 }, 'cd', { pause: 30 }, 'ef']],
      },
    ] satisfies (Omit<Case, 'client'> & Partial<Case>)[]
  ).map((fixture) => ({ client: [...twice], ...fixture })),
};

const DOWN = ['option httpchk GET /', `server s1 ${REFUSING} check inter 50ms fall 1`];

export const missingServers: Subject = {
  name: 'servers that are not there',
  cases: [
    {
      name: 'connection refused',
      config: bare('retries 0', `server s1 ${REFUSING}`),
      client: get('/') + get('/2'),
    },
    {
      name: 'connection refused, POST',
      config: bare('retries 0', `server s1 ${REFUSING}`),
      client: post('hello', 'Content-Length: 5') + get('/2'),
    },
    {
      name: 'connection refused, the client closes',
      config: bare('retries 0', `server s1 ${REFUSING}`),
      client: get('/', 'Connection: close'),
    },
    {
      name: 'refused by the first, redispatched to the second',
      config: bare('retries 2', 'option redispatch', `server s1 ${REFUSING}`, 'server s2 {origin}'),
      client: get('/1') + get('/2'),
    },
    {
      name: 'a backup serves when the first is down',
      config: bare(`server s1 ${REFUSING} check inter 50ms fall 1`, 'server s2 {origin} backup'),
      client: [{ pause: 400 }, get('/1') + get('/2')],
    },
    { name: 'all servers down', config: bare(...DOWN), client: [{ pause: 400 }, get('/1') + get('/2')] },
    {
      name: 'all servers down, HEAD',
      config: bare(...DOWN),
      client: [{ pause: 400 }, 'HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n'],
    },
    {
      name: 'a server disabled in the configuration',
      config: bare('server s1 {origin} disabled'),
      client: get('/'),
    },
    { name: 'no server at all', config: bare(), client: get('/') },
    { name: 'a weight of 0', config: bare('server s1 {origin} weight 0'), client: get('/') },
    {
      name: 'retry on an empty response',
      config: web('retries 2', 'retry-on empty-response'),
      client: get('/'),
      server: [['CLOSE'], OK],
    },
    {
      name: 'retry on a bad response',
      config: web('retries 2', 'retry-on junk-response'),
      client: get('/'),
      server: [['garbage\r\n\r\n'], OK],
    },
    {
      name: 'retry on 503',
      config: web('retries 2', 'retry-on 503'),
      client: get('/'),
      server: [response('503 No', ['Content-Length: 0']), OK],
    },
    {
      name: 'a POST is not sent again by itself',
      config: web('retries 2'),
      client: post('hello', 'Content-Length: 5'),
      server: [['CLOSE'], OK],
    },
  ],
};

const STATUS_ONLY = ['status', 'connection'] as const;

export const timeouts: Subject = {
  name: 'timeouts',
  cases: [
    {
      name: 'the origin does not answer: 504',
      config: web('timeout server 200ms'),
      client: get('/'),
      server: [[{ pause: 800 }]],
      compare: STATUS_ONLY,
    },
    {
      name: 'the origin stops within its head: 504',
      config: web('timeout server 200ms'),
      client: get('/'),
      server: [['HTTP/1.1 200 OK\r\nConte', { pause: 800 }]],
      compare: STATUS_ONLY,
    },
    {
      name: 'the origin stops within its body',
      config: web('timeout server 200ms'),
      client: get('/'),
      server: [[response('200 OK', ['Content-Length: 5'], 'he'), { pause: 800 }]],
      compare: ['status', 'body', 'connection'],
    },
    {
      name: 'the client does not finish its head: 408',
      config: web('timeout http-request 200ms'),
      client: 'GET / HTTP/1.1\r\nHost: a',
      compare: STATUS_ONLY,
    },
    {
      name: 'the client sends nothing at all',
      config: web('timeout http-request 200ms'),
      client: [{ pause: 600 }],
      compare: STATUS_ONLY,
    },
    {
      name: 'the client sends nothing at all, option http-ignore-probes',
      config: web('timeout http-request 200ms', 'option http-ignore-probes'),
      client: [{ pause: 600 }],
      compare: STATUS_ONLY,
    },
    {
      name: 'the client does not finish its body',
      config: web('timeout client 200ms'),
      client: [post('he', 'Content-Length: 5'), { pause: 600 }],
      expect: {
        differs: 'the client is told',
        haproxy: { status: [] },
        engine: { status: [408], closed: true },
      },
    },
    {
      name: 'an idle connection ends',
      config: web('timeout http-keep-alive 200ms'),
      client: [get('/'), { pause: 600 }],
      compare: STATUS_ONLY,
    },
    {
      name: 'an idle connection that begins a request',
      config: web('timeout http-keep-alive 200ms', 'timeout http-request 200ms'),
      client: [get('/'), { until: 'ok' }, 'GET', { pause: 600 }],
      compare: STATUS_ONLY,
    },
    {
      name: 'no slot at the server: 503 from the queue',
      config: bare('timeout queue 200ms', 'server s1 {origin} maxconn 1'),
      client: get('/'),
      server: [OK],
    },
    {
      name: 'a tarpit',
      config: web('timeout tarpit 200ms', 'http-request tarpit if { path /slow }'),
      client: get('/slow'),
      compare: STATUS_ONLY,
    },
  ],
};

const HALF_AN_ANSWER = response('200 OK', ['Content-Length: 1000'], 'begin');
const ENDS = ['ends', 'whole', 'connections'] as const;

export const departures: Subject = {
  name: 'clients that go away',
  cases: [
    {
      name: 'reset within its body',
      client: [post('he', 'Content-Length: 1000'), { pause: 60 }, 'RST'],
      compare: ENDS,
    },
    {
      name: 'reset within a chunked body',
      client: [post('5\r\nhello\r\n', 'Transfer-Encoding: chunked'), { pause: 60 }, 'RST'],
      compare: ENDS,
    },
    {
      name: 'reset within the answer',
      client: [get('/'), { until: 'begin' }, 'RST'],
      server: [[HALF_AN_ANSWER]],
      expect: {
        differs: 'nobody waits for the rest of the answer',
        haproxy: { forwarded: 1 },
        engine: { forwarded: 1, dropped: true },
      },
    },
    {
      name: 'reset within an answer without a length',
      client: [get('/'), { until: 'begin' }, 'RST'],
      server: [[response('200 OK', [], 'begin')]],
      expect: {
        differs: 'nobody waits for the rest of the answer',
        haproxy: { forwarded: 1 },
        engine: { forwarded: 1, dropped: true },
      },
    },
    {
      name: 'reset within an answer that goes on',
      client: [get('/'), { until: 'begin' }, 'RST'],
      server: [[HALF_AN_ANSWER, { pause: 100 }, 'more', { pause: 50 }, 'more']],
      expect: {
        differs: 'nobody waits for the rest of the answer',
        haproxy: { forwarded: 1 },
        engine: { forwarded: 1, dropped: true },
      },
    },
    {
      name: 'reset while the origin thinks, option abortonclose',
      config: web('option abortonclose'),
      client: [get('/'), { pause: 80 }, 'RST'],
      server: [[{ pause: 500 }, OK]],
      compare: ENDS,
    },
    {
      name: 'reset while idle, option http-server-close',
      config: web('option http-server-close'),
      client: [get('/'), { until: 'ok' }, { pause: 50 }, 'RST'],
      compare: ENDS,
    },
    {
      name: 'reset of an upgraded connection',
      client: [get('/', 'Connection: Upgrade', 'Upgrade: foo'), { until: '101' }, 'hi', { pause: 50 }, 'RST'],
      server: [[response('101 Switching Protocols', ['Connection: Upgrade', 'Upgrade: foo']), { read: 2 }]],
      compare: ENDS,
    },
    {
      name: 'reset in mode tcp',
      config: bare('mode tcp', 'server s1 {origin}'),
      client: ['hi', { pause: 60 }, 'RST'],
      raw: [{ read: 2 }],
      compare: ['ends', 'connections'],
    },
    { name: 'reset within its head', client: ['GET / HTTP/1.1\r\nHo', { pause: 50 }, 'RST'], compare: ENDS },
  ],
};
