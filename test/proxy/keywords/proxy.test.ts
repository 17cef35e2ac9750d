import { describe, expect, it } from 'vitest';
import { DEFAULTS, ERROR_FILE, errors, load, proxy } from './load.ts';

const backend = (lines: string, name = 'b') => proxy(`${DEFAULTS}backend ${name}\n${lines}\n`, name);
const frontend = (lines: string) => proxy(`${DEFAULTS}frontend f\n bind :80\n${lines}\n`, 'f');
const refused = (lines: string) => errors(`${DEFAULTS}listen l\n bind :80\n${lines}\n`);

describe('defaults', () => {
  it('hand down what they say, and nothing after the next defaults', () => {
    const { configuration } = load(
      `${DEFAULTS} retries 7\n option httplog\n balance leastconn\nbackend a\n retries 2\nbackend b\ndefaults\nbackend c\n`,
    );
    const [a, b, c] = configuration.proxies;
    expect([a!.retries, b!.retries, c!.retries]).toEqual([2, 7, 3]);
    expect([a!.options.log, c!.options.log]).toEqual(['http', undefined]);
    expect([b!.balance.algorithm, c!.balance.algorithm]).toEqual(['leastconn', 'roundrobin']);
    expect([b!.mode, c!.mode]).toEqual(['http', 'tcp']);
  });

  it('are named, build on each other, and are chosen by name', () => {
    const text =
      'defaults a\n mode http\n retries 5\ndefaults b from a\n timeout connect 3s\nbackend x from a\nbackend y\nbackend z from b\n';
    const [x, y, z] = load(text).configuration.proxies;
    expect([x!.retries, y!.retries, z!.retries]).toEqual([5, 5, 5]);
    expect([x!.timeouts.connect, y!.timeouts.connect, z!.timeouts.connect]).toEqual([undefined, 3000, 3000]);
    expect(errors('defaults web\nbackend x from wbe\n')).toEqual([
      "no defaults section 'wbe' above; did you mean 'web'?",
    ]);
  });

  it('do not share what a section adds', () => {
    const { configuration } = load(
      `${DEFAULTS} default-server inter 7s\n log 127.0.0.1 local0\nbackend a\n log 127.0.0.2 local0\n default-server rise 9\n timeout queue 9s\n option tcp-check\n tcp-check connect\nbackend b\n server s 127.0.0.1:80\n`,
    );
    const [a, b] = configuration.proxies;
    expect([a!.logs.length, b!.logs.length]).toEqual([2, 1]);
    expect(b!.servers[0]).toMatchObject({ inter: 7000, rise: 2 });
    expect(b!.timeouts.queue).toBeUndefined();
    expect(b!.check).toMatchObject({ type: 'tcp', tcpSteps: [] });
  });

  it('cannot hold servers or addresses, and rules only with a name', () => {
    const lines = 'bind :1\nserver a 127.0.0.1:80\nuse_backend x\nacl a src 1.2.3.4\nhttp-request deny\n';
    expect(errors(`defaults\n${lines}`)).toEqual([
      "'bind' is not allowed in 'defaults'",
      "'server' is not allowed in 'defaults'",
      "'use_backend' is not allowed in 'defaults'",
      "'acl' is not allowed in 'defaults' without a name; give the section a name, and say 'from <name>' where it is used",
      "'http-request' is not allowed in 'defaults' without a name; give the section a name, and say 'from <name>' where it is used",
    ]);
    const text =
      'defaults d\n mode http\n acl here src 127.0.0.1\n http-request deny if here\nbackend b from d\n';
    expect(proxy(text, 'b').httpRequest).toHaveLength(1);
  });

  it("are put aside as a whole for statistics by a section's own, as in HAProxy", () => {
    const text = `${DEFAULTS} stats enable\n stats auth a:b\n stats uri /x\nlisten l\n bind :80\nlisten m\n bind :81\n stats uri /y\n`;
    expect(proxy(text, 'l').stats).toMatchObject({ uri: '/x', auth: [{ user: 'a', password: 'b' }] });
    expect(proxy(text, 'm').stats).toMatchObject({ uri: '/y', auth: [] });
  });
});

