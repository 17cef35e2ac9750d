import { bare, get, OK, post, REFUSING, request, response, type Subject, sections, web } from '../fixture.ts';

const FORWARD = 'option forwardfor';

export const forwardFor: Subject = {
  name: 'option forwardfor',
  cases: [
    { name: 'adds the field', config: web(FORWARD), client: get('/') },
    {
      name: 'keeps what is there and adds its own',
      config: web(FORWARD),
      client: get('/', 'X-Forwarded-For: 10.0.0.1', 'X-Z: 1'),
    },
    { name: 'in each request of a connection', config: web(FORWARD), client: get('/1') + get('/2') },
    { name: 'except the client', config: web(`${FORWARD} except 127.0.0.0/8`), client: get('/') },
    { name: 'except another network', config: web(`${FORWARD} except 10.0.0.0/8`), client: get('/') },
    {
      name: 'another name',
      config: web(`${FORWARD} header X-Client`),
      client: get('/', 'X-Forwarded-For: 10.0.0.1'),
    },
    { name: 'if-none, and there is none', config: web(`${FORWARD} if-none`), client: get('/') },
    {
      name: 'if-none, and there is one',
      config: web(`${FORWARD} if-none`),
      client: get('/', 'X-Forwarded-For: 10.0.0.1'),
    },
    {
      name: 'except and header',
      config: web(`${FORWARD} except 10.0.0.0/8 header X-Real-IP`),
      client: get('/'),
    },
    {
      name: 'in the frontend and in the backend',
      config: sections([FORWARD, 'default_backend {id}_b'], { b: [FORWARD] }),
      client: get('/'),
    },
    {
      name: 'in the backend with another name',
      config: sections([FORWARD, 'default_backend {id}_b'], { b: [`${FORWARD} header X-Back`] }),
      client: get('/'),
    },
    { name: 'option originalto', config: web('option originalto'), client: get('/') },
  ],
};

