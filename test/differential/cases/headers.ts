import { get, OK, refused, request, response, type Subject, web } from '../fixture.ts';

/** A GET with these lines in its head, as they stand. */
const head = (...lines: string[]): string => request('GET / HTTP/1.1', lines);
/** The same with a Host. */
const hosted = (...lines: string[]): string => get('/', ...lines);

export const headers: Subject = {
  name: 'header syntax of requests',
  cases: [
    { name: 'an ordinary field', client: hosted('X-A: b') },
    { name: 'no blank after the colon', client: hosted('X-A:b') },
    { name: 'many blanks around a value', client: hosted('X-A: \t  b c \t ') },
    { name: 'an empty value', client: hosted('X-A:') },
    { name: 'a value of blanks', client: hosted('X-A:   ') },
    { name: 'the same field twice', client: hosted('X-A: 1', 'X-B: 2', 'X-A: 3') },
    { name: 'two cookies', client: hosted('Cookie: a=1', 'Cookie: b=2') },
    { name: 'colons in a value', client: hosted('X-A: b:c:d') },
    { name: 'a value with bytes above 127', client: hosted('X-A: caf\xe9 \xff') },
    { name: 'a tab within a value', client: hosted('X-A: b\tc') },
    { name: 'a name of token characters', client: hosted("X!#$%&'*+.^_`|~9: b") },
    { name: 'a name with an underscore', client: hosted('x_a: b') },
    { name: 'a numeric name', client: hosted('123: b') },
    { name: 'a line folded with a blank', client: hosted('X-A: b', ' c') },
    {
      name: 'a line folded with a tab',
      client: hosted('X-A: b', '\tc', '\t\td'),
      expect: {
        differs: 'a fold becomes blanks',
        haproxy: { status: [200], has: '\t' },
        engine: { status: [200], lacks: '\t' },
      },
    },
    { name: 'a line folded right after the name', client: hosted('X-A:', ' b') },
    {
      name: 'a fold in the first line of the head',
      client: request('GET / HTTP/1.1', [' X-A: b', 'Host: a.test']),
    },
    { name: 'a folded Host', client: head('Host:', ' a.test') },
    {
      name: 'a folded Content-Length',
      client: request('POST / HTTP/1.1', ['Host: a.test', 'Content-Length:', ' 2'], 'ab'),
    },
    { name: 'a blank line that is only a blank', client: 'GET / HTTP/1.1\r\nHost: a.test\r\n \r\n\r\n' },
    { name: 'a blank before the colon', client: hosted('X-A : b') },
    { name: 'a tab before the colon', client: hosted('X-A\t: b') },
    { name: 'a blank before the colon of Content-Length', client: hosted('Content-Length : 0') },
    { name: 'a blank within the name', client: hosted('X A: b') },
    { name: 'no name', client: hosted(': b') },
    { name: 'no colon', client: hosted('nonsense') },
    { name: 'a name in quotes', client: hosted('"X": b') },
    { name: 'a name with parentheses', client: hosted('X(a): b') },
    { name: 'a name with a byte above 127', client: hosted('X-\xe9: b') },
    { name: 'a NUL in a name', client: hosted('X\0A: b') },
    {
      name: 'a NUL in a value',
      client: hosted('X-A: b\0c'),
      expect: refused('a NUL in a value is read differently by programs written in C'),
    },
    { name: 'a control character in a value', client: hosted('X-A: b\x01c') },
    { name: 'DEL in a value', client: hosted('X-A: b\x7fc') },
    { name: 'a CR within a value', client: hosted('X-A: b\rc') },
    { name: 'a CR at the end of a value', client: hosted('X-A: b\r') },
    { name: 'bare LF at line ends', client: 'GET / HTTP/1.1\nHost: a.test\nX-A: b\n\n' },
    { name: 'LF and CRLF mixed', client: 'GET / HTTP/1.1\r\nHost: a.test\nX-A: b\r\n\n' },
    { name: 'CR alone at line ends', client: 'GET / HTTP/1.1\rHost: a.test\r\r' },
    { name: 'CR CR LF', client: 'GET / HTTP/1.1\r\r\nHost: a.test\r\n\r\n' },
    { name: 'no Host', client: head('X-A: b') },
    { name: 'no Host in HTTP/1.0', client: request('GET / HTTP/1.0', []) },
    { name: 'an empty Host', client: head('Host:') },
    { name: 'Host twice, the same', client: head('Host: a.test', 'Host: a.test') },
    { name: 'Host twice, differing', client: head('Host: a.test', 'Host: b.test') },
    {
      name: 'Host twice, differing in case',
      client: head('Host: a.test', 'Host: A.test'),
      expect: refused('what is not the same text is not the same field'),
    },
    { name: 'Host with a port', client: head('Host: a.test:8080') },
    { name: 'Host with an empty port', client: head('Host: a.test:') },
    { name: 'Host with a bad port', client: head('Host: a.test:http') },
    { name: 'Host in brackets', client: head('Host: [::1]:80') },
    {
      name: 'Host with a comma',
      client: head('Host: a.test, b.test'),
      expect: refused('two names in one Host: which one an origin takes cannot be known'),
    },
    {
      name: 'Host with userinfo',
      client: head('Host: me@a.test'),
      expect: refused('a Host has no userinfo (RFC 9110, 7.2)'),
    },
    {
      name: 'Host with a blank within',
      client: head('Host: a test'),
      expect: refused('a Host has no blanks (RFC 9110, 7.2)'),
    },
    {
      name: 'Host with a slash',
      client: head('Host: a.test/x'),
      expect: refused('a Host has no path (RFC 9110, 7.2)'),
    },
    {
      name: 'an authority that differs from Host',
      client: request('GET http://b.test/ HTTP/1.1', ['Host: a.test']),
    },
    {
      name: 'an authority with userinfo',
      client: request('GET http://me@a.test/ HTTP/1.1', ['Host: a.test']),
      expect: refused('the authority differs from the Host'),
    },
    {
      name: 'an authority that differs in case',
      client: request('GET http://A.TEST/ HTTP/1.1', ['Host: a.test']),
    },
    {
      name: 'an absolute target and no Host',
      client: request('GET http://a.test/ HTTP/1.1', []),
      expect: {
        differs: 'the origin gets the Host that an absolute target names (RFC 9112, 3.2.2)',
        haproxy: { status: [200], lacks: 'host:' },
        engine: { status: [200], has: 'host: a.test' },
      },
    },
    { name: 'names keep no case of their own', client: hosted('X-MiXeD-CaSe: b', 'ACCEPT: */*') },
  ],
};

