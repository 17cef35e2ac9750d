import { type Case, get, OK, post, request, type Subject, sections, web } from '../fixture.ts';

const BUFFERED = ['option http-buffer-request', 'timeout http-request 300ms'];
const LOG = ['log {log} local0', 'option httplog'];
const whole = web(...BUFFERED);
const logged = web(...LOG, ...BUFFERED, 'errorfile 400 {dir}/400.http', 'errorfile 408 {dir}/408.http');
const inBackend = sections([...LOG, 'timeout http-request 8s', 'default_backend {id}_b'], {
  b: [...BUFFERED, 'tcp-request content reject if { path /reject }', 'http-request deny if { path /deny }'],
});
const chunked = 'Transfer-Encoding: chunked';
const five = 'Content-Length: 5';
const waits = 'Expect: 100-continue';
const REFUSAL = ['status', 'headers', 'body', 'connection', 'whole', 'connections', 'log'] as const;

export const buffering: Subject = {
  name: 'option http-buffer-request',
  cases: [
    {
      name: 'a body in two pieces',
      config: whole,
      client: [post('he', five), { pause: 80 }, 'llo', get('/2')],
    },
    { name: 'a body that comes with its head', config: whole, client: post('hello', five) + get('/2') },
    { name: 'a body after its head', config: whole, client: [post('', five), { pause: 80 }, 'hello'] },
    { name: 'no body', config: whole, client: get('/') },
    { name: 'a body of no bytes', config: whole, client: post('', 'Content-Length: 0', waits) },
    {
      name: 'chunks',
      config: whole,
      client: [post('3\r\nhel\r\n', chunked), { pause: 80 }, '2\r\nlo\r\n0\r\n\r\n', get('/2')],
    },
    {
      name: 'chunks cut within a size and within trailers',
      config: whole,
      client: [post('0', chunked), { pause: 60 }, '3\r\nhel\r\n0\r\nX-T', { pause: 60 }, ': t\r\n\r\n'],
    },
    {
      name: 'two such requests, the second sent ahead',
      config: whole,
      client: [post('he', five), { pause: 80 }, `llo${post('wo', five)}`, { pause: 80 }, 'rld', get('/3')],
    },
    {
      name: 'nothing goes to a server before',
      config: logged,
      client: [post('he', five), { pause: 900 }],
      compare: REFUSAL,
    },
    {
      name: 'pieces do not make the time longer',
      config: logged,
      client: [post('he', five), { pause: 200 }, 'l', { pause: 700 }],
      compare: REFUSAL,
    },
    {
      name: 'without timeout http-request that of the client counts',
      config: web(...LOG, 'option http-buffer-request', 'timeout http-request 0', 'timeout client 300ms'),
      client: [post('he', five), { pause: 200 }, 'l', { pause: 200 }, 'lo'],
    },
    {
      name: 'a chunk that is none, later',
      config: logged,
      client: [post('3\r\nhel\r\n', chunked), { pause: 80 }, 'zz\r\n'],
      compare: REFUSAL,
    },
    {
      name: 'a chunk that is none, at once',
      config: whole,
      client: post('zz\r\n', chunked),
      compare: ['status', 'connection', 'connections'],
    },
    {
      name: 'the client goes away',
      config: logged,
      client: [post('he', five), { pause: 60 }, 'RST'],
      compare: ['connections', 'log'],
    },
    {
      name: 'the client ends within the body',
      config: logged,
      client: [post('he', five), { pause: 60 }, 'FIN'],
      compare: REFUSAL,
    },
    {
      name: 'the client ends after the body',
      config: logged,
      client: [post('he', five), { pause: 60 }, 'llo', 'FIN'],
    },
    {
      name: 'Expect: 100-continue is answered and taken out',
      config: whole,
      client: [post('', five, waits), { until: '100' }, 'hello', get('/2')],
    },
    {
      name: 'Expect: 100-continue, and the body is here already',
      config: whole,
      client: post('hello', five, waits),
    },
    {
      name: 'Expect: 100-continue, and no body comes',
      config: logged,
      client: [post('', five, waits), { until: '100' }, { pause: 700 }],
      compare: REFUSAL,
    },
    { name: 'an unknown expectation', config: whole, client: post('hello', five, 'Expect: something') },
    {
      name: 'HTTP/1.0 with Expect',
      config: whole,
      client: request('POST / HTTP/1.0', ['Host: a.test', five, waits], 'hello'),
    },
    {
      name: 'a denial waits for the body',
      config: web(...LOG, ...BUFFERED, 'http-request deny'),
      client: [post('he', five), { pause: 80 }, 'llo', get('/2')],
    },
    {
      name: 'the frontend’s rules do not wait for a backend’s option',
      config: sections(['http-request deny', 'default_backend {id}_b'], { b: BUFFERED }),
      client: [post('he', five)],
    },
    ...['/', '/deny', '/reject'].map(
      (target): Case => ({
        name: `of a backend: ${target}`,
        config: inBackend,
        client: [request(`POST ${target} HTTP/1.1`, ['Host: a.test', five], 'he'), { pause: 80 }, 'llo'],
        compare: ['status', 'headers', 'body', 'connection', 'origin', 'log'],
      }),
    ),
    {
      name: 'of a backend: its own timeout',
      config: inBackend,
      client: [post('he', five), { pause: 900 }],
      compare: REFUSAL,
    },
    {
      name: 'of a backend: Expect: 100-continue',
      config: inBackend,
      client: [post('', five, waits), { until: '100' }, 'hello'],
    },
    {
      name: 'of both sides',
      config: sections([...BUFFERED, 'default_backend {id}_b'], { b: BUFFERED }),
      client: [post('he', five), { pause: 80 }, 'llo', get('/2')],
    },
    {
      name: 'a body longer than a buffer goes on when the buffer is full',
      config: whole,
      client: [post('x'.repeat(20_000), 'Content-Length: 20005'), { pause: 600 }, 'hello', get('/2')],
    },
    {
      name: 'a chunk longer than a buffer goes on when the buffer is full',
      config: whole,
      client: [post(`4e25\r\n${'x'.repeat(20_000)}`, chunked), { pause: 600 }, 'hello\r\n0\r\n\r\n'],
    },
    {
      name: 'rules read the body',
      config: web(
        ...BUFFERED,
        'http-request set-header X-Body %[req.body]',
        'http-request set-header X-Length %[req.body_len]',
        'http-request set-header X-Size %[req.body_size]',
        'http-request set-header X-B %[req.body_param(b)]',
        'http-request set-header X-Any %[req.body_param]',
        'http-request deny if { req.body_param(a) -m str 3 }',
      ),
      client: [
        post('a=1&b', 'Content-Length: 7'),
        { pause: 80 },
        '=2',
        post('3\r\na=1\r\n4\r\n&b=2\r\n0\r\n\r\n', chunked),
        get('/'),
        post('a=3', 'Content-Length: 3'),
      ],
    },
    {
      name: 'without the option rules read what is here',
      config: web('http-request set-header X-Length %[req.body_len]'),
      client: [post('hello', five), post('5\r\nhello\r\n0\r\n\r\n', chunked)],
    },
    {
      name: 'with retries of the request',
      config: web(...BUFFERED, 'retries 2', 'retry-on all-retryable-errors'),
      client: [post('he', five), { pause: 80 }, 'llo'],
      server: [['CLOSE'], OK],
    },
  ],
};