export const answersOfItsOwn: Subject = {
  name: 'redirects, denials, error pages',
  cases: [
    {
      name: 'redirect scheme',
      config: web('redirect scheme https if !{ ssl_fc }'),
      client: get('/a/b?c=d') + get('/2'),
    },
    {
      name: 'a server with redir',
      config: bare('server s1 {origin} redir http://other.test'),
      client: get('/a/b?c=d'),
    },
    {
      name: 'a server with redir, and a POST',
      config: bare('server s1 {origin} redir http://other.test'),
      client: post('hello', 'Content-Length: 5'),
    },
    {
      name: 'option persist, and the cookie names a server that refuses',
      config: bare(
        'option persist',
        'cookie C',
        `server s1 ${REFUSING} cookie a`,
        'server s2 {origin} cookie b',
      ),
      client: get('/', 'Cookie: C=a'),
    },
    {
      name: 'http-request redirect scheme',
      config: web('http-request redirect scheme https code 301'),
      client: get('/a?b'),
    },
    {
      name: 'redirect scheme without Host',
      config: web('redirect scheme https'),
      client: request('GET /a HTTP/1.1', []),
    },
    {
      name: 'redirect scheme with a port in Host',
      config: web('redirect scheme https'),
      client: request('GET /a HTTP/1.1', ['Host: a.test:8080']),
    },
    {
      name: 'redirect scheme of an absolute target',
      config: web('redirect scheme https'),
      client: request('GET http://a.test/x HTTP/1.1', ['Host: a.test']),
    },
    { name: 'redirect location', config: web('redirect location http://b.test/new'), client: get('/a') },
    { name: 'redirect prefix', config: web('redirect prefix http://b.test'), client: get('/a/b?c=d') },
    {
      name: 'redirect prefix drop-query',
      config: web('redirect prefix http://b.test drop-query'),
      client: get('/a?c=d'),
    },
    {
      name: 'redirect prefix append-slash',
      config: web('redirect prefix /x append-slash'),
      client: get('/a'),
    },
    {
      name: 'redirect with a log format',
      config: web('http-request redirect location http://%[req.hdr(host)]/to%[path]'),
      client: get('/a'),
    },
    { name: 'redirect 303', config: web('redirect location /x code 303'), client: get('/') },
    {
      name: 'redirect 307',
      config: web('redirect location /x code 307'),
      client: post('hello', 'Content-Length: 5') + get('/2'),
      expect: {
        differs: 'the body has arrived: there is no need to close',
        haproxy: { status: [307], closed: true },
        engine: { status: [307, 307] },
      },
    },
    { name: 'redirect 308', config: web('redirect location /x code 308'), client: get('/') },
    { name: 'redirect set-cookie', config: web('redirect location /x set-cookie SEEN=1'), client: get('/') },
    {
      name: 'redirect clear-cookie',
      config: web('redirect location /x clear-cookie SEEN='),
      client: get('/'),
    },
    {
      name: 'redirect with a condition, both ways',
      config: web('redirect location /x if { path /old }'),
      client: get('/old') + get('/new'),
    },
    {
      name: 'redirect to HEAD',
      config: web('redirect location /x'),
      client: request('HEAD / HTTP/1.1', ['Host: a.test']) + get('/2'),
    },
    {
      name: 'redirect to HTTP/1.0',
      config: web('redirect location /x'),
      client: request('GET / HTTP/1.0', []),
    },
    {
      name: 'redirect and Connection: close',
      config: web('redirect location /x'),
      client: get('/', 'Connection: close'),
    },
    { name: 'deny', config: web('http-request deny'), client: get('/') + get('/2') },
    { name: 'deny with a status', config: web('http-request deny deny_status 429'), client: get('/') },
    {
      name: 'deny a POST',
      config: web('http-request deny if METH_POST'),
      client: post('hello', 'Content-Length: 5') + get('/2'),
    },
    {
      name: 'deny a POST whose body is not there yet',
      config: web('http-request deny if METH_POST'),
      client: [post('he', 'Content-Length: 5'), { until: '403' }, 'llo', { pause: 50 }, get('/2')],
    },
    { name: 'deny in HTTP/1.0', config: web('http-request deny'), client: request('GET / HTTP/1.0', []) },
    {
      name: 'allow before deny',
      config: web('http-request allow if { path /a }', 'http-request deny'),
      client: get('/a') + get('/b'),
    },
    {
      name: 'response deny',
      config: web('http-response deny if { status 500 }'),
      client: get('/') + get('/2'),
      server: [response('500 No', ['Content-Length: 0']), OK],
    },
    {
      name: 'return',
      config: web('http-request return status 200 content-type text/plain string hello'),
      client: get('/') + get('/2'),
    },
    {
      name: 'return with a header and a log format',
      config: web('http-request return status 404 content-type text/plain lf-string "no %[path]" hdr X-A 1'),
      client: get('/a'),
    },
    {
      name: 'errorfile 400, byte for byte',
      config: bare('errorfile 400 {dir}/400.http', 'server s1 {origin}'),
      client: 'nonsense\r\n\r\n',
      expect: {
        differs:
          'an errorfile is for every response of its status; HAProxy answers below HTTP with the page built in',
        haproxy: { status: [400], closed: true },
        engine: { sends: 'X-Page: 400', closed: true },
      },
    },
    {
      name: 'errorfile 403, byte for byte',
      config: bare('errorfile 403 {dir}/403.http', 'http-request deny', 'server s1 {origin}'),
      client: get('/'),
      compare: ['bytes', 'connection'],
    },
    {
      name: 'errorfile 403 to HEAD',
      config: bare('errorfile 403 {dir}/403.http', 'http-request deny', 'server s1 {origin}'),
      client: request('HEAD / HTTP/1.1', ['Host: a.test']),
      compare: ['bytes', 'connection'],
    },
    {
      name: 'errorfile 403 to HTTP/1.0',
      config: bare('errorfile 403 {dir}/403.http', 'http-request deny', 'server s1 {origin}'),
      client: request('GET / HTTP/1.0', []),
      compare: ['bytes', 'connection'],
    },
    {
      name: 'errorfile 503, byte for byte',
      config: bare('errorfile 503 {dir}/503.http'),
      client: get('/') + get('/2'),
      compare: ['bytes', 'connection'],
    },
    {
      name: 'errorfile 502, byte for byte',
      config: bare('errorfile 502 {dir}/502.http', 'server s1 {origin}'),
      client: get('/'),
      server: ['garbage\r\n\r\n'],
      compare: ['bytes', 'connection'],
    },
    {
      name: 'errorfile 504, byte for byte',
      config: bare('errorfile 504 {dir}/504.http', 'timeout server 200ms', 'server s1 {origin}'),
      client: get('/'),
      server: [[{ pause: 900 }]],
      compare: ['bytes', 'connection'],
    },
    {
      name: 'errorfile 408, byte for byte',
      config: bare('errorfile 408 {dir}/408.http', 'timeout http-request 200ms', 'server s1 {origin}'),
      client: 'GET / HTTP/1.1\r\n',
      expect: {
        differs:
          'an errorfile is for every response of its status; HAProxy answers below HTTP with the page built in',
        haproxy: { status: [408], closed: true },
        engine: { sends: 'X-Page: 408', closed: true },
      },
    },
    {
      name: 'errorfile 408 that is empty',
      config: bare('errorfile 408 /dev/null', 'timeout http-request 200ms', 'server s1 {origin}'),
      client: 'GET / HTTP/1.1\r\n',
      compare: ['bytes', 'connection'],
    },
    { name: 'monitor-uri', config: web('monitor-uri /alive'), client: get('/alive') + get('/other') },
  ],
};

