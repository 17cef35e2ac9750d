import { describe, expect, test } from 'vitest';
import { VERDICT } from '../../../src/proxy/expressions.ts';
import { ACTIONS } from '../../../src/proxy/rules/actions.ts';
import { compileRules } from '../../../src/proxy/rules/compile.ts';
import { fieldsOf, read, type TransactionOptions, transaction, world } from '../harness.ts';

const REQUEST = 'GET /a/b?x=1 HTTP/1.1\r\nhost: h:81\r\nx-a: 1\r\n\r\n';

/** Replies as HAProxy 2.6 makes them, field by field. `page` is the error page of the status. */
describe('replies', () => {
  test.each([
    ['deny', { status: 403, errorPage: true, headers: [], termination: 'PR' }],
    ['deny deny_status 429', { status: 429, errorPage: true, headers: [], termination: 'PR' }],
    ['deny status 429', reply(429, [], '', 'PR')],
    ['deny status 404 default-errorfiles', { status: 404, errorPage: true, headers: [], termination: 'PR' }],
    ['deny hdr a b', reply(403, [['a', 'b']], '', 'PR')],
    ['deny status 403 content-type text/html string <b>', reply(403, [], '<b>', 'PR', 'text/html')],
    ['tarpit deny_status 429', { status: 429, errorPage: true, headers: [], termination: 'PT', delay: 2000 }],
    ['return', reply(200, [], '', 'LR')],
    ['return status 503', reply(503, [], '', 'LR')],
    [
      'return status 200 content-type text/plain string hi hdr x-a "%[src] %[path]" hdr X-B b',
      reply(
        200,
        [
          ['x-a', '192.0.2.7 /a/b'],
          ['x-b', 'b'],
        ],
        'hi',
        'LR',
        'text/plain',
      ),
    ],
    ['return content-type "t/p; x=%[src]" file f', reply(200, [], 'file %[src]\n', 'LR', 't/p; x=%[src]')],
    ['return content-type t/p lf-file f', reply(200, [], 'file 192.0.2.7\n', 'LR', 't/p')],
    ['return errorfile e', { status: 418, raw: 'HTTP/1.1 418 No\r\n\r\nx', termination: 'LR' }],
    [
      'auth realm "my realm"',
      {
        status: 401,
        errorPage: true,
        headers: [['www-authenticate', 'Basic realm="my realm"']],
        termination: 'LR',
      },
    ],
    [
      'auth',
      { status: 401, errorPage: true, headers: [['www-authenticate', 'Basic realm="f"']], termination: 'LR' },
    ],
    ['redirect location /x?%[path]', redirect(302, '/x?/a/b')],
    ['redirect prefix http://h code 301', redirect(301, 'http://h/a/b?x=1')],
    ['redirect prefix /base drop-query append-slash', redirect(302, '/base/a/b/')],
    ['redirect prefix / append-slash', redirect(302, '/a/b?x=1')],
    ['redirect scheme https code 308', redirect(308, 'https://h:81/a/b?x=1')],
    ['redirect location / code 303 set-cookie A=1', redirect(303, '/', 'A=1; path=/;')],
    ['redirect location / code 303 clear-cookie A', redirect(303, '/', 'A; path=/; Max-Age=0;')],
    ['redirect location / code 307 clear-cookie A=', redirect(307, '/', 'A=; path=/; Max-Age=0;')],
  ])('%s', (rule, wanted) => {
    const { verdict, tx } = run(rule);
    expect(verdict).toBe(VERDICT.done);
    expect(tx.reply).toEqual(wanted);
  });

  test('redirect to nothing goes on with ignore-empty', () => {
    expect(run('redirect location %[req.hdr(nope)] ignore-empty').verdict).toBe(VERDICT.next);
  });
});