describe('keywords on the wrong side', () => {
  it('have no effect and are said, as in HAProxy', () => {
    const { findings } = load(
      `${DEFAULTS}frontend f\n bind :80\n balance roundrobin\n timeout server 1s\nbackend b\n bind :81\n maxconn 3\n`,
    );
    expect(findings).toEqual([
      "8:2 warning: 'balance' has no effect: frontend 'f' has no backend side; put it in a backend or listen section",
      "9:2 warning: 'timeout server' has no effect: frontend 'f' has no backend side; put it in a backend or listen section",
      "11:2 warning: 'bind' has no effect: backend 'b' has no frontend side; put it in a frontend or listen section",
      "12:2 warning: 'maxconn' has no effect: backend 'b' has no frontend side; maybe 'fullconn' is meant",
    ]);
  });

  it('are an error for servers', () => {
    expect(errors(`${DEFAULTS}frontend f\n bind :80\n server a 127.0.0.1:80\n`)).toEqual([
      "'server' has no effect: frontend 'f' has no backend side; put it in a backend or listen section",
    ]);
  });
});

describe('servers', () => {
  it('have the defaults of HAProxy', () => {
    expect(backend('server a 127.0.0.1:80').servers[0]).toMatchObject({
      name: 'a',
      id: 1,
      check: false,
      inter: 2000,
      rise: 2,
      fall: 3,
      weight: 1,
      backup: false,
      initAddr: ['last', 'libc'],
    });
  });

  it('take options in any order, over those of default-server', () => {
    const { servers } = backend(
      'default-server inter 1s fastinter 500 check weight 10\nserver a h:80 maxconn 30 rise 4 backup cookie c\nserver b h:81 no-check weight 0 on-marked-down shutdown-sessions\ndefault-server weight 20\nserver c h:82 id 7',
    );
    expect(servers[0]).toMatchObject({
      inter: 1000,
      fastInter: 500,
      check: true,
      weight: 10,
      maxconn: 30,
      rise: 4,
      backup: true,
      cookie: 'c',
    });
    expect(servers[1]).toMatchObject({ check: false, weight: 0, onMarkedDown: 'shutdown-sessions' });
    expect(servers[2]).toMatchObject({ weight: 20, id: 7 });
    expect(servers.map((s) => s.id)).toEqual([1, 2, 7]);
  });

  it('speak TLS when they say ssl, with what default-server says about it', () => {
    const { servers } = backend(
      'default-server verify none alpn h2,http/1.1 no-tlsv10 no-sslv3\nserver a h:443 ssl check\nserver b h:80 check\nserver c h:443 ssl check port 80\nserver d h:80 check check-ssl ca-file /x.pem verify required\nserver e h:443 ssl verify required ca-file /x.pem force-tlsv12',
    );
    const tls = { verify: 'none', alpn: ['h2', 'http/1.1'], options: { excluded: ['TLSv1.0', 'SSLv3'] } };
    expect(servers[0]).toMatchObject({ ssl: tls, checkTls: tls });
    expect(servers[1]!.ssl).toBeUndefined();
    expect(servers[1]!.checkTls).toBeUndefined();
    expect(servers[2]!.ssl).toBeDefined();
    expect(servers[2]!.checkTls).toBeUndefined();
    expect(servers[3]!.ssl).toBeUndefined();
    expect(servers[3]!.checkTls).toMatchObject({ verify: 'required', caFile: '/x.pem' });
    expect(servers[4]!.ssl).toMatchObject({
      verify: 'required',
      options: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
    });
  });

  it.each([
    ['server', "'server' wants the name of the server"],
    ['server a', "'server' wants an address"],
    [
      'server a/b 127.0.0.1:80',
      "'/' cannot be in the name of the server; letters, digits, -, _, . and : can",
    ],
    ['server a 127.0.0.1:80 chekc', "unknown option 'chekc' of 'server'; did you mean 'check'?"],
    ['server a 127.0.0.1:80 inter', "'inter' wants a delay"],
    [
      'server a 127.0.0.1:80 inter x',
      "'x' is not a delay; times are numbers with us, ms, s, m, h or d: 500ms, 30s, 1m",
    ],
    ['server a 127.0.0.1:80 weight 300', "'300' is not a number (a whole number from 0 to 256)"],
    ['server a 127.0.0.1:80 agent-check', "'agent-check' of 'server' is not supported by this engine yet"],
    ['server a 127.0.0.1:80 proto h2', "'proto h2' is not supported by this engine yet"],
    [
      'server a 127.0.0.1 check',
      "server 'a' has no port to check; write it behind the address, or 'port <port>'",
    ],
    ['server a 127.0.0.1:80 track b', "no server 'b' to track"],
  ])('%s', (line, message) => {
    expect(refused(line)).toEqual([message]);
  });
});