export const responseHeaders: Subject = {
  name: 'header syntax of responses',
  cases: [
    {
      name: 'ordinary fields',
      server: [
        response('200 OK', ['Content-Length: 2', 'X-A: b', 'Set-Cookie: a=1', 'Set-Cookie: b=2'], 'ok'),
      ],
    },
    { name: 'a folded field', server: ['HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok'] },
    { name: 'bare LF at line ends', server: ['HTTP/1.1 200 OK\nContent-Length: 2\nX-A: b\n\nok'] },
    {
      name: 'a blank before the colon',
      server: [response('200 OK', ['Content-Length: 2', 'X-A : b'], 'ok')],
    },
    { name: 'no colon', server: [response('200 OK', ['Content-Length: 2', 'nonsense'], 'ok')] },
    { name: 'no name', server: [response('200 OK', ['Content-Length: 2', ': b'], 'ok')] },
    { name: 'a NUL in a name', server: [response('200 OK', ['Content-Length: 2', 'X\0A: b'], 'ok')] },
    {
      name: 'a NUL in a value',
      server: [response('200 OK', ['Content-Length: 2', 'X-A: b\0c'], 'ok')],
      expect: {
        differs: 'a NUL in a value is read differently by programs written in C',
        haproxy: { status: [200] },
        engine: { status: [502] },
      },
    },
    { name: 'a reason of several words', server: [response('200 All is well', ['Content-Length: 2'], 'ok')] },
    { name: 'an empty reason', server: [response('200 ', ['Content-Length: 2'], 'ok')] },
    { name: 'no reason and no blank', server: [response('200', ['Content-Length: 2'], 'ok')] },
    {
      name: 'a reason with bytes above 127',
      server: [response('200 \xe9t\xe9', ['Content-Length: 2'], 'ok')],
    },
    { name: 'an unknown status', server: [response('299 Odd', ['Content-Length: 2'], 'ok')] },
    {
      name: 'a NUL in the reason',
      server: ['HTTP/1.1 200 O\0K\r\nContent-Length: 2\r\n\r\nok'],
      expect: {
        differs: 'a status line that is none (RFC 9112, 4)',
        haproxy: { forwarded: 1 },
        engine: { status: [502] },
      },
    },
    {
      name: 'a status of two digits',
      server: [response('20 OK', ['Content-Length: 2'], 'ok')],
      expect: {
        differs: 'a status line that is none (RFC 9112, 4)',
        haproxy: { forwarded: 1 },
        engine: { status: [502] },
      },
    },
    {
      name: 'a status of one digit',
      server: [response('2 OK', ['Content-Length: 2'], 'ok')],
      expect: {
        differs: 'a status line that is none (RFC 9112, 4)',
        haproxy: { forwarded: 1 },
        engine: { status: [502] },
      },
    },
    {
      name: 'a status of four digits',
      server: [response('2000 OK', ['Content-Length: 2'], 'ok')],
      expect: {
        differs: 'a status line that is none (RFC 9112, 4)',
        haproxy: { status: [2000] },
        engine: { status: [502] },
      },
    },
    { name: 'status 600', server: [response('600 Odd', ['Content-Length: 2'], 'ok')] },
    { name: 'status 999', server: [response('999 Odd', ['Content-Length: 2'], 'ok')] },
    { name: 'a response of HTTP/1.0', server: ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'] },
    {
      name: 'a Date and a Server',
      server: [
        response('200 OK', ['Date: Thu, 01 Jan 1970 00:00:00 GMT', 'Server: x', 'Content-Length: 2'], 'ok'),
      ],
    },
    {
      name: 'many fields',
      server: [
        response(
          '200 OK',
          [...Array.from({ length: 80 }, (_, at) => `X-${at}: ${at}`), 'Content-Length: 2'],
          'ok',
        ),
      ],
    },
    {
      name: 'a long value',
      server: [response('200 OK', [`X-A: ${'b'.repeat(8000)}`, 'Content-Length: 2'], 'ok')],
    },
    {
      name: 'response in two segments, cut in the head',
      server: [['HTTP/1.1 200 OK\r\nConte', { pause: 50 }, 'nt-Length: 2\r\n\r\nok']],
    },
    {
      name: 'response cut between CR and LF',
      server: [['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r', { pause: 50 }, '\nok']],
    },
    {
      name: 'names keep no case of their own',
      server: [response('200 OK', ['CONTENT-LENGTH: 2', 'X-MiXeD: b'], 'ok')],
    },
  ].map((fixture) => ({ client: get('/'), ...fixture })),
};

export const headerEdits: Subject = {
  name: 'header edits',
  cases: [
    {
      name: 'set-header replaces all',
      config: web('http-request set-header X-A new'),
      client: get('/', 'X-A: 1', 'x-a: 2', 'X-B: 3'),
    },
    {
      name: 'set-header on a field that is not there',
      config: web('http-request set-header X-A new'),
      client: get('/'),
    },
    {
      name: 'add-header keeps what is there',
      config: web('http-request add-header X-A new'),
      client: get('/', 'X-A: 1'),
    },
    {
      name: 'del-header',
      config: web('http-request del-header X-A'),
      client: get('/', 'X-A: 1', 'x-a: 2', 'X-Ab: 3'),
    },
    { name: 'del-header Host', config: web('http-request del-header Host'), client: get('/') },
    { name: 'set-header Host', config: web('http-request set-header Host b.test'), client: get('/') },
    {
      name: 'set-header with %[src]',
      config: web('http-request set-header X-Client-IP %[src]'),
      client: get('/'),
    },
    {
      name: 'set-header with fetches',
      config: web('http-request set-header X-All %[method],%[path],%[query],%[url],%[req.hdr(host)]'),
      client: get('/a/b?c=d'),
    },
    {
      name: 'set-header with a missing field',
      config: web('http-request set-header X-All <%[req.hdr(x-none)]>'),
      client: get('/'),
    },
    {
      name: 'set-header from a field that is there twice',
      config: web('http-request set-header X-All %[req.hdr(x-a)]'),
      client: get('/', 'X-A: 1', 'X-A: 2'),
    },
    {
      name: 'converters',
      config: web(
        'http-request set-header X-L %[req.hdr(x-a),lower]',
        'http-request set-header X-U %[req.hdr(x-a),upper]',
      ),
      client: get('/', 'X-A: MiXeD'),
    },
    { name: 'quoted text', config: web('http-request set-header X-A "two words"'), client: get('/') },
    { name: 'escaped blank', config: web('http-request set-header X-A two\\ words'), client: get('/') },
    { name: 'a percent sign', config: web('http-request set-header X-A 100%%'), client: get('/') },
    {
      name: 'rules in order',
      config: web(
        'http-request set-header X-A 1',
        'http-request add-header X-A 2',
        'http-request set-header X-B %[req.hdr(x-a)]',
      ),
      client: get('/'),
    },
    {
      name: 'a rule with a condition',
      config: web(
        'http-request set-header X-A 1 if { path_beg /a }',
        'http-request set-header X-B 1 unless { path_beg /a }',
      ),
      client: get('/abc') + get('/b'),
    },
    {
      name: 'replace-header',
      config: web('http-request replace-header X-A "(.*)b(.*)" \\2-\\1'),
      client: get('/', 'X-A: 1b2', 'X-A: zzz', 'X-B: 1b2'),
    },
    {
      name: 'replace-value',
      config: web('http-request replace-value X-A b+ c'),
      client: get('/', 'X-A: abbd, b, x'),
    },
    { name: 'set-path', config: web('http-request set-path /new%[path]'), client: get('/old?q=1') },
    {
      name: 'replace-path',
      config: web('http-request replace-path /api/(.*) /\\1'),
      client: get('/api/x/y?q=1'),
    },
    { name: 'set-query', config: web('http-request set-query z=1'), client: get('/p?q=1') },
    { name: 'set-uri', config: web('http-request set-uri /all?new=1'), client: get('/p?q=1') },
    { name: 'set-method', config: web('http-request set-method POST'), client: get('/') },
    {
      name: 'response: set-header',
      config: web('http-response set-header X-A new'),
      client: get('/'),
      server: [response('200 OK', ['X-A: 1', 'X-A: 2', 'Content-Length: 2'], 'ok')],
    },
    {
      name: 'response: add-header',
      config: web('http-response add-header X-A new'),
      client: get('/'),
      server: [response('200 OK', ['X-A: 1', 'Content-Length: 2'], 'ok')],
    },
    {
      name: 'response: del-header',
      config: web('http-response del-header Server'),
      client: get('/'),
      server: [response('200 OK', ['Server: x', 'Content-Length: 2'], 'ok')],
    },
    {
      name: 'response: set-status',
      config: web('http-response set-status 418 reason "I am a teapot"'),
      client: get('/'),
      server: [OK],
    },
    {
      name: 'response: a condition on the status',
      config: web('http-response set-header X-Bad 1 if { status 404 }'),
      client: get('/') + get('/'),
      server: [OK, response('404 Not Found', ['Content-Length: 0'])],
    },
    {
      name: 'a request that is denied is not edited further',
      config: web('http-request deny if { path /no }', 'http-response set-header X-A 1'),
      client: get('/no') + get('/yes'),
    },
  ],
};