describe('rewrites that HAProxy would let break the message', () => {
  test('a space in a path is encoded', () => {
    expect(run('set-path "/new path\\r\\nX: y"').tx.request.target).toBe('/new%20path%0D%0AX:%20y?x=1');
  });
  test('a target must stay one', () => {
    const { verdict, tx } = run('set-uri nonsense');
    expect(verdict).toBe(VERDICT.done);
    expect(tx.reply).toMatchObject({ status: 500, errorPage: true });
  });
  test('a method must be a token', () => {
    expect(run('set-method "G T"').verdict).toBe(VERDICT.done);
  });
  test('line ends cannot get into a header', () => {
    expect(fieldsOf(run('set-header x-a %[str(\\"a\\\\r\\\\nb:c\\")]').tx.request)).toContain(
      'x-a: a%0D%0Ab:c',
    );
    expect(run('set-header x-a "a\\r\\nb: c"').tx.reply).toMatchObject({ status: 500 });
  });
  test('a header that does not fit ends the request', () => {
    const rules = Array.from({ length: 20 }, () => `add-header x-a ${'z'.repeat(1000)}`);
    expect(run(...rules).tx.reply).toMatchObject({ status: 500 });
  });
});

describe('sets of rules', () => {
  test('end at allow, go on after what does not apply', () => {
    const { verdict, tx } = run('deny if { path /nope }', 'set-header x-b 1', 'allow if TRUE', 'deny');
    expect(verdict).toBe(VERDICT.stop);
    expect(fieldsOf(tx.request)).toContain('x-b: 1');
  });
  test('of a response change the response, and hdr reads it', () => {
    const { tx } = runIn(
      'http-response',
      ['set-header x-copy %[hdr(x-a)]', 'set-status 418 reason "No it"', 'del-header server'],
      {
        response: 'HTTP/1.1 200 OK\r\nserver: s\r\nx-a: theirs\r\n\r\n',
      },
    );
    expect(fieldsOf(tx.response)).toEqual(['x-a: theirs', 'x-copy: theirs']);
    expect([tx.response.status, tx.response.reason]).toEqual([418, 'No it']);
  });
  test('keep variables and captures', () => {
    const { tx } = run(
      'set-var(txn.a) path,length',
      'set-var(txn.a,ifnotexists) int(9)',
      'set-var-fmt(sess.b) "%[var(txn.a)]-%[method]"',
      'set-var(req.c) src ipmask(24)',
      'unset-var(req.none)',
      'capture path len 2',
      'capture req.hdr(x-a) id 0',
      'set-log-level silent',
    );
    expect(tx.vars).toEqual(
      new Map<string, unknown>([
        ['txn.a', 4],
        ['req.c', '192.0.2.0'],
      ]),
    );
    expect(tx.client.vars).toEqual(new Map([['sess.b', '4-GET']]));
    expect(tx.requestCaptures).toEqual(['1']);
    expect(tx.logLevel).toBe(-1);
  });
  test('reject and silent-drop close', () => {
    expect(run('reject').verdict).toBe(VERDICT.close);
    expect(run('silent-drop').verdict).toBe(VERDICT.close);
  });
  test('none is no function', () => {
    const w = world('frontend f\n bind :80');
    expect(compileRules([], w.env('f'), 'http-request')).toBeUndefined();
  });
});