describe('bind', () => {
  it('takes options for each of its addresses', () => {
    const { binds } = proxy(
      'global\n crt-base /certs\nlisten l\n bind :443,:444 name tls ssl crt a.pem crt /b.pem alpn h2,http/1.1 maxconn 9 ssl-min-ver TLSv1.2\n bind /run/x accept-proxy mode 660 user u group g\n bind :80 crt c.pem\n',
      'l',
    );
    const tls = {
      crt: ['/certs/a.pem', '/b.pem'],
      alpn: ['h2', 'http/1.1'],
      options: { minVersion: 'TLSv1.2' },
    };
    expect(binds[0]).toMatchObject({ name: 'tls', acceptProxy: false, maxconn: 9, ssl: tls, text: ':443' });
    expect(binds[1]).toMatchObject({ ssl: tls, text: ':444' });
    expect(binds[2]).toMatchObject({ mode: 0o660, acceptProxy: true });
    expect(binds[3]!.ssl).toBeUndefined();
  });

  it.each([
    ['bind :80 nam x', "unknown option 'nam' of 'bind'; did you mean 'name'?"],
    ['bind :80 name', "'name' wants a name"],
    ['bind :80 crt-list x', "'crt-list' of 'bind' is not supported by this engine yet"],
    ['bind /x mode 9', "'9' is not a mode; modes are octal: 660"],
  ])('%s', (line, message) => {
    expect(refused(line)).toEqual([message]);
  });
});

describe('options', () => {
  it('are switched on, off and back', () => {
    const text = `${DEFAULTS} option dontlognull\n option httpclose\n option redispatch\n option forwardfor\n`;
    const { options, redispatch, forwardFor } = proxy(
      `${text}listen l\n bind :80\n no option dontlognull\n no option httpclose\n no option redispatch\n no option forwardfor\n option persist\n`,
      'l',
    );
    expect(options).toMatchObject({
      dontlognull: false,
      connection: 'keep-alive',
      persist: true,
    });
    expect([redispatch, forwardFor]).toEqual([0, undefined]);
    expect(proxy(`${text}listen l\n bind :80\n`, 'l')).toMatchObject({
      options: { dontlognull: true, connection: 'close' },
      redispatch: -1,
      forwardFor: { header: 'X-Forwarded-For', ifNone: false },
    });
  });

  it('read their words', () => {
    expect(
      frontend('option forwardfor except 127.0.0.0/8 header X-Client if-none\noption httplog clf'),
    ).toMatchObject({
      forwardFor: { header: 'X-Client', except: '127.0.0.0/8', ifNone: true },
      options: { log: 'http-clf' },
    });
    expect(backend('option redispatch 2').redispatch).toBe(2);
  });

  it.each([
    ['option', /^'option' wants one of httplog, /],
    ['option httplgo', /^unknown 'option httplgo'; did you mean 'httplog'\?$/],
    ['no option httplog', /^'no' is not possible for 'option httplog'$/],
    ['option dontlognull x', /^'option dontlognull' does not take 'x' here$/],
    ['option forwardfor except here', /^'here' is not a network; write 127\.0\.0\.0\/8$/],
    ['option mysql-check', /^'option mysql-check' is not supported by this engine yet$/],
    ['stick-table type ip size 1m', /^'stick-table' is not supported by this engine yet$/],
    ['no balance x', /^'no' is not possible for 'balance'$/],
    ['timeout foo 3', /^unknown 'timeout foo'; there are client, /],
    ['timeout clinet 3', /^unknown 'timeout clinet'; did you mean 'client'\?$/],
    ['timeout client', /^'timeout client' wants a time$/],
    ['timeout client 10s 3', /^'timeout client' does not take '3' here$/],
    ['timeout client 1.5s', /^'1\.5s' is not a time; /],
    ['timeout client 30d', /^that is longer than timers can count; the longest is 24d$/],
    ['mode htp', /^unknown mode 'htp'; did you mean 'http'\?$/],
    ['mode health', /^'mode health' is not supported by this engine yet$/],
    ['retries -1', /is not a number/],
    ['balence roundrobin', /^unknown keyword 'balence' in section 'listen'; did you mean 'balance'\?$/],
    ['maxconn 3 4', /^'maxconn' does not take '4' here$/],
  ])('%s', (line, message) => {
    const found = refused(line);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });
});

