import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import {
  type AddressInfo,
  connect as connectPlainly,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  createServer as createTlsServer,
  TLSSocket,
} from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Authority, type Issued } from '../support/certificates.ts';
import { needs } from '../support/needs.ts';
import { type Engine, engineFile, type RunningProxy, startProxy } from '../support/proxy.ts';

/** Every expectation is HAProxy's own behaviour: the same tests run against it where it is installed. */
const ENGINES: Engine[] = needs('haproxy') ? ['lablb', 'haproxy'] : ['lablb'];

describe.skipIf(!needs('openssl') || !needs('curl')).each(ENGINES)('TLS of %s', (engine) => {
  let authority: Authority;
  let stranger: Authority;
  let site: Issued;
  let other: Issued;
  const running: { stop(): Promise<void> | void }[] = [];

  beforeAll(() => {
    authority = new Authority('Test CA');
    stranger = new Authority('Stranger CA');
    site = authority.issue('site.test', '127.0.0.1');
    other = authority.issue('other.test', '*.other.test');
  });
  afterAll(() => {
    authority.remove();
    stranger.remove();
  });
  afterEach(async () => {
    for (const each of running.splice(0).reverse()) await each.stop();
  });

  async function start(text: string, files: Record<string, string> = {}): Promise<RunningProxy> {
    const proxy = await startProxy(DEFAULTS + text, { engine, files });
    running.push(proxy);
    return proxy;
  }

  /** A server that listens on 127.0.0.1, stopped after the test. */
  async function serve(server: Server): Promise<number> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const open = new Set<Socket>();
    server.on('connection', (socket) => open.add(socket));
    running.push({
      stop: () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          for (const socket of open) socket.destroy();
        }),
    });
    return (server.address() as AddressInfo).port;
  }

  describe('with clients', () => {
    const HELLO = `
frontend web
  mode http
  bind 127.0.0.1:\${port:web} ssl OPTIONS
  http-request return status 200 content-type text/plain lf-string "%[ssl_fc] %[ssl_fc_sni] %[ssl_fc_protocol] %[ssl_fc_alpn]"
`;
    const hello = (options: string) => HELLO.replace('OPTIONS', options);

    it('speaks HTTP/1.1 over TLS 1.3, and curl trusts the chain', async () => {
      const proxy = await start(hello(`crt ${site.pemFile} alpn h2,http/1.1`));
      const said = await curl(proxy.ports.web!, 'site.test', authority, '--http1.1');
      expect(said).toBe('1 site.test TLSv1.3 http/1.1');
    });

    it('shows a chain through an intermediate authority, as openssl pkcs12 -nodes writes it', async () => {
      const { folder } = authority;
      authority.openssl(
        'pkcs12',
        '-export',
        '-inkey',
        site.keyFile,
        '-in',
        site.certFile,
        '-certfile',
        'ca.crt',
        '-out',
        'site.p12',
        '-passout',
        'pass:secret',
      );
      const layout = authority.openssl('pkcs12', '-in', 'site.p12', '-nodes', '-passin', 'pass:secret');
      expect(layout).toContain('Bag Attributes');
      writeFileSync(join(folder, 'cert.pem'), layout, { mode: 0o600 });
      const proxy = await start(hello(`crt ${join(folder, 'cert.pem')}`));
      expect(await curl(proxy.ports.web!, 'site.test', authority)).toMatch(/^1 site\.test/);
      const chain = authority.openssl('s_client', '-connect', `127.0.0.1:${proxy.ports.web}`, '-showcerts');
      expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    });

    it('takes the key from the file beside the certificate', async () => {
      const proxy = await start(hello('crt ${dir}/split.crt'), {
        'split.crt': site.cert,
        'split.crt.key': site.key,
      });
      expect(await curl(proxy.ports.web!, 'site.test', authority)).toMatch(/^1 site\.test/);
    });

    it('chooses the certificate by name, and shows the first to others', async () => {
      const proxy = await start(hello(`crt ${site.pemFile} crt ${other.pemFile}`));
      const shown = async (servername?: string) => (await shake(proxy.ports.web!, { servername })).name;
      expect(await shown('other.test')).toBe('other.test');
      expect(await shown('OTHER.test')).toBe('other.test');
      expect(await shown('www.other.test')).toBe('other.test');
      expect(await shown('a.www.other.test')).toBe('site.test');
      expect(await shown('site.test')).toBe('site.test');
      expect(await shown('unknown.test')).toBe('site.test');
      expect(await shown()).toBe('site.test');
    });

    it('takes every certificate of a folder, the first by name as the default', async () => {
      const folder = join(authority.folder, `folder-${engine}`);
      mkdirSync(folder);
      writeFileSync(join(folder, 'b.pem'), site.pem);
      writeFileSync(join(folder, 'a.pem'), other.cert);
      writeFileSync(join(folder, 'a.pem.key'), other.key);
      const proxy = await start(hello(`crt ${folder}`));
      expect((await shake(proxy.ports.web!, {})).name).toBe('other.test');
      expect((await shake(proxy.ports.web!, { servername: 'site.test' })).name).toBe('site.test');
    });

    it('refuses names without a certificate when strict-sni says so', async () => {
      const proxy = await start(hello(`crt ${site.pemFile} strict-sni`));
      expect((await shake(proxy.ports.web!, { servername: 'site.test' })).name).toBe('site.test');
      expect((await shake(proxy.ports.web!, { servername: 'unknown.test' })).error).toBeDefined();
      expect((await shake(proxy.ports.web!, {})).error).toBeDefined();
    });

    it('speaks TLS 1.2 and newer unless told otherwise', async () => {
      const proxy = await start(
        `${hello(`crt ${site.pemFile}`)}
  bind 127.0.0.1:\${port:new} ssl crt ${site.pemFile} ssl-min-ver TLSv1.3
  bind 127.0.0.1:\${port:old} ssl crt ${site.pemFile} no-tlsv13
  bind 127.0.0.1:\${port:forced} ssl crt ${site.pemFile} force-tlsv12
`,
      );
      const versions = async (port: number) => {
        const spoken: string[] = [];
        for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const) {
          const only = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' };
          if ((await shake(port, only)).version === version) spoken.push(version);
        }
        return spoken;
      };
      expect(await versions(proxy.ports.web!)).toEqual(['TLSv1.2', 'TLSv1.3']);
      expect(await versions(proxy.ports.new!)).toEqual(['TLSv1.3']);
      expect(await versions(proxy.ports.old!)).toEqual(['TLSv1.2']);
      expect(await versions(proxy.ports.forced!)).toEqual(['TLSv1.2']);
    });

    it('has the ciphers and versions of ssl-default-bind', async () => {
      const proxy = await start(`
global
  ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256
  ssl-default-bind-options ssl-max-ver TLSv1.2
${hello(`crt ${site.pemFile}`)}`);
      expect(await shake(proxy.ports.web!, {})).toMatchObject({
        version: 'TLSv1.2',
        cipher: 'ECDHE-ECDSA-AES128-GCM-SHA256',
      });
      expect(
        (await shake(proxy.ports.web!, { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })).error,
      ).toBeDefined();
    });

    it.each(['tls1_2', 'tls1_3'])('resumes sessions in %s', async (version) => {
      const proxy = await start(hello(`crt ${site.pemFile}`));
      const session = join(authority.folder, `${engine}-${version}.session`);
      const ask = (...args: string[]) =>
        spawnSync(
          'openssl',
          ['s_client', '-connect', `127.0.0.1:${proxy.ports.web}`, `-${version}`, '-ign_eof', ...args],
          {
            encoding: 'utf8',
            input: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
            timeout: 10_000,
          },
        ).stdout;
      expect(ask('-sess_out', session)).toMatch(/^New, TLS/m);
      expect(ask('-sess_in', session)).toMatch(/^Reused, TLS/m);
    });

    it('redirects to https, and tells servers what clients spoke', async () => {
      const origin = await serve(
        createServer((request, response) => response.end(request.headers['x-forwarded-proto'])),
      );
      const proxy = await start(`
frontend web
  mode http
  bind 127.0.0.1:\${port:plain}
  bind 127.0.0.1:\${port:web} ssl crt ${site.pemFile}
  http-request redirect scheme https unless { ssl_fc }
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  default_backend origin
backend origin
  mode http
  server origin 127.0.0.1:${origin}
`);
      const plain = await get(`http://127.0.0.1:${proxy.ports.plain}/path?q`, { host: 'site.test' });
      expect(plain).toMatchObject({ status: 302, location: 'https://site.test/path?q' });
      expect(await curl(proxy.ports.web!, 'site.test', authority)).toBe('https');
    });

    it.each([
      ['required', { own: 'in', none: 'refused', foreign: 'refused' }],
      ['optional', { own: 'in', none: 'in', foreign: 'refused' }],
      ['none', { own: 'in', none: 'in', foreign: 'in' }],
    ])('with verify %s lets clients in by their certificates', async (verify, expected) => {
      const proxy = await start(
        hello(`crt ${site.pemFile} ca-file ${authority.own.certFile} verify ${verify}`),
      );
      const port = proxy.ports.web!;
      const client = authority.issue('client.test');
      const foreign = stranger.issue('client.test');
      const outcome = async (identity: { cert?: string; key?: string }) =>
        (await ask(port, { ...identity, ca: authority.own.cert })) === 200 ? 'in' : 'refused';
      expect({
        own: await outcome({ cert: client.cert, key: client.key }),
        none: await outcome({}),
        foreign: await outcome({ cert: foreign.cert, key: foreign.key }),
      }).toEqual(expected);
    });

    it('passes megabytes both ways, at the pace of the slower side', async () => {
      const origin = await serve(
        createServer(async (request, response) => {
          const sum = createHash('sha256');
          const body: Buffer[] = [];
          for await (const chunk of request) {
            sum.update(chunk);
            body.push(chunk);
            if (body.length % 16 === 0) await sleep(1);
          }
          response.setHeader('x-sum', sum.digest('hex'));
          response.end(Buffer.concat(body));
        }),
      );
      const proxy = await start(`
frontend web
  mode http
  bind 127.0.0.1:\${port:web} ssl crt ${site.pemFile}
  default_backend origin
backend origin
  mode http
  server origin 127.0.0.1:${origin}
`);
      const body = randomBytes(5 * 1024 * 1024 + 17);
      const sum = createHash('sha256').update(body).digest('hex');
      const echoed = await post(proxy.ports.web!, body, authority);
      expect(echoed.sumThere).toBe(sum);
      expect(echoed.sumBack).toBe(sum);
    });

    it('answers a client that ended its side', async () => {
      const origin = await serve(
        createServer(async (_request, response) => {
          await sleep(100);
          response.end('late answer');
        }),
      );
      const proxy = await start(`
frontend web
  mode http
  bind 127.0.0.1:\${port:web} ssl crt ${site.pemFile}
  default_backend origin
backend origin
  mode http
  server origin 127.0.0.1:${origin}
`);
      const text = await exchange(proxy.ports.web!, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect(text).toMatch(/^HTTP\/1\.1 200 OK.*late answer/s);
    });

    it('passes the end of either side on in TCP mode', async () => {
      const echo = createTcpServer({ allowHalfOpen: true }, (socket) => {
        const parts: Buffer[] = [];
        socket.on('data', (part) => parts.push(part));
        socket.on('end', () => socket.end(`after the end: ${Buffer.concat(parts)}`));
      });
      const port = await serve(echo);
      const proxy = await start(`
listen tcp
  bind 127.0.0.1:\${port:web} ssl crt ${site.pemFile}
  mode tcp
  server echo 127.0.0.1:${port}
`);
      expect(await exchange(proxy.ports.web!, 'said')).toBe('after the end: said');
    });

    it('takes the end of a connection for the end of a body, with or without a farewell', async () => {
      const context = createSecureContext({ cert: site.cert, key: site.key });
      const rude = await serve(
        createTcpServer({ allowHalfOpen: true }, (raw) => {
          const socket = new TLSSocket(raw, { isServer: true, secureContext: context });
          socket.on('error', () => {});
          socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\nall there is', () => raw.end()));
        }),
      );
      const proxy = await start(`
frontend web
  mode http
  bind 127.0.0.1:\${port:web}
  default_backend rude
backend rude
  mode http
  server rude 127.0.0.1:${rude} ssl verify none
`);
      const { status, body } = await get(`http://127.0.0.1:${proxy.ports.web}/`, {});
      expect({ status, body }).toEqual({ status: 200, body: 'all there is' });
    });

    it('goes on, and logs it, when clients do not come through the handshake', async () => {
      const proxy = await start(`
${hello(`crt ${site.pemFile}`)}  log stdout format raw local0
  timeout client 1s
`);
      const port = proxy.ports.web!;
      await get(`http://127.0.0.1:${port}/`, {}).catch(() => undefined);
      await raw(port, true);
      await raw(port, false);
      expect(await ask(port, { ca: authority.own.cert })).toBe(200);
      const lines = () =>
        [...proxy.stdout().matchAll(/^127\.0\.0\.1:\d+ \[\d\d\/\w+\/[\d:.]+\] web\/1: (.*SSL.*)$/gm)].map(
          (l) => l[1],
        );
      for (let tries = 0; tries < 50 && lines().length < 3; tries++) await sleep(20);
      expect(lines()).toEqual([
        'SSL handshake failure',
        'Connection closed during SSL handshake',
        'Timeout during SSL handshake',
      ]);
    });
  });

  describe('with servers', () => {
    const BACKEND = `
frontend web
  mode http
  bind 127.0.0.1:\${port:web}
  default_backend secure
backend secure
  mode http
  retries 0
  server s 127.0.0.1:PORT ssl OPTIONS
`;
    async function origin(
      identity: Issued,
      options: { requestCert?: boolean; ca?: string } = {},
    ): Promise<number> {
      const server = createTlsServer(
        { ...identity, ...options, rejectUnauthorized: options.requestCert ?? false },
        (socket) => {
          socket.on('error', () => {});
          socket.on('data', () => {
            const body = `${socket.servername || 'no name'} ${socket.isSessionReused()}`;
            socket.write(
              `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nX-Name: ${body}\r\n\r\n${body}`,
            );
          });
        },
      );
      server.on('tlsClientError', () => {});
      return serve(server);
    }
    const backend = (port: number, options: string) =>
      BACKEND.replace('PORT', String(port)).replace('OPTIONS', options);

    it('trusts any certificate with verify none, and sends no name', async () => {
      const proxy = await start(backend(await origin(stranger.issue('any.test')), 'verify none'));
      const { status, body } = await get(`http://127.0.0.1:${proxy.ports.web}/`, {});
      expect({ status, body }).toEqual({ status: 200, body: 'no name false' });
    });

    it('checks the chain, and the name only where there is one', async () => {
      const ca = `ca-file ${authority.own.certFile}`;
      const [good, foreign] = [await origin(site), await origin(stranger.issue('site.test'))];
      const statusOf = async (port: number, options: string) => {
        const proxy = await start(backend(port, `verify required ${ca} ${options}`));
        return (await get(`http://127.0.0.1:${proxy.ports.web}/`, {})).status;
      };
      expect(await statusOf(good, '')).toBe(200);
      expect(await statusOf(foreign, '')).toBe(503);
      expect(await statusOf(good, 'sni str(site.test)')).toBe(200);
      expect(await statusOf(good, 'sni str(wrong.test)')).toBe(503);
      expect(await statusOf(good, 'verifyhost site.test')).toBe(200);
      expect(await statusOf(good, 'verifyhost wrong.test')).toBe(503);
      expect(await statusOf(good, 'sni str(site.test) verifyhost wrong.test')).toBe(200);
      expect(await statusOf(good, 'sni str(wrong.test) verifyhost site.test')).toBe(503);
    });

    it('sends the name that sni makes of each request', async () => {
      const proxy = await start(backend(await origin(site), 'verify none sni req.hdr(host)'));
      const nameFor = async (host: string) =>
        (await get(`http://127.0.0.1:${proxy.ports.web}/`, { host })).body.split(' ')[0];
      expect(await nameFor('one.test')).toBe('one.test');
      expect(await nameFor('two.test')).toBe('two.test');
      expect(await nameFor('one.test')).toBe('one.test');
    });

    it('resumes its sessions', async () => {
      const port = await origin(site);
      const proxy = await start(
        backend(port, 'verify none').replace('retries 0', 'http-reuse never\n  option httpclose'),
      );
      const url = `http://127.0.0.1:${proxy.ports.web}/`;
      expect((await get(url, { connection: 'close' })).body).toBe('no name false');
      await sleep(50);
      expect((await get(url, { connection: 'close' })).body).toBe('no name true');
    });

    it('shows its own certificate to servers that ask for one', async () => {
      const port = await origin(site, { requestCert: true, ca: authority.own.cert });
      const own = authority.issue('proxy.test');
      const statusOf = async (options: string) => {
        const proxy = await start(backend(port, `verify none ${options}`));
        return (await get(`http://127.0.0.1:${proxy.ports.web}/`, {})).status;
      };
      expect(await statusOf(`crt ${own.pemFile}`)).toBe(200);
      expect(await statusOf('')).not.toBe(200);
    });

    it('answers 503 when the server does not speak TLS', async () => {
      const proxy = await start(backend(await serve(createServer((_q, r) => r.end())), 'verify none'));
      expect((await get(`http://127.0.0.1:${proxy.ports.web}/`, {})).status).toBe(503);
    });

    it.each([
      ['verify none', 'UP'],
      ['verify required ca-file CA', 'UP'],
      ['verify required ca-file OTHER', 'DOWN'],
      ['verify required ca-file CA check-sni wrong.test', 'DOWN'],
      ['verify required ca-file CA check-sni site.test', 'UP'],
    ])('with %s its checks find the server %s', async (options, state) => {
      const port = await origin(site);
      const words = options.replace('CA', authority.own.certFile).replace('OTHER', stranger.own.certFile);
      const proxy = await start(`
global
  stats socket \${dir}/socket level admin
backend secure
  mode http
  option httpchk GET /
  server s 127.0.0.1:${port} check check-ssl inter 100 fall 1 rise 1 ssl ${words}
frontend web
  mode http
  bind 127.0.0.1:\${port:web}
  default_backend secure
`);
      const row = await untilChecked(`http://127.0.0.1:${proxy.ports.web}/`, state);
      expect(row).toBe(state);
    });
  });

  describe.skipIf(engineFile(engine) === undefined)('refuses', () => {
    const check = (bind: string, server = '', files: Record<string, string> = {}) => {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(authority.folder, name), text);
      const config = join(authority.folder, `${engine}.cfg`);
      writeFileSync(
        config,
        `${DEFAULTS}\nlisten web\n  mode http\n  bind 127.0.0.1:1 ${bind}\n  server s 127.0.0.1:2 ${server}\n`,
      );
      const { status, stderr } = spawnSync(engineFile(engine)!, ['-c', '-f', config], {
        encoding: 'utf8',
        cwd: authority.folder,
        timeout: 10_000,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return { status, stderr };
    };
    let weak = '';
    beforeAll(() => {
      const own = ['-x509', '-newkey', 'rsa:1024', '-nodes', '-subj', '/CN=site.test'];
      weak = authority.openssl('req', ...own, '-keyout', '-', '-out', '-');
    });
    const cut = (text: string) => text.replace(/\n[^\n]+\n(-----END)/, '\n$1');

    it.each([
      ['a missing file', 'ssl crt nope.pem', /no certificate file 'nope\.pem'/],
      ['ssl without a certificate', 'ssl', /'ssl' without a certificate/],
      ['verify without authorities', 'ssl crt site.test.pem verify required', /needs authorities/],
      [
        'a missing file of authorities',
        'ssl crt site.test.pem ca-file nope.pem verify required',
        /no CA file/,
      ],
      [
        'a certificate without its key',
        'ssl crt alone.pem',
        /no private key in 'alone\.pem', nor in 'alone\.pem\.key'/,
      ],
      ['a key without a certificate', 'ssl crt key.pem', /no certificate in 'key\.pem'/],
      ['a key of another certificate', 'ssl crt mixed.pem', /do not belong together/],
      ['a certificate that was cut', 'ssl crt cut.pem', /a certificate in 'cut\.pem' cannot be read/],
      ['a key of 1024 bits, as an old tutorial makes it', 'ssl crt weak.pem', /only 1024 bits/],
      ['a file that is no PEM', 'ssl crt text.pem', /no certificate in 'text\.pem'/],
      ['an empty folder', 'ssl crt empty', /no certificate in the folder 'empty'/],
    ])('%s', (_what, bind, message) => {
      mkdirSync(join(authority.folder, 'empty'), { recursive: true });
      const { status, stderr } = check(bind, '', {
        'alone.pem': site.cert,
        'key.pem': site.key,
        'mixed.pem': site.cert + other.key,
        'cut.pem': cut(site.cert) + site.key,
        'text.pem': 'hello\n',
        'weak.pem': weak,
      });
      expect(status).toBe(1);
      if (engine === 'lablb') expect(stderr).toMatch(message);
      if (engine === 'lablb') expect(stderr).toMatch(/\.cfg:\d+:\d+/);
      expect(stderr).not.toContain(site.key.split('\n')[1]);
    });

    it('a server whose certificate nobody vouches for', () => {
      const { status, stderr } = check('', 'ssl');
      expect(status).toBe(1);
      if (engine === 'lablb') expect(stderr).toMatch(/no 'ca-file' says by whom; add .*verify none/);
    });

    // HAProxy asks the terminal for the passphrase.
    if (engine === 'lablb')
      it('an encrypted key, which nobody could decrypt', () => {
        authority.openssl(
          'pkey',
          '-in',
          site.keyFile,
          '-aes256',
          '-passout',
          'pass:secret',
          '-out',
          'locked.key',
        );
        const locked = execFileSync('cat', [site.certFile, join(authority.folder, 'locked.key')], {
          encoding: 'utf8',
        });
        const { status, stderr } = check('ssl crt locked.pem', '', { 'locked.pem': locked });
        expect(status).toBe(1);
        expect(stderr).toMatch(/'locked\.pem' is encrypted.*decrypt it/);
      });
  });

  // ── Clients ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** The outcome of a handshake that trusts everyone. */
  function shake(
    port: number,
    options: ConnectionOptions,
  ): Promise<{ name?: string; version?: string | null; cipher?: string; error?: Error }> {
    return new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
        const name = socket.getPeerCertificate().subject.CN as string;
        resolve({ name, version: socket.getProtocol(), cipher: socket.getCipher().name });
        socket.destroy();
      });
      socket.on('error', (error: Error) => resolve({ error }));
      socket.on('close', () => resolve({ error: new Error('closed') }));
    });
  }

  /** The status of one request; undefined when the connection did not carry it. In TLS 1.3 refusal comes that late. */
  function ask(
    port: number,
    options: { ca: string; cert?: string; key?: string },
  ): Promise<number | undefined> {
    return new Promise((resolve) => {
      secureRequest({ host: '127.0.0.1', port, agent: false, ...options }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      })
        .on('error', () => resolve(undefined))
        .end();
    });
  }

  /** A connection that says nothing, until one side closes it. */
  function raw(port: number, close: boolean): Promise<void> {
    return new Promise((resolve) => {
      const socket = connectPlainly(port, '127.0.0.1', () => close && socket.end());
      socket.on('error', () => {}).on('close', () => resolve());
      socket.resume();
    });
  }

  /** Sends, ends its side, and reads to the end. */
  function exchange(port: number, text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect({ host: '127.0.0.1', port, ca: authority.own.cert, allowHalfOpen: true }, () =>
        socket.end(text),
      );
      socket.setEncoding('latin1').on('data', (part: string) => {
        answer += part;
      });
      socket.on('end', () => resolve(answer)).on('error', reject);
    });
  }
});

