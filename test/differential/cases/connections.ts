import { type Case, get, OK, post, request, response, type Subject, web } from '../fixture.ts';

const old = (...headers: string[]): string => request('GET /old HTTP/1.0', ['Host: a.test', ...headers]);
const TWO = [get('/1'), { until: 'ok' }, get('/2')] as const;

export const keepAlive: Subject = {
  name: 'keep-alive and close',
  cases: [
    { name: 'HTTP/1.1 stays open', client: [...TWO] },
    { name: 'HTTP/1.1 with close', client: get('/', 'Connection: close') },
    { name: 'HTTP/1.1 with close in capitals', client: get('/', 'Connection: CLOSE') },
    {
      name: 'HTTP/1.1 with keep-alive',
      client: [get('/1', 'Connection: keep-alive'), { until: 'ok' }, get('/2')],
    },
    { name: 'HTTP/1.1 with keep-alive and close', client: get('/', 'Connection: keep-alive, close') },
    { name: 'two Connection fields', client: get('/', 'Connection: keep-alive', 'Connection: close') },
    { name: 'HTTP/1.0 closes', client: old() },
    {
      name: 'HTTP/1.0 with keep-alive',
      client: [old('Connection: keep-alive'), { until: 'ok' }, old('Connection: keep-alive')],
    },
    { name: 'HTTP/1.0 with close', client: old('Connection: close') },
    {
      name: 'HTTP/1.0 with keep-alive, body until close',
      client: old('Connection: keep-alive'),
      server: [[response('200 OK', [], 'until'), 'CLOSE']],
    },
    {
      name: 'HTTP/1.0 with keep-alive, chunked answer',
      client: old('Connection: keep-alive'),
      server: [response('200 OK', ['Transfer-Encoding: chunked'], '2\r\nok\r\n0\r\n\r\n')],
      expect: {
        differs: 'HTTP/1.0 knows no Transfer-Encoding: the body ends with the connection',
        haproxy: { status: [200] },
        engine: { status: [200], closed: true },
      },
    },
    {
      name: 'HTTP/1.0, chunked answer',
      client: old(),
      server: [response('200 OK', ['Transfer-Encoding: chunked'], '2\r\nok\r\n0\r\n\r\n')],
      expect: {
        differs: 'HTTP/1.0 knows no Transfer-Encoding: the body ends with the connection',
        haproxy: { status: [200] },
        engine: { status: [200], closed: true },
      },
    },
    { name: 'Keep-Alive field', client: get('/', 'Keep-Alive: timeout=5', 'Connection: keep-alive') },
    { name: 'Proxy-Connection', client: get('/', 'Proxy-Connection: keep-alive') },
    { name: 'Proxy-Connection: close', client: get('/', 'Proxy-Connection: close') },
    { name: 'Connection naming a field', client: get('/', 'Connection: X-A', 'X-A: 1', 'X-B: 2') },
    { name: 'Connection naming a field and close', client: get('/', 'Connection: X-A, close', 'X-A: 1') },
    { name: 'Connection naming Host', client: get('/', 'Connection: Host') },
    {
      name: 'Connection naming Content-Length',
      client: post('hello', 'Content-Length: 5', 'Connection: Content-Length'),
    },
    { name: 'an empty Connection', client: get('/', 'Connection:') },
    { name: 'an unknown token', client: get('/', 'Connection: foo') },
    { name: 'TE: trailers', client: get('/', 'TE: trailers', 'Connection: TE') },
    { name: 'TE: gzip', client: get('/', 'TE: gzip', 'Connection: TE') },
    { name: 'TE without Connection', client: get('/', 'TE: trailers') },
    {
      name: 'Trailer, Via, Upgrade-Insecure-Requests pass',
      client: get('/', 'Trailer: X-T', 'Via: 1.1 x', 'Upgrade-Insecure-Requests: 1'),
    },
    {
      name: 'the origin closes',
      client: [...TWO],
      server: [[response('200 OK', ['Content-Length: 2', 'Connection: close'], 'ok'), 'CLOSE']],
    },
    {
      name: 'the origin says close and stays open',
      client: [...TWO],
      server: [response('200 OK', ['Content-Length: 2', 'Connection: close'], 'ok')],
    },
    {
      name: 'the origin says keep-alive',
      client: [...TWO],
      server: [
        response('200 OK', ['Content-Length: 2', 'Connection: keep-alive', 'Keep-Alive: timeout=5'], 'ok'),
      ],
    },
    {
      name: 'the origin answers in HTTP/1.0',
      client: [...TWO],
      server: ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    },
    {
      name: 'the origin answers in HTTP/1.0 with keep-alive',
      client: [...TWO],
      server: ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok'],
    },
    {
      name: 'the origin names a field in Connection',
      client: get('/'),
      server: [response('200 OK', ['Content-Length: 2', 'Connection: X-A', 'X-A: 1'], 'ok')],
    },
    {
      name: 'the origin sends Proxy-Connection',
      client: get('/'),
      server: [response('200 OK', ['Content-Length: 2', 'Proxy-Connection: keep-alive'], 'ok')],
    },
    { name: 'the client sends its end after the request', client: [get('/'), 'FIN'] },
    {
      name: 'the client sends its end while the origin thinks',
      client: [get('/'), 'FIN'],
      server: [[{ pause: 150 }, OK]],
    },
    { name: 'option httpclose', config: web('option httpclose'), client: [...TWO] },
    {
      name: 'option httpclose, HTTP/1.0 with keep-alive',
      config: web('option httpclose'),
      client: old('Connection: keep-alive'),
    },
    {
      name: 'option http-server-close',
      config: web('option http-server-close'),
      client: [...TWO],
      compare: ['status', 'headers', 'body', 'connection', 'origin', 'connections'],
    },
    {
      name: 'option http-server-close, the client closes',
      config: web('option http-server-close'),
      client: get('/', 'Connection: close'),
    },
    {
      name: 'option http-keep-alive',
      config: web('option http-keep-alive'),
      client: [...TWO],
      compare: ['status', 'headers', 'body', 'connection', 'origin', 'connections'],
    },
  ],
};

