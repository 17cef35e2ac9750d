import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type PeerCertificate } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authority } from '../support/certificates.ts';
import { Sandbox, testEngine } from '../support/cli.ts';
import { needs } from '../support/needs.ts';

/** The second tutorial as a lab on this machine: TLS, redirect, two logs, a page with a password, files. */
function topology(name: string, engine: string): string {
  return `
name: ${name}
defaults: { engine: ${engine} }
nodes:
  nginx1: { role: web, title: '1', port: 8000 }
  nginx2: { role: web, title: '2', port: 8000 }
  loadbalancer: { role: proxy }
balancer:
  port: 8001
  sites: { shop.test: [nginx1, nginx2] }
  check: { method: HEAD, path: /, host: localhost, inter: 200ms, rise: 1 }
  tls: { port: 8443 }
  static: { port: 5000, servers: [nginx2] }
  stats: { port: 8404, realm: Haproxy Statistics, user: haproxy }
  log: { udp: { access: /var/log/haproxy-access.log, info: /var/log/haproxy-info.log } }
`;
}

interface Case {
  readonly name: string;
  readonly failure?: string;
}

const ENGINES = [
  { engine: 'lablb', service: 'lablb-proxy', here: testEngine() !== undefined },
  { engine: 'haproxy', service: 'haproxy', here: needs('haproxy') },
];

