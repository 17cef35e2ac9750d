import { bare, type Case, get, OK, post, REFUSING, request, response, type Subject } from '../fixture.ts';

const LOG = ['log {log} local0'];
const HTTP = [...LOG, 'option httplog', 'server s1 {origin}'];
const http = (...lines: string[]) => bare(...HTTP, ...lines);
const DOWN = bare(...LOG, 'option httplog', 'retries 0', `server s1 ${REFUSING}`);

export const logs: Subject = {
  name: 'log lines',
  cases: (
    [
      { name: 'option httplog', config: http(), client: get('/a?b=c') },
      { name: 'each request of a connection', config: http(), client: get('/1') + get('/2') },
      { name: 'the client closes', config: http(), client: get('/', 'Connection: close') },
      { name: 'a POST', config: http(), client: post('hello', 'Content-Length: 5') },
      {
        name: 'a status of the origin',
        config: http(),
        client: get('/'),
        server: [response('404 Not Found', ['Content-Length: 4'], 'none')],
      },
      {
        name: 'a chunked answer',
        config: http(),
        client: get('/'),
        server: [response('200 OK', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n')],
      },
      { name: 'a denial', config: http('http-request deny'), client: get('/') },
      { name: 'a redirect', config: http('redirect location /x'), client: get('/') },
      { name: 'a bad request', config: http(), client: 'nonsense\r\n\r\n' },
      { name: 'a connection without a request', config: http(), client: ['FIN'] },
      {
        name: 'a connection without a request, option dontlognull',
        config: http('option dontlognull'),
        client: ['FIN'],
      },
      {
        name: 'option dontlog-normal',
        config: http('option dontlog-normal'),
        client: get('/1') + get('/2'),
        server: [OK, response('500 No', ['Content-Length: 0'])],
      },
      { name: 'connection refused', config: DOWN, client: get('/') },
      { name: 'no server', config: bare(...LOG, 'option httplog'), client: get('/') },
      { name: 'the origin closes without an answer', config: http(), client: get('/'), server: [['CLOSE']] },
      { name: 'the origin answers garbage', config: http(), client: get('/'), server: [['garbage\r\n\r\n']] },
      {
        name: 'the origin cuts its body',
        config: http(),
        client: get('/'),
        server: [[response('200 OK', ['Content-Length: 5'], 'he'), { pause: 50 }, 'CLOSE']],
      },
      {
        name: 'the origin does not answer in time',
        config: http('timeout server 200ms'),
        client: get('/'),
        server: [[{ pause: 900 }]],
      },
      {
        name: 'the client goes away while the origin thinks',
        config: http('option abortonclose'),
        client: [get('/'), { pause: 80 }, 'RST'],
        server: [[{ pause: 300 }, OK]],
      },
      {
        name: 'the client does not finish its head',
        config: http('timeout http-request 200ms'),
        client: 'GET / HTTP/1.1\r\n',
      },
      {
        name: 'captured fields',
        config: http(
          'capture request header Host len 20',
          'capture request header X-None len 5',
          'capture response header X-A len 3',
        ),
        client: get('/'),
        server: [response('200 OK', ['X-A: long', 'Content-Length: 2'], 'ok')],
      },
      {
        name: 'a captured cookie',
        config: http('capture cookie SESSION= len 20'),
        client: get('/', 'Cookie: a=1; SESSION=42'),
        server: [response('200 OK', ['Set-Cookie: SESSION=43', 'Content-Length: 2'], 'ok')],
      },
      { name: 'quotes and control characters in the target', config: http(), client: get('/a"b%0a') },
      { name: 'HTTP/1.0', config: http(), client: request('GET /old HTTP/1.0', []) },
      {
        name: 'the default format without httplog',
        config: bare(...LOG, 'server s1 {origin}'),
        client: get('/'),
      },
      {
        name: 'option httplog clf',
        config: bare(...LOG, 'option httplog clf', 'server s1 {origin}'),
        client: get('/'),
        compare: ['status'],
      },
      {
        name: 'a format of its own',
        config: bare(
          ...LOG,
          'http-request set-var(txn.host) req.hdr(host)',
          'log-format "%ci %f %b %s %ST %HM %HP %HQ %HV %{+Q}r %[var(txn.host)] %tsc"',
          'server s1 {origin}',
        ),
        client: get('/a?b'),
      },
      {
        name: 'log of tcp',
        config: bare('mode tcp', ...LOG, 'option tcplog', 'server s1 {origin}'),
        client: ['hi', { until: 'bye' }, 'FIN'],
        raw: [{ read: 2 }, 'bye', { pause: 40 }, 'CLOSE'],
      },
      {
        name: 'log of tcp, the server closes',
        config: bare('mode tcp', ...LOG, 'option tcplog', 'server s1 {origin}'),
        client: ['hi'],
        raw: [{ read: 2 }, 'bye', 'CLOSE'],
      },
      {
        name: 'log of tcp, connection refused',
        config: bare('mode tcp', ...LOG, 'option tcplog', 'retries 0', `server s1 ${REFUSING}`),
        client: ['hi'],
      },
      {
        name: 'a facility and a level',
        config: bare('log {log} daemon notice', 'option httplog', 'server s1 {origin}'),
        client: get('/'),
      },
    ] satisfies Case[]
  ).map((fixture) => ({ compare: ['log', 'status'] as const, ...fixture })),
};