describe('balance', () => {
  it.each([
    ['balance', 'roundrobin', []],
    ['balance roundrobin', 'roundrobin', []],
    ['balance leastconn', 'leastconn', []],
    ['balance uri depth 3 len 20 path-only', 'uri', ['depth', '3', 'len', '20', 'path-only']],
    ['balance url_param id check_post', 'url_param', ['id', 'check_post']],
    ['balance hdr(host) use_domain_only', 'hdr', ['host', 'use_domain_only']],
    ['balance random(3)', 'random', ['3']],
    ['balance rdp-cookie(x)', 'rdp-cookie', ['x']],
    ['balance hash req.hdr(x-user)', 'hash', []],
  ])('%s', (line, algorithm, args) => {
    expect(backend(line).balance).toMatchObject({ algorithm, args });
  });

  it.each([
    ['balance rounrobin', "unknown balance algorithm 'rounrobin'; did you mean 'roundrobin'?"],
    ['balance hdr', "'hdr' wants a name in parentheses; write hdr(host)"],
    ['balance roundrobin x', "'balance' does not take 'x' here"],
    ['balance source(3)', "'source' takes nothing in parentheses"],
    ['balance random(0)', "'0' is not a number of draws; write random(2)"],
    ['balance uri depth', "'balance' wants a depth"],
  ])('%s', (line, message) => {
    expect(refused(line)).toEqual([message]);
  });

  it('falls back in mode tcp', () => {
    const { configuration, findings } = load(`${DEFAULTS}backend b\n mode tcp\n balance uri\n`);
    expect(configuration.proxies[0]!.balance.algorithm).toBe('roundrobin');
    expect(findings[0]).toContain('reads requests');
  });
});