for (const { engine, service, here } of ENGINES)
  describe.skipIf(!here || !needs('curl'))(`the tutorial on this machine, balanced by ${engine}`, () => {
    const box = new Sandbox();
    const lab = `tut-${engine}`;
    let file: string;
    let up: string;
    let address: string;
    let password: string;
    const state = (path = ''): string => join(box.state, 'lablb', lab, path);
    const node = (path: string): string => state(`nodes/loadbalancer${path}`);
    const config = (): string => node('/etc/haproxy/haproxy.cfg');

    beforeAll(async () => {
      file = box.write(`${lab}.lab.yaml`, topology(lab, engine));
      const said = await box.lablb('up');
      expect(said).toMatchObject({ status: 0, stderr: '' });
      up = said.stdout;
      password = /user haproxy, password ([A-Za-z2-9]{20}), shown only now/.exec(up)?.[1] ?? '';
      address = /127(?:\.\d+){3}/.exec(/✔ loadbalancer.*/.exec(up)![0])![0];
    }, 60_000);
    afterAll(() => box.close(lab), 60_000);

    /** curl from here, with the authority that `up` names. */
    const curl = (...args: string[]): string =>
      execFileSync('curl', ['-sS', '--max-time', '10', '--noproxy', '*', ...args], { encoding: 'utf8' });
    const trust = ['--cacert', ''] as [string, string];
    beforeAll(() => {
      trust[1] = state('ca.pem');
    });
    const named = ['--resolve', ''] as [string, string];
    beforeAll(() => {
      named[1] = `shop.test:8443:${address}`;
    });

    it('shows the request over HTTPS, and the password once', async () => {
      expect(up).toContain(
        `curl --cacert ${state('ca.pem')} -H 'Host: shop.test' https://${address}:8443/\n`,
      );
      expect(password).not.toBe('');
      const again = await box.lablb('up');
      expect(again.stdout).toMatch(/nothing to do/);
      for (const words of [
        ['status'],
        ['up', '--json'],
        ['status', '--json'],
        ['render'],
        ['up', '--dry-run'],
      ]) {
        const { stdout, stderr } = await box.lablb(...words);
        expect(stdout + stderr, words.join(' ')).not.toContain(password);
        expect(stdout + stderr, words.join(' ')).not.toContain('PRIVATE KEY');
      }
      expect((await box.lablb('status', '--show-password')).stdout).toContain(`password ${password})`);
      expect((await box.lablb('hosts')).stdout).toContain(
        `# then: curl --cacert ${state('ca.pem')} https://shop.test:8443/`,
      );
    }, 60_000);

    it('has the tutorial’s files, what is secret for the user alone, and nothing of it in the record', () => {
      const mode = (path: string): number => statSync(path).mode & 0o777;
      const tls = ['key.pem', 'crt.pem', 'cert.p12', 'cert.pem', 'ca.pem'].map((name) =>
        mode(node(`/etc/haproxy/tls/${name}`)),
      );
      expect(tls).toEqual([0o600, 0o644, 0o600, 0o600, 0o644]);
      expect([mode(state('credentials.json')), mode(state('lab.json')), mode(config())]).toEqual([
        0o600, 0o600, 0o600,
      ]);
      const record = readFileSync(state('lab.json'), 'utf8');
      expect(record).not.toContain('PRIVATE KEY');
      expect(record).not.toContain(password);
      expect(readFileSync(node('/etc/haproxy/tls/key.pem'), 'utf8')).not.toContain(
        JSON.parse(readFileSync(state('credentials.json'), 'utf8')).tls.authority.key,
      );
    });

    it('answers over HTTPS to who trusts the authority, by name and by address', () => {
      expect(curl(...trust, ...named, 'https://shop.test:8443/')).toMatch(/<h1>[12] HTTP Server/);
      expect(curl(...trust, '-H', 'Host: shop.test', `https://${address}:8443/`)).toMatch(/<h1>[12] HTTP/);
      expect(() => curl(...named, 'https://shop.test:8443/')).toThrow(/curl: \(60\)/);
    });

    it('leads from HTTP to HTTPS, page and all', () => {
      const http = `shop.test:8001:${address}`;
      const head = curl('-i', '-H', 'Host: shop.test:8001', `http://${address}:8001/a/b?c=d`);
      expect(head).toMatch(/^HTTP\/1\.1 302 /);
      expect(head).toMatch(/^location: https:\/\/shop\.test:8443\/a\/b\?c=d\r$/im);
      expect(curl('-L', ...trust, ...named, '--resolve', http, 'http://shop.test:8001/')).toMatch(
        /<h1>[12] HTTP/,
      );
    });

    it('sends requests for files to their servers', async () => {
      const paths = ['/images/a', '/x/y.PNG', '/static/', '/page'];
      for (const path of paths)
        curl('-o', '/dev/null', '-H', 'Host: shop.test:5000', `http://${address}:5000${path}`);
      // Which backend took it stands in the log.
      const backends = () => {
        const log = readFileSync(node('/var/log/haproxy-access.log'), 'utf8').split('\n');
        const lineOf = (path: string) => log.findLast((line) => line.includes(`"GET ${path} `)) ?? '';
        return paths.map((path) => / (\S+)\/nginx\d /.exec(lineOf(path))?.[1]);
      };
      await expect
        .poll(backends, { timeout: 20_000 })
        .toEqual(['static_files', 'static_files', 'static_files', 'shop']);
    }, 30_000);

    it('has what happens to servers in the second file', async () => {
      const info = (): string => readFileSync(node('/var/log/haproxy-info.log'), 'utf8');
      await box.lablb('exec', 'nginx1', '--', 'service', 'web', 'stop');
      await expect.poll(info, { timeout: 20_000 }).toMatch(/Server shop\/nginx1 is DOWN/);
      expect((await box.lablb('up')).status).toBe(0);
      expect(info()).not.toContain('"GET ');
      const { stdout } = await box.lablb('logs', 'loadbalancer', '--file', 'haproxy-info.log', '-n', '50');
      expect(stdout).toContain('Server shop/nginx1 is DOWN');
      expect(stdout).not.toContain('"GET ');
      expect(await box.lablb('logs', 'loadbalancer', '--file', 'haproxy-acess.log')).toMatchObject({
        status: 2,
        stderr: expect.stringContaining("did you mean 'haproxy-access.log'?"),
      });
    }, 60_000);

    const SUITES = ['tls', 'redirect', 'logging', 'stats'];

    it('passes its suites', async () => {
      const { status, stdout, stderr } = await box.lablb('test', ...SUITES, '--requests', '4');
      expect({ status, stderr, failed: stdout.match(/^✖.*/gm) }).toEqual({
        status: 0,
        stderr: '',
        failed: null,
      });
      expect(stdout).not.toContain('skipped');
      expect(stdout).not.toContain(password);
    }, 60_000);

    /** What a suite says does not hold. */
    async function failures(suite: string): Promise<string[]> {
      const { status, stdout } = await box.lablb('test', suite, '--requests', '3', '--json');
      const cases: Case[] = JSON.parse(stdout).results.flatMap((one: { cases: Case[] }) => one.cases);
      const failed = cases.flatMap(({ name, failure }) =>
        failure === undefined ? [] : [`${name}: ${failure}`],
      );
      expect(status).toBe(failed.length > 0 ? 1 : 0);
      return failed;
    }

    /** Changes the configuration by hand and makes the balancer read it. */
    async function mutate(change: (config: string) => string): Promise<void> {
      const before = readFileSync(config(), 'utf8');
      const after = change(before);
      expect(after).not.toBe(before);
      writeFileSync(config(), after);
      expect(await box.lablb('exec', 'loadbalancer', '--', 'service', service, 'reload')).toMatchObject({
        status: 0,
      });
    }

    const WEAK =
      'ssl-default-bind-ciphers DEFAULT:@SECLEVEL=0\n    ssl-default-bind-options ssl-min-ver TLSv1.0';
    it.each<[string, string, (config: string) => string, RegExp]>([
      [
        'tls',
        'an old protocol',
        (c) => c.replace(/ssl-default-bind-options.*/, WEAK),
        /TLS 1\.1: TLS 1\.1 is spoken/,
      ],
      [
        'redirect',
        'no redirect',
        (c) => c.replace(/http-request redirect.*/, ''),
        /shop\.test: status (200|404), and no redirect/,
      ],
      [
        'redirect',
        'another port',
        (c) => c.replace('host_only]:8443', 'host_only]:9'),
        /it leads to https:\/\/shop\.test:9\//,
      ],
      [
        'logging',
        'no log',
        (c) => c.replace(/^ *log stdout.*$/m, ''),
        /no line of it in \/var\/log\/haproxy-access\.log/,
      ],
      [
        'logging',
        'one log',
        (c) => c.replace('log stderr format raw local0 notice', 'log stderr format raw local0 info'),
        /haproxy-info\.log has the request, too/,
      ],
      [
        'stats',
        'no password',
        (c) => c.replace(/stats auth.*/, ''),
        /without password: status 200, and should be 401/,
      ],
      [
        'stats',
        'another realm',
        (c) => c.replace(/stats realm.*/, 'stats realm x'),
        /the challenge is Basic realm="x"/,
      ],
      [
        'stats',
        'no refresh',
        (c) => c.replace(/stats refresh.*/, ''),
        /reloads itself after no time, and should after 5/,
      ],
      [
        'stats',
        'everyone admin',
        (c) => c.replace(/(stats realm.*)/, '$1\n    stats admin if TRUE'),
        /changes: not refused/,
      ],
    ])(
      '%s sees it: %s',
      async (suite, _, change, message) => {
        // biome-ignore format: a table
        await mutate(change);
        expect((await failures(suite)).join('\n')).toMatch(message);
        expect((await box.lablb('up')).status).toBe(0);
        expect(await failures(suite)).toEqual([]);
      },
      90_000,
    );

    it.skipIf(!needs('openssl'))(
      'tls sees it: another authority, or a certificate for others',
      async () => {
        const stranger = new Authority('stranger');
        try {
          const ca = node('/etc/haproxy/tls/ca.pem');
          const own = readFileSync(ca);
          writeFileSync(ca, stranger.own.cert);
          expect((await failures('tls')).join('\n')).toMatch(/shop\.test: not accepted: curl: \(60\)/);
          // Now the balancer has one of that authority's, for another name.
          const pem = node('/etc/haproxy/tls/cert.pem');
          writeFileSync(pem, stranger.issue('other.test', address).pem);
          await box.lablb('exec', 'loadbalancer', '--', 'service', service, 'reload');
          const failed = await failures('tls');
          expect(failed.map((line) => line.split(':')[0])).toEqual(['shop.test', 'loadbalancer']);
          writeFileSync(ca, own);
        } finally {
          stranger.remove();
        }
        expect((await box.lablb('up')).stdout).toMatch(/write \/etc\/haproxy\/tls\/cert\.pem|steps? done/);
        expect(await failures('tls')).toEqual([]);
      },
      90_000,
    );

    it('makes another certificate before the end of the first, and says why', async () => {
      const kept = JSON.parse(readFileSync(state('credentials.json'), 'utf8'));
      const before = new X509Certificate(kept.tls.server.certificate);
      writeFileSync(
        file,
        topology(lab, engine).replace('tls: { port: 8443 }', 'tls: { port: 8443, days: 90 }'),
      );
      const dry = await box.lablb('up', '--dry-run');
      expect(dry.stdout).toMatch(
        /write \/etc\/haproxy\/tls\/cert\.pem +because the certificate is for 365 days, and should be for 90\n/,
      );
      expect(JSON.parse(readFileSync(state('credentials.json'), 'utf8'))).toEqual(kept); // touched nothing
      expect((await box.lablb('up')).status).toBe(0);
      const now = new X509Certificate(readFileSync(node('/etc/haproxy/tls/crt.pem')));
      expect(now.serialNumber).not.toBe(before.serialNumber);
      expect(curl(...trust, ...named, 'https://shop.test:8443/')).toMatch(/<h1>[12]/); // by the same authority
      expect((await box.lablb('up')).stdout).toMatch(/nothing to do/);
    }, 60_000);

    it('lives through the end of its certificate: a new one is served, and no request is lost', async () => {
      const days = (count: number): void =>
        writeFileSync(
          file,
          topology(lab, engine).replace('tls: { port: 8443 }', `tls: { port: 8443, days: ${count} }`),
        );
      const ca = readFileSync(state('ca.pem'));
      const served = (): Promise<PeerCertificate> => handshake(address, 8443, 'shop.test', ca);
      // As if it had been brought up 85 days ago, with a certificate for 89.
      days(89);
      box.env.NODE_OPTIONS = `--import=${box.write('past.mjs', daysAgo(85))}`;
      expect((await box.lablb('up')).status).toBe(0);
      delete box.env.NODE_OPTIONS;
      const old = await served();
      expect((Date.parse(old.valid_to) - Date.now()) / 86_400_000).toBeCloseTo(4, 0);

      expect((await box.lablb('status')).stdout).toMatch(
        /the certificate ends in 3 days; `lablb up` makes another/,
      );
      expect((await box.lablb('up', '--dry-run')).stdout).toMatch(
        /write \/etc\/haproxy\/tls\/cert\.pem +because the certificate ends in 3 days\n/,
      );
      expect((await served()).serialNumber).toBe(old.serialNumber);

      let over = false;
      const seen: string[] = [];
      const asking = (async () => {
        while (!over) {
          curl(...trust, ...named, 'https://shop.test:8443/');
          seen.push((await served()).serialNumber);
          await sleep(20);
        }
      })();
      const said = await box.lablb('up').finally(() => {
        over = true;
      });
      await asking; // a request that is lost, or a certificate that is not trusted, is an error there
      expect(said).toMatchObject({ status: 0, stderr: '' });
      expect(said.stdout).toMatch(/because the certificate ends in 3 days/);
      expect(seen[0]).toBe(old.serialNumber);
      const now = await served();
      expect(now.serialNumber).not.toBe(old.serialNumber);
      expect((Date.parse(now.valid_to) - Date.now()) / 86_400_000).toBeCloseTo(89, 0);
      expect(new Set([...seen, now.serialNumber]).size).toBe(2);
      expect(curl(...trust, ...named, 'https://shop.test:8443/')).toMatch(/<h1>[12]/);
      expect((await box.lablb('status')).stdout).not.toContain('certificate');
      expect((await box.lablb('up')).stdout).toMatch(/nothing to do/);
      expect((await served()).serialNumber).toBe(now.serialNumber);
    }, 60_000);

    it.skipIf(!needs('openssl'))(
      'takes a certificate of the user’s own',
      async () => {
        const own = new Authority('own');
        try {
          const pair = own.issue('shop.test');
          appendFileSync(box.write('own.key', pair.key), '');
          box.write('own.crt', pair.cert);
          box.write('own-ca.crt', own.own.cert);
          const given = 'tls: { port: 8443, certificate: own.crt, key: own.key, authority: own-ca.crt }';
          writeFileSync(file, topology(lab, engine).replace('tls: { port: 8443 }', given));
          const said = await box.lablb('up');
          expect(said.status).toBe(0);
          expect(said.stderr).toMatch(/warning: balancer\.tls\.certificate: it ends in 29 days/);
          expect(
            curl('--cacert', join(box.folder, 'own-ca.crt'), ...named, 'https://shop.test:8443/'),
          ).toMatch(/<h1>[12]/);
          expect(existsSync(node('/etc/haproxy/tls/cert.p12'))).toBe(false);
          expect(readFileSync(state('lab.json'), 'utf8')).not.toContain('PRIVATE KEY');
        } finally {
          own.remove();
        }
      },
      60_000,
    );

    it('leaves nothing behind', async () => {
      expect((await box.lablb('down', '--name', lab)).status).toBe(0);
      expect(existsSync(state())).toBe(false);
    });
  });

/** The certificate that a server shows to who trusts this authority. */
function handshake(host: string, port: number, servername: string, ca: Buffer): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, servername, ca }, () => {
      resolve(socket.getPeerCertificate());
      socket.end();
    });
    socket.once('error', reject);
  });
}

/** A module that sets the clock of the Node that imports it back. */
function daysAgo(count: number): string {
  return `const Present = Date;
const now = () => Present.now() - ${count * 86_400_000};
globalThis.Date = class Date extends Present {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }
  static now = now;
};
`;
}