describe('content rules', () => {
  const HELLO = clientHello('www.example.com', ['h2', 'http/1.1']);
  const rules = [
    'accept if { req.ssl_sni -i WWW.example.com } { req.ssl_hello_type 1 }',
    'reject if { req.ssl_hello_type 1 }',
    'accept if WAIT_END',
    'reject',
  ];
  test('wait for the rest of a ClientHello', () => {
    for (const length of [0, 3, 5, 60, HELLO.length - 1])
      expect(content(rules, HELLO.subarray(0, length), true)).toBe(VERDICT.wait);
  });
  test('decide once it is whole', () => {
    expect(content(rules, HELLO, true)).toBe(VERDICT.stop);
    expect(content(rules, clientHello('other', []), true)).toBe(VERDICT.close);
  });
  test('what is no TLS need not be waited for, but the end is', () => {
    const http = Buffer.from('GET / HTTP/1.0\r\n');
    expect(content(rules, http, true)).toBe(VERDICT.wait);
    expect(content(rules, http, false)).toBe(VERDICT.stop);
    expect(content(['reject if { req.ssl_hello_type 1 }', 'accept'], http, true)).toBe(VERDICT.stop);
  });
  test('a wait decides for unless and ! as well', () => {
    expect(content(['accept unless { req.len gt 5 }'], Buffer.from('abc'), true)).toBe(VERDICT.wait);
    expect(content(['accept unless { req.len gt 5 }'], Buffer.from('abc'), false)).toBe(VERDICT.stop);
    expect(content(['accept if !{ req.payload(0,4) -m str abcd }'], Buffer.from('abc'), true)).toBe(
      VERDICT.wait,
    );
    expect(content(['accept if !{ req.payload(0,4) -m str abcd }'], Buffer.from('abc'), false)).toBe(
      VERDICT.stop,
    );
    expect(content(['accept if { req.payload(0,4) -m found } || TRUE'], Buffer.from('abc'), true)).toBe(
      VERDICT.stop,
    );
  });
  test('read the handshake', () => {
    const read = (expr: string, wanted: string) =>
      content([`accept if { ${expr} ${wanted} }`], HELLO, false) === VERDICT.stop;
    expect(['3.3', 'lt 3.3'].map((wanted) => read('req.ssl_ver', wanted))).toEqual([true, false]);
    expect(read('req.ssl_alpn', 'h2,http/1.1')).toBe(true);
    expect(read('req_ssl_sni', 'www.example.com')).toBe(true);
    expect(read('req.payload_lv(3,2),hex -m str', HELLO.subarray(5).toString('hex').toUpperCase())).toBe(
      true,
    );
  });
});

describe('refusals', () => {
  test.each([
    ['bogus', "unknown action 'bogus' of 'http-request'"],
    ['set-heder X y', "unknown action 'set-heder' of 'http-request'; did you mean 'set-header'?"],
    [
      'set-status 404',
      "'set-status' is not an action of 'http-request'; it is one of http-response, http-after-response",
    ],
    ['track-sc0 src', "'http-request track-sc0' is not supported by this engine yet"],
    ['set-header X', "'http-request set-header' wants a value"],
    ['set-header "X Y" z', "'X Y' is not the name of a header"],
    ['set-header X %[pth]', "unknown fetch 'pth'; did you mean 'path'?"],
    ['set-header X %[res.hdr(a)]', "'res.hdr' cannot be read in 'http-request' rules"],
    ['set-header X %[path,lowr]', "unknown converter 'lowr'; did you mean 'lower'?"],
    ['set-header X %[path_beg(x)]', "'path_beg' can only be used in ACLs; write 'path' here"],
    ['set-header X %zz', "unknown log variable '%zz'; write '%%' for a percent sign"],
    ['return status 100', "'100' is not a status (a whole number from 200 to 599)"],
    ['return string a', 'a body wants a content-type; add content-type text/plain or text/html before it'],
    ['deny deny_status 499', 'there is no error page for status 499; say string, file or errorfile'],
    ['redirect', "'redirect' wants 'location', 'prefix' or 'scheme'"],
    ['redirect location / code 300', "'300' is not a redirect code (301, 302, 303, 307, 308)"],
    ['redirect /x', "unknown argument of redirect '/x'"],
    ['deny if nope', "no ACL 'nope' is declared above"],
    ['deny if { src a.b }', "'a.b' is not an address or a network"],
    ['deny if { path_reg ( }', "'(' is not a regular expression: "],
    ['deny if { dst_port x }', "'x' is not a number or a range (10, 1024:65535, gt 5)"],
    ['deny if { nbsrv(nope) lt 1 }', "there is no backend 'nope'"],
    ['deny if { http_auth(nope) }', "there is no userlist 'nope'"],
    [
      'deny if { req.payload(0,5) a }',
      "'req.payload(0,5)' gives bytes: say how to compare them; add -m str, -m beg, -m bin, -m found …",
    ],
    ['deny if { path -x a }', "unknown flag '-x' of an ACL; flags are -i -f -m -n -M -u; '--' ends them"],
    ['set-var(x) src', "'x' is not a variable: names begin with proc., sess., txn., req. or res."],
    ['set-header X %[str(a),map(none)]', "map: the map 'none' cannot be read"],
    ['deny if { src -f none }', "the file 'none' cannot be read"],
    ['deny extra', "unknown argument 'extra'"],
  ])('%s', (rule, message) => {
    const { findings } = read(`frontend f\n bind :80\n http-request ${rule}`);
    expect(findings.filter((f) => f.startsWith('error')).map((f) => f.slice(7))).toEqual([
      expect.stringContaining(message),
    ]);
  });

  test('stand at the word, and inside it', () => {
    const { diagnostics } = read('frontend f\n bind :80\n http-request set-header X "%[path]"%[src,lowr]');
    expect(diagnostics.find((d) => d.severity === 'error')?.place).toMatchObject({ column: 28 });
    const plain = read('frontend f\n bind :80\n http-request set-header X %[src,lowr]').diagnostics;
    expect(plain.find((d) => d.severity === 'error')?.place).toMatchObject({ column: 34, length: 4 });
  });

  test('an ACL that can never match is warned of', () => {
    const { findings } = read('frontend f\n bind :80\n acl s status 200\n http-request deny if s');
    expect(findings).toContain(
      "warning: ACL 's' never matches in 'http-request' rules: 'status' cannot be read there",
    );
  });
});