describe('checks', () => {
  it.each([
    ['', 'OPTIONS', '/', 'HTTP/1.0', []],
    ['/up', 'OPTIONS', '/up', 'HTTP/1.0', []],
    ['GET /up', 'GET', '/up', 'HTTP/1.0', []],
    ['GET /up HTTP/1.1', 'GET', '/up', 'HTTP/1.1', []],
    [
      'HEAD / HTTP/1.1\\r\\nHost:\\ a.example.com',
      'HEAD',
      '/',
      'HTTP/1.1',
      [{ name: 'Host', value: 'a.example.com' }],
    ],
    [
      'GET / "HTTP/1.1\\r\\nHost: a\\r\\nX-Y: 1 2"',
      'GET',
      '/',
      'HTTP/1.1',
      [
        { name: 'Host', value: 'a' },
        { name: 'X-Y', value: '1 2' },
      ],
    ],
  ])('option httpchk %s', (args, method, uri, version, headers) => {
    expect(backend(`option httpchk ${args}`).check).toMatchObject({
      type: 'http',
      http: { method, uri, version, headers },
    });
  });

  it('warn about the form of 1.x, with the one of today', () => {
    const { findings } = load(`${DEFAULTS}backend b\n option httpchk GET / HTTP/1.1\\r\\nHost:\\ a\n`);
    expect(findings).toEqual([
      "7:23 warning: headers behind the version of 'option httpchk' (HAProxy 1.x); today: 'option httpchk' and a line 'http-check send meth GET uri / ver HTTP/1.1 hdr Host a'",
    ]);
  });

  it('read the request and what to expect', () => {
    const { check } = backend(
      'option httpchk\nhttp-check send meth GET uri /x ver HTTP/1.1 hdr Host h hdr A "b c" body hi\nhttp-check expect ! rstatus ^5\nhttp-check disable-on-404\n',
    );
    expect(check).toMatchObject({
      type: 'http',
      http: { method: 'GET', uri: '/x', version: 'HTTP/1.1', body: 'hi' },
      expect: { kind: 'rstatus', value: '^5', negate: true },
      disableOn404: true,
    });
    expect(check.http!.headers).toEqual([
      { name: 'Host', value: 'h' },
      { name: 'A', value: 'b c' },
    ]);
  });

  it('read steps over TCP', () => {
    const { check } = backend(
      'option tcp-check\ntcp-check connect port 6379\ntcp-check send PING\\r\\n\ntcp-check expect string +PONG\ntcp-check send-binary 00ff\ntcp-check expect ! rstring ^x comment no\n',
    );
    expect(check.tcpSteps).toEqual([
      { kind: 'connect', port: 6379 },
      { kind: 'send', data: 'PING\r\n' },
      { kind: 'expect', match: 'string', value: '+PONG', negate: false },
      { kind: 'send', data: '\0\xff' },
      { kind: 'expect', match: 'rstring', value: '^x', negate: true },
    ]);
  });

  it.each([
    ['http-check expect statu 200', "unknown way to match 'statu'; did you mean 'status'?"],
    ['http-check expect status 2xx', "'2xx' is not a list of statuses; write 200 or 200-399"],
    ['http-check expect hdr name x', "'hdr' of 'http-check expect' is not supported by this engine yet"],
    ['http-check connect', "'http-check connect' is not supported by this engine yet"],
    ['tcp-check send-binary 0', "'0' is not hexadecimal"],
    ['http-check send mth GET', "unknown word of 'http-check send' 'mth'; did you mean 'meth'?"],
  ])('%s', (line, message) => {
    expect(refused(line)).toEqual([message]);
  });
});

describe('error pages', () => {
  it('are read when the configuration is', () => {
    const { errorFiles, errorLocations } = proxy(
      `${DEFAULTS} errorfile 503 a.http\n errorfile 500 a.http\nlisten l\n bind :80\n errorloc303 500 /sorry\n`,
      'l',
      { files: { 'a.http': ERROR_FILE } },
    );
    expect([...errorFiles]).toEqual([[503, { file: 'a.http', content: ERROR_FILE }]]);
    expect([...errorLocations]).toEqual([[500, { code: 303, location: '/sorry' }]]);
  });

  it('may be empty', () => {
    expect(errors(`${DEFAULTS} errorfile 503 /dev/null\n`, { files: { '/dev/null': '' } })).toEqual([]);
  });

  it.each([
    ['errorfile 503 nope.http', "cannot read 'nope.http'"],
    ['errorfile 302 a.http', "'302' is not a status with an error page"],
    ['errorfile 503 page.html', "'page.html' is not an HTTP response: its first line is no status line"],
    ['errorfile 503 cut.http', "'cut.http' is not an HTTP response: no empty line ends its headers"],
    ['errorfile 503 odd.http', "'odd.http' is not an HTTP response: 'not a header' is no header"],
  ])('%s', (line, message) => {
    const files = {
      'a.http': ERROR_FILE,
      'page.html': '<h1>no</h1>\n',
      'cut.http': 'HTTP/1.0 503 No\r\nA: b\r\n',
      'odd.http': 'HTTP/1.0 503 No\r\nnot a header\r\n\r\n',
    };
    const found = errors(`${DEFAULTS}listen l\n bind :80\n ${line}\n`, { files });
    expect(found).toHaveLength(1);
    expect(found[0]!.startsWith(message)).toBe(true);
  });
});