const named = (name: string): readonly string[] => [`http-request set-header X-Backend ${name}`];
const THREE = { web: named('web'), api: named('api'), images: named('images') };
const routed = (...lines: string[]) => sections(lines, THREE);
const SITES = routed(
  'acl host_api hdr(host) -i api.test',
  'acl host_img hdr(host) -i img.test pictures.test',
  'use_backend {id}_api if host_api',
  'use_backend {id}_images if host_img',
  'default_backend {id}_web',
);
const PATHS = routed(
  'acl url_static path_beg -i /static /images',
  'acl url_static path_end -i .jpg .css',
  'use_backend {id}_images if url_static',
  'use_backend {id}_api if { path_beg /api/ } !{ method POST }',
  'default_backend {id}_web',
);
const to = (host: string, target = '/'): string => request(`GET ${target} HTTP/1.1`, [`Host: ${host}`]);

export const routing: Subject = {
  name: 'ACLs and backends',
  cases: [
    {
      name: 'by host',
      config: SITES,
      client: to('api.test') + to('img.test') + to('pictures.test') + to('other.test'),
    },
    { name: 'by host, case does not matter', config: SITES, client: to('API.Test') },
    { name: 'by host, a port is part of the field', config: SITES, client: to('api.test:8080') },
    { name: 'by host, no Host', config: SITES, client: request('GET / HTTP/1.1', []) },
    {
      name: 'by host, HTTP/1.0 with Host',
      config: SITES,
      client: request('GET / HTTP/1.0', ['Host: api.test']),
    },
    {
      name: 'by path',
      config: PATHS,
      client: ['/static/x', '/STATIC/x', '/a.JPG', '/a.jpg?x=1', '/a.jpgx', '/api/', '/api', '/API/', '/']
        .map((path) => get(path))
        .join(''),
    },
    {
      name: 'by path and method',
      config: PATHS,
      client: request('POST /api/x HTTP/1.1', ['Host: a.test', 'Content-Length: 0']) + get('/api/x'),
    },
    {
      name: 'by path of an absolute target',
      config: PATHS,
      client: request('GET http://a.test/static/x HTTP/1.1', ['Host: a.test']),
    },
    {
      name: 'path_reg',
      config: routed('use_backend {id}_api if { path_reg ^/v[0-9]+/ }', 'default_backend {id}_web'),
      client: get('/v12/x') + get('/vx/'),
    },
    {
      name: 'path_sub and path_dir',
      config: routed(
        'use_backend {id}_api if { path_sub needle }',
        'use_backend {id}_images if { path_dir pics }',
        'default_backend {id}_web',
      ),
      client: get('/hay/needles') + get('/a/pics/b') + get('/a/picsx/b'),
    },
    {
      name: 'hdr_beg, hdr_end, hdr_dom',
      config: routed(
        'use_backend {id}_api if { hdr_beg(host) -i api. }',
        'use_backend {id}_images if { hdr_end(host) -i .img }',
        'use_backend {id}_web if { hdr_dom(host) -i deep }',
      ),
      client: to('api.x') + to('a.img') + to('very.deep.test') + to('none.test'),
    },
    {
      name: 'any of the values of a list field',
      config: routed('use_backend {id}_api if { hdr(accept) text/html }', 'default_backend {id}_web'),
      client: get('/', 'Accept: text/plain, text/html') + get('/', 'Accept: text/plain'),
    },
    {
      name: 'hdr_cnt',
      config: routed('use_backend {id}_api if { req.hdr_cnt(x-a) gt 1 }', 'default_backend {id}_web'),
      client: get('/', 'X-A: 1', 'X-A: 2') + get('/', 'X-A: 1'),
    },
    {
      name: 'url_param',
      config: routed('use_backend {id}_api if { url_param(to) api }', 'default_backend {id}_web'),
      client: get('/?to=api') + get('/?x=1&to=api') + get('/?to=web') + get('/'),
    },
    {
      name: 'src',
      config: routed('use_backend {id}_api if { src 127.0.0.0/8 }', 'default_backend {id}_web'),
      client: get('/'),
    },
    {
      name: 'or, and, not',
      config: routed(
        'acl a path_beg /a',
        'acl b path_end b',
        'use_backend {id}_api if a b or { path /c }',
        'use_backend {id}_images unless a',
        'default_backend {id}_web',
      ),
      client: ['/ab', '/a', '/b', '/c'].map((path) => get(path)).join(''),
    },
    {
      name: 'predefined ACLs',
      config: routed('use_backend {id}_api if METH_GET LOCALHOST', 'default_backend {id}_web'),
      client: get('/') + post('', 'Content-Length: 0'),
    },
    {
      name: 'a backend by a log format',
      config: routed('use_backend {id}_%[req.hdr(x-to)]', 'default_backend {id}_web'),
      client: get('/', 'X-To: api') + get('/', 'X-To: none') + get('/'),
    },
    {
      name: 'no backend at all: 503',
      config: routed('use_backend {id}_api if FALSE'),
      client: get('/') + get('/2'),
    },
    {
      name: 'the first that matches',
      config: routed('use_backend {id}_api if TRUE', 'use_backend {id}_images if TRUE'),
      client: get('/'),
    },
    {
      name: 'rules of the frontend, then of the backend',
      config: sections(['http-request add-header X-Order front', 'default_backend {id}_b'], {
        b: ['http-request add-header X-Order back'],
      }),
      client: get('/'),
    },
    {
      name: 'cookie insert',
      config: bare('cookie SRV insert indirect nocache', 'server s1 {origin} cookie one'),
      client: [get('/'), { until: 'ok' }, get('/', 'Cookie: SRV=one; b=2')],
    },
    {
      name: 'balance roundrobin over two servers',
      config: bare(
        'balance roundrobin',
        'http-request set-header X-Before 1',
        'server s1 {origin}',
        'server s2 {origin}',
      ),
      client: get('/1') + get('/2'),
    },
  ],
};