export const pipelining: Subject = {
  name: 'pipelining',
  cases: [
    { name: 'three requests at once', client: get('/1') + get('/2') + get('/3') },
    {
      name: 'twenty requests at once',
      client: Array.from({ length: 20 }, (_, at) => get(`/${at}`)).join(''),
    },
    {
      name: 'answers of different length',
      client: get('/1') + get('/2') + get('/3'),
      server: [
        response('200 OK', ['Content-Length: 1000'], 'a'.repeat(1000)),
        response('204 No Content'),
        response('200 OK', ['Transfer-Encoding: chunked'], '1\r\nz\r\n0\r\n\r\n'),
      ],
    },
    { name: 'the first with a body', client: post('hello', 'Content-Length: 5') + get('/2') },
    {
      name: 'the first is slow',
      client: get('/1') + get('/2'),
      server: [[{ pause: 120 }, OK], response('200 OK', ['Content-Length: 5'], 'quick')],
    },
    {
      name: 'the second is cut',
      client: [`${get('/1')}GET /2 HT`, { pause: 60 }, 'TP/1.1\r\nHost: a.test\r\n\r\n'],
    },
    { name: 'the second says close', client: get('/1') + get('/2', 'Connection: close') + get('/3') },
    { name: 'the first says close', client: get('/1', 'Connection: close') + get('/2') },
    { name: 'the second is bad', client: `${get('/1')}nonsense\r\n\r\n${get('/3')}` },
    { name: 'an empty line between', client: `${get('/1')}\r\n${get('/2')}` },
    { name: 'more bytes than the length after a POST', client: `${post('hello', 'Content-Length: 5')}xx` },
    // With the FIN right behind the requests HAProxy answers one or both, as it happens; the engine answers both.
    { name: 'then the end of the client', client: [get('/1') + get('/2'), { pause: 300 }, 'FIN'] },
    {
      name: 'the origin closes after the first',
      client: get('/1') + get('/2'),
      server: [[response('200 OK', ['Content-Length: 2', 'Connection: close'], 'ok'), 'CLOSE'], OK],
    },
  ],
};

const bodiless = (method: string, status: string, headers: string[], body = ''): Omit<Case, 'name'> => ({
  client: [request(`${method} /1 HTTP/1.1`, ['Host: a.test']), { pause: 60 }, get('/2')],
  server: [response(status, headers, body), OK],
});