describe('logs', () => {
  it('go to targets of the section and to those of global', () => {
    const { logs, logGlobal } = frontend(
      'log global\nlog 127.0.0.1:1514 len 2048 format rfc5424 sample 1-2,4:5 local3 notice err\nlog /dev/log daemon\nlog stdout format raw local0',
    );
    expect(logGlobal).toBe(true);
    expect(logs).toEqual([
      {
        to: { kind: 'udp', host: '127.0.0.1', port: 1514 },
        length: 2048,
        format: 'rfc5424',
        sample: {
          ranges: [
            [1, 2],
            [4, 4],
          ],
          size: 5,
        },
        facility: 19,
        level: 5,
        minLevel: 3,
      },
      {
        to: { kind: 'unix', path: '/dev/log' },
        length: 1024,
        format: 'local',
        facility: 3,
        level: 7,
        minLevel: 0,
      },
      { to: { kind: 'fd', fd: 1 }, length: 1024, format: 'raw', facility: 16, level: 7, minLevel: 0 },
    ]);
  });

  it("are taken back by 'no log'", () => {
    const text = `${DEFAULTS} log global\n log 127.0.0.1 local0\nlisten l\n bind :80\n no log\n`;
    expect(proxy(text, 'l')).toMatchObject({ logs: [], logGlobal: false });
  });

  it.each([
    ['log 127.0.0.1 local9', "unknown facility 'local9'; did you mean 'local0'?"],
    ['log 127.0.0.1', "'log' wants facility"],
    ['log 127.0.0.1 local0 worst', "unknown level 'worst'"],
    [
      'log 127.0.0.1 len 3 local0',
      "'3' is not the length of a line in bytes (a whole number from 80 to 65535)",
    ],
    ['log ring@x local0', "'ring@' is not supported by this engine yet"],
    [
      'log 127.0.0.1 sample 3-1:5 local0',
      "'3-1:5' is not a sample of messages; write rising ranges and a size: 1-3,5:10",
    ],
  ])('%s', (line, message) => {
    expect(refused(line)).toEqual([message]);
  });
});

describe('statistics', () => {
  it('are read line by line', () => {
    const { stats } = frontend(
      'stats enable\nstats uri /stats\nstats realm Load\\ balancer\nstats refresh 5s\nstats auth a:b:c\nstats admin if TRUE\nstats hide-version\nstats show-legends\nstats show-node\nstats scope .\n',
    );
    expect(stats).toMatchObject({
      uri: '/stats',
      realm: 'Load balancer',
      refresh: 5,
      auth: [{ user: 'a', password: 'b:c' }],
      hideVersion: true,
      showLegends: true,
      showNode: '',
      scope: ['.'],
    });
    expect(stats!.admin).toHaveLength(1);
    expect(frontend('stats refresh 10').stats!.refresh).toBe(10);
  });

  it.each([
    ['stats auth nobody', 'user and password stand with a colon between them; write user:password'],
    ['stats admin', "'stats admin' wants a condition; write 'if' or 'unless' with it"],
    ['stats uir /x', "unknown 'stats uir'; did you mean 'uri'?"],
  ])('%s', (line, message) => {
    expect(refused(line)).toEqual([message]);
  });
});