test('every action says what it does and where', () => {
  for (const row of ACTIONS) {
    expect(row.doc).toMatch(/\.$/);
    expect(row.sets.length).toBeGreaterThan(0);
  }
});

function run(...rules: string[]) {
  return runIn('http-request', rules);
}

function runIn(
  set: 'http-request' | 'http-response',
  rules: readonly string[],
  options: TransactionOptions = {},
) {
  const files = { f: 'file %[src]\n', e: 'HTTP/1.1 418 No\r\n\r\nx' };
  const w = world(`listen f\n bind :80\n${rules.map((r) => ` ${set} ${r}`).join('\n')}`, files);
  const env = w.env('f');
  const list = set === 'http-request' ? env.proxy.httpRequest : env.proxy.httpResponse;
  const tx = transaction(w.frontend('f'), { request: REQUEST, ...options });
  return { verdict: compileRules(list, env, set)!(tx), tx };
}

function content(rules: readonly string[], payload: Uint8Array, inspecting: boolean) {
  const w = world(
    `listen f\n mode tcp\n bind :80\n tcp-request inspect-delay 5s\n${rules.map((r) => ` tcp-request content ${r}`).join('\n')}`,
  );
  const env = w.env('f');
  const tx = transaction(w.frontend('f'), { payload, inspecting });
  return compileRules(env.proxy.tcpRequestContent, env, 'tcp-request content')!(tx);
}

function reply(
  status: number,
  headers: [string, string][],
  body: string,
  termination: string,
  type?: string,
) {
  const fields: [string, string][] = [...headers, ['content-length', String(body.length)]];
  if (type !== undefined) fields.push(['content-type', type]);
  return { status, headers: fields, body, termination };
}

function redirect(status: number, location: string, cookie?: string) {
  const headers: [string, string][] = [
    ['content-length', '0'],
    ['location', location],
  ];
  if (status !== 301 && status !== 308) headers.push(['cache-control', 'no-cache']);
  if (cookie !== undefined) headers.push(['set-cookie', cookie]);
  return { status, headers, body: '', termination: 'LR' };
}

/** A TLS 1.2 record with a ClientHello (RFC 8446, section 4.1.2). */
function clientHello(name: string, protocols: readonly string[]): Buffer {
  const u16 = (n: number) => Buffer.from([n >> 8, n & 255]);
  const host = Buffer.from(name);
  const sni = Buffer.concat([u16(host.length + 3), Buffer.from([0]), u16(host.length), host]);
  const list = Buffer.concat(protocols.map((p) => Buffer.from([p.length, ...Buffer.from(p)])));
  const alpn = Buffer.concat([u16(list.length), list]);
  const extensions = Buffer.concat([u16(0), u16(sni.length), sni, u16(16), u16(alpn.length), alpn]);
  const body = Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    u16(2),
    u16(0x1301),
    Buffer.from([1, 0]),
    u16(extensions.length),
    extensions,
  ]);
  const message = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]);
  return Buffer.concat([Buffer.from([22, 3, 1]), u16(message.length), message]);
}