export const withoutBody: Subject = {
  name: 'HEAD, 204, 304 and interim responses',
  cases: [
    { name: 'HEAD with Content-Length', ...bodiless('HEAD', '200 OK', ['Content-Length: 1000']) },
    { name: 'HEAD with chunked', ...bodiless('HEAD', '200 OK', ['Transfer-Encoding: chunked']) },
    { name: 'HEAD without a length', ...bodiless('HEAD', '200 OK', []) },
    { name: 'HEAD with an error', ...bodiless('HEAD', '404 Not Found', ['Content-Length: 9']) },
    {
      name: 'HEAD that gets a body all the same',
      ...bodiless('HEAD', '200 OK', ['Content-Length: 5'], 'hello'),
    },
    { name: '204', ...bodiless('GET', '204 No Content', []) },
    { name: '204 with Content-Length 0', ...bodiless('GET', '204 No Content', ['Content-Length: 0']) },
    { name: '204 with Content-Length 5', ...bodiless('GET', '204 No Content', ['Content-Length: 5']) },
    { name: '204 with chunked', ...bodiless('GET', '204 No Content', ['Transfer-Encoding: chunked']) },
    { name: '304', ...bodiless('GET', '304 Not Modified', ['ETag: "x"']) },
    { name: '304 with Content-Length', ...bodiless('GET', '304 Not Modified', ['Content-Length: 1000']) },
    { name: '304 with chunked', ...bodiless('GET', '304 Not Modified', ['Transfer-Encoding: chunked']) },
    { name: '205', ...bodiless('GET', '205 Reset Content', ['Content-Length: 0']) },
    { name: '200 with Content-Length 0', ...bodiless('GET', '200 OK', ['Content-Length: 0']) },
    {
      name: 'HEAD to an origin that is denied',
      config: web('http-request deny'),
      client: request('HEAD / HTTP/1.1', ['Host: a.test']) + get('/2'),
    },
    {
      name: '100 before the answer',
      client: post('hello', 'Content-Length: 5'),
      server: [response('100 Continue') + OK],
    },
    {
      name: '102 and 103 before the answer',
      client: get('/'),
      server: [response('102 Processing') + response('103 Early Hints', ['Link: </a>']) + OK],
    },
    {
      name: '103 in a segment of its own',
      client: get('/'),
      server: [[response('103 Early Hints', ['Link: </a>']), { pause: 60 }, OK]],
    },
    {
      name: 'an interim response to HTTP/1.0',
      client: request('GET / HTTP/1.0', ['Host: a.test']),
      server: [response('103 Early Hints') + OK],
      expect: {
        differs: 'a client of HTTP/1.0 does not know interim responses (RFC 9110, section 15.2)',
        haproxy: { status: [103, 200] },
        engine: { status: [200] },
      },
    },
    {
      name: '100 with a length',
      client: get('/'),
      server: [response('100 Continue', ['Content-Length: 5']) + OK],
    },
    {
      name: '100 and then nothing',
      client: get('/'),
      server: [[response('100 Continue'), { pause: 50 }, 'CLOSE']],
    },
  ],
};

const WAITS = post('', 'Content-Length: 5', 'Expect: 100-continue');

export const expectContinue: Subject = {
  name: 'Expect: 100-continue',
  cases: [
    {
      name: 'the origin says 100, then the body',
      client: [WAITS, { until: '100' }, 'hello'],
      server: [{ at: 'head', steps: [response('100 Continue'), { read: 5 }, OK] }],
    },
    { name: 'the client does not wait', client: [WAITS, 'hello', get('/2')] },
    {
      name: 'the origin refuses',
      client: [WAITS, { until: '417' }],
      server: [{ at: 'head', steps: [response('417 Expectation Failed', ['Content-Length: 0'])] }],
    },
    {
      name: 'the origin answers before the body',
      client: [WAITS, { until: 'ok' }, 'hello', { pause: 50 }, get('/2')],
      server: [{ at: 'head', steps: [OK, { read: 5 }] }, OK],
    },
    {
      name: 'chunked',
      client: [
        post('', 'Transfer-Encoding: chunked', 'Expect: 100-continue'),
        { until: '100' },
        '5\r\nhello\r\n0\r\n\r\n',
      ],
      server: [{ at: 'head', steps: [response('100 Continue'), { read: 15 }, OK] }],
    },
    { name: 'an unknown expectation', client: post('hello', 'Content-Length: 5', 'Expect: something') },
    {
      name: 'HTTP/1.0',
      client: request(
        'POST / HTTP/1.0',
        ['Host: a.test', 'Content-Length: 5', 'Expect: 100-continue'],
        'hello',
      ),
    },
    { name: 'without a body', client: get('/', 'Expect: 100-continue') },
  ],
};