describe('references', () => {
  it.each([
    ['use_backend nope if TRUE', "listen 'l': 'use_backend' names 'nope', and no backend has that name"],
    [
      'default_backend apps',
      "listen 'l': 'default_backend' names 'apps', and no backend has that name; did you mean 'app'?",
    ],
    ['use-server x if TRUE', "no server 'x' in listen 'l'"],
    [
      'default_backend raw',
      "listen 'l' speaks HTTP and its backend 'raw' does not; say 'mode http' in 'raw'",
    ],
  ])('%s', (line, message) => {
    expect(errors(`${DEFAULTS}listen l\n bind :80\n ${line}\nbackend app\nbackend raw\n mode tcp\n`)).toEqual(
      [message],
    );
  });

  it('may come before what they name', () => {
    expect(frontend('use_backend %[req.hdr(host)]').useBackends).toHaveLength(1);
    expect(errors(`${DEFAULTS}frontend f\n bind :80\n default_backend later\nbackend later\n`)).toEqual([]);
  });

  it('clash', () => {
    expect(
      errors(
        `${DEFAULTS}backend a\n server s 127.0.0.1:80\n server s 127.0.0.1:81\nlisten a\n bind :80\nfrontend a\n bind :81\n`,
      ),
    ).toEqual([
      "backend 'a' has a second server 's', after the one of line 7; give each its own name",
      "listen 'a' has the name of the backend 'a' of test.cfg:6",
      "frontend 'a' has the name of the listen 'a' of test.cfg:9",
    ]);
    expect(errors(`${DEFAULTS}frontend a\n bind :80\n default_backend a\nbackend a\n`)).toEqual([]);
  });

  it('number proxies around those with a number, from 2 on where the runtime socket is number 1', () => {
    const ids = (text: string) => load(text).configuration.proxies.map((p) => p.id);
    const proxies = `${DEFAULTS}backend a\nbackend b\n id 2\nbackend c\n`;
    expect(ids(proxies)).toEqual([1, 2, 3]);
    expect(ids(`global\n stats socket /run/x.sock\n${proxies}`)).toEqual([3, 2, 4]);
    expect(errors(`${DEFAULTS}backend a\n id 5\nbackend b\n id 5\n`)).toEqual([
      "'b' has the id 5 of 'a'; give each its own",
    ]);
  });

  it('between userlists and groups are checked', () => {
    const list =
      'userlist u\n group g users tom\n user tom password $5$x groups h\n user tim insecure-password x\n';
    expect(errors(list)).toEqual(["user 'tom' is in group 'h', which userlist 'u' does not have"]);
    const { userlists } = load(
      'userlist u\n group g users tom\n user tom insecure-password x groups g\n',
    ).configuration;
    expect(userlists.get('u')!.users.get('tom')).toEqual({ password: 'x', insecure: true, groups: ['g'] });
  });
});

describe('warnings', () => {
  it('about what stands behind a unit of time', () => {
    const { findings, configuration } = load(
      `${DEFAULTS}backend b\n timeout queue 3s[\n server s h:80 inter 1sx\n`,
    );
    expect(findings).toEqual([
      "7:16 warning: '[' behind the time '3s' is ignored; leave it out",
      "8:22 warning: 'x' behind the time '1s' is ignored; leave it out",
    ]);
    expect(configuration.proxies[0]!.timeouts.queue).toBe(3000);
  });

  it.each([
    ['frontend f\n', "2:10 warning: frontend 'f' has no 'bind' line; add one, or make it a 'backend'"],
    [
      'listen l\n bind :80\n server s 127.0.0.1:80\n',
      "2:8 warning: listen 'l' has no 'timeout client', 'timeout connect', 'timeout server': what waits for a silent peer waits for ever; set them in 'defaults'",
    ],
    [
      'frontend f\n bind :80\n timeout client 1s\n option httplog\n',
      "2:10 warning: 'option httplog' needs mode http: frontend 'f' logs in the TCP format",
    ],
    [
      'frontend f\n bind :80\n timeout client 1s\n option forwardfor\n',
      "2:10 warning: 'option forwardfor' has no effect in frontend 'f': it needs mode http",
    ],
  ])('%j', (text, message) => {
    expect(load(`# a\n${text}`).findings).toEqual([message]);
  });
});

it('a bind line that was refused is not missed as well', () => {
  const text = `${DEFAULTS}frontend f\n bind :99999\n`;
  expect(load(text).findings).toEqual(["7:7 error: '99999' is not a port; the highest is 65535"]);
});

describe('words that have no effect here', () => {
  it.each([
    ['option prefer-last-server', 'option prefer-last-server'],
    ['no option tcpka', 'option tcpka'],
    ['backlog 10', 'backlog'],
    ['cookie C insert maxidle 5s', 'cookie … maxidle'],
    ['bind unix@/tmp/s user u', 'bind … user'],
    ['server s 127.0.0.1:1 source 127.0.0.1', 'server … source'],
  ])('are named: %s', (line, keyword) => {
    const { configuration } = load(`listen l\n mode http\n ${line}\n`);
    expect(configuration.noted.map((entry) => entry.keyword)).toEqual([keyword]);
  });
});