/** One thread: HAProxy keeps sessions with servers by thread. */
const DEFAULTS = `
global
  nbthread 1
defaults
  timeout connect 5s
  timeout client 10s
  timeout server 10s
`;

/** The body that curl gets from a name at a port, when it trusts the authority alone. */
async function curl(port: number, name: string, authority: Authority, ...args: string[]): Promise<string> {
  const where = [
    '--resolve',
    `${name}:${port}:127.0.0.1`,
    '--cacert',
    authority.own.certFile,
    '--noproxy',
    '*',
  ];
  const all = ['-sS', '--max-time', '10', ...where, ...args, `https://${name}:${port}/`];
  return (await promisify(execFile)('curl', all)).stdout;
}

function get(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; location?: string; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, async (response) => {
      let body = '';
      for await (const part of response.setEncoding('latin1')) body += part;
      resolve({ status: response.statusCode!, location: response.headers.location, body });
    })
      .on('error', reject)
      .end();
  });
}

/** Sends a body, reads it back slowly; the sums of what arrived there and here. */
function post(
  port: number,
  body: Buffer,
  authority: Authority,
): Promise<{ sumThere?: string; sumBack: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method: 'POST', ca: authority.own.cert, agent: false };
    secureRequest(options, async (response) => {
      const sum = createHash('sha256');
      let count = 0;
      for await (const chunk of response) {
        sum.update(chunk);
        if (++count % 16 === 0) await sleep(1);
      }
      resolve({ sumThere: response.headers['x-sum'] as string, sumBack: sum.digest('hex') });
    })
      .on('error', reject)
      .end(body);
  });
}

/** Asks until a server that is to be DOWN is not used any more, or for some checks' time when it is to stay UP. */
async function untilChecked(url: string, expected: string): Promise<string> {
  let state = '';
  for (let tries = 0; tries < 50; tries++) {
    await sleep(tries === 0 ? 500 : 100);
    state = (await get(url, {})).status === 200 ? 'UP' : 'DOWN';
    if (state === expected) break;
  }
  return state;
}