const login = (text: string): string => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;
const STATS = bare(
  'stats enable',
  'stats uri /stats',
  'stats realm Lab\\ Statistics',
  'stats auth me:secret',
  'server s1 {origin}',
);

export const statistics: Subject = {
  name: 'the statistics page',
  cases: [
    {
      name: '401 without a login',
      config: STATS,
      client: get('/stats'),
      compare: ['status', 'fields', 'origin'],
    },
    {
      name: '401 with a wrong password',
      config: STATS,
      client: get('/stats', login('me:wrong')),
      compare: ['status', 'fields', 'origin'],
    },
    {
      name: '401 with a broken login',
      config: STATS,
      client: get('/stats', 'Authorization: Basic ???'),
      compare: ['status', 'fields', 'origin'],
    },
    {
      name: '200 with the login',
      config: STATS,
      client: get('/stats', login('me:secret')),
      compare: ['status', 'fields', 'origin'],
    },
    {
      name: 'CSV',
      config: STATS,
      client: get('/stats;csv', login('me:secret')),
      compare: ['status', 'fields', 'origin'],
    },
    {
      name: 'JSON',
      config: STATS,
      client: get('/stats;json', login('me:secret')),
      compare: ['status', 'fields', 'origin'],
    },
    {
      name: 'HEAD',
      config: STATS,
      client: request('HEAD /stats HTTP/1.1', ['Host: a.test', login('me:secret')]),
      compare: ['status', 'fields', 'origin'],
    },
    { name: 'another path goes to the server', config: STATS, client: get('/other') },
    {
      name: 'a path that begins like it',
      config: STATS,
      client: get('/statsx', login('me:secret')),
      compare: ['status', 'connection', 'origin'],
    },
    {
      name: 'POST without admin',
      config: STATS,
      client: request(
        'POST /stats HTTP/1.1',
        ['Host: a.test', login('me:secret'), 'Content-Length: 21'],
        's=s1&action=drain&b=x',
      ),
      compare: ['status', 'fields', 'origin'],
    },
    {
      name: 'no login asked for',
      config: bare('stats enable', 'stats uri /stats', 'server s1 {origin}'),
      client: get('/stats'),
      compare: ['status', 'fields', 'origin'],
    },
    {
      name: 'refresh',
      config: bare('stats enable', 'stats uri /stats', 'stats refresh 5s', 'server s1 {origin}'),
      client: get('/stats') + get('/stats;norefresh'),
      compare: ['status', 'fields', 'origin'],
    },
    {
      name: 'http-request auth',
      config: web('http-request auth realm Lab unless { path /open }'),
      client: get('/') + get('/open'),
    },
  ],
};
