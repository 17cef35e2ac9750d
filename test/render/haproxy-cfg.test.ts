import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitWords } from '../../src/config/words.ts';
import { settleCredentials } from '../../src/credentials/settle.ts';
import { configWord } from '../../src/render/config-word.ts';
import type { NodeView } from '../../src/render/render.ts';
import type { Credentials } from '../../src/render/view.ts';
import { needs, which } from '../support/needs.ts';
import { contentOf, filesOf, topologyOf } from './support.ts';

const CONFIG = '/etc/haproxy/haproxy.cfg';
const QUICKSTART = readFileSync(new URL('../../topologies/quickstart.yaml', import.meta.url), 'utf8');
const SITES = '{ a.example.com: [web1, web2], b.example.com: { servers: [web2], aliases: [c.example.com] } }';

const ENGINE = fileURLToPath(new URL('../../build/lablb-proxy', import.meta.url));
const isBuilt = existsSync(ENGINE);
const unbuilt = 'build/lablb-proxy is not built (npm run build)';
if (!isBuilt && process.env.LABLB_TEST_ALL === '1') throw new Error(unbuilt);
if (!isBuilt) console.warn(`skipped: ${unbuilt}`);

/** HAProxy says nothing on standard error when all is well; our engine may give notices there, never warnings. */
const CHECKERS = [
  { name: 'HAProxy', command: () => which('haproxy')!, here: needs('haproxy'), silence: /^$/ },
  {
    name: 'lablb-proxy',
    command: () => ENGINE,
    here: isBuilt,
    silence: /^(?!.*\b(?:warning|error|alert)\b)/is,
  },
];

for (const { name, command, here, silence } of CHECKERS)
  describe.skipIf(!here)(`${name} takes the rendered configuration`, () => {
    let folder: string;
    let credentials: Credentials;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'lablb-render-'));
      const topology = topologyOf('nodes: { web: }\nbalancer: { tls: true, stats: { user: u } }');
      const at = { addresses: new Map<string, string>(), kept: {}, now: new Date() };
      ({ credentials } = await settleCredentials(topology, at));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const local: Readonly<Record<string, string>> = {
      quickstart: QUICKSTART,
      'three lines': 'nodes:\n  web: { count: 2 }\n',
      'many sites, aliases': `nodes: { web: { count: 2 } }\nbalancer: { sites: ${SITES} }`,
      'tcp checks': 'nodes: { web: }\nbalancer: { check: { type: tcp, inter: 1500ms, rise: 1, fall: 9 } }',
      'no checks, no error pages': 'nodes: { web: }\nbalancer: { check: false, errorPages: false }',
      'a page that never reloads':
        'nodes: { web: }\nbalancer: { stats: { refresh: 0, realm: "It\'s \\"mine\\" # 100%" } }',
      'a password with everything in it':
        'nodes: { web: }\nbalancer: { stats: { user: u, password: "a b\'c\\"d\\\\e#f$g{h}%[src]", admin: true } }',
      'a path with everything in it': `nodes: { web: }\nbalancer: { check: { path: '/a?b=%20&c="d"$e\\f' } }`,
      ...Object.fromEntries(
        ['roundrobin', 'static-rr', 'leastconn', 'first', 'source', 'uri', 'random'].map((balance) => [
          `balance ${balance}`,
          `nodes: { web: { count: 3 } }\nbalancer: { balance: ${balance} }`,
        ]),
      ),
    };
    for (const [name, text] of Object.entries(local)) it(`local: ${name}`, () => expectAccepted(text));

    // A name that this machine knows stands in for the node's: HAProxy looks names up, even to check.
    const machine = (log: string, server: string) =>
      `provider: lxd\nnodes: { web1: { server: ${server}, names: [localhost] } }\nbalancer: { log: { ${log} }, stats: true }`;
    for (const log of ['file: /var/log/x.log', 'rsyslog: /var/log/x.log', 'udp: /var/log/x.log']) {
      for (const server of ['httpd', 'nginx']) {
        it(`machine: ${server}, log to ${log}`, () => expectAccepted(machine(log, server)));
      }
    }

    const odd = new Map([['proxyha', new Map([[80, 20080], [443, 20443], [5000, 25000]])]]); // biome-ignore format: a table
    const features: Readonly<Record<string, [balancer: string, view?: Partial<NodeView>]>> = {
      TLS: ['tls: true'],
      'TLS without redirect': ['tls: { redirect: false }'],
      'TLS, sites': [`sites: ${SITES}, tls: true`],
      'TLS on odd ports': [`sites: ${SITES}, tls: true`, { ports: odd }],
      'a frontend for files': ['static: { servers: [web1] }'],
      'a frontend for files beside sites': [`sites: ${SITES}, static: { servers: [web2], ends: [] }`],
      'checks with method and host': [`check: { method: HEAD, host: localhost, path: "/a?b=c'd" }`],
      'checks with a method': ['check: { method: OPTIONS }'],
      'not every client forwarded': ['forwardFor: { except: 127.0.0.0/8 }'],
      'no client forwarded': ['forwardFor: false'],
      'two logs, a password made': [
        'log: { udp: { access: /a.log, info: /i.log } }, stats: { user: u, admin: true }',
      ],
      everything: [
        `sites: ${SITES}, tls: true, static: { servers: [web1] }, check: { method: HEAD, host: x.test }, stats: { user: u }`,
        { ports: odd },
      ],
    };
    for (const [name, [balancer, view]] of Object.entries(features)) {
      it(`local: ${name}`, () =>
        expectAccepted(`nodes: { web: { count: 2 } }\nbalancer: { ${balancer} }`, view));
      // Certificates and error files lie in a folder here, whatever the system.
      it(`machine: ${name}`, () => {
        const nodes =
          '{ web1: { server: nginx, names: [localhost] }, web2: { server: nginx, names: [127.0.0.2] } }';
        expectAccepted(`provider: lxd\nnodes: ${nodes}\nbalancer: { ${balancer} }`, view);
      });
    }

    function expectAccepted(text: string, view: Partial<NodeView> = {}): void {
      const root = mkdtempSync(join(folder, 'node-'));
      for (const { path, content } of filesOf(text, 'proxyha', { root, credentials, ...view })) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), content);
      }
      const { status, stdout, stderr } = spawnSync(command(), ['-c', '-f', join(root, CONFIG)], {
        encoding: 'utf8',
      });
      expect(stderr).toMatch(silence);
      expect(stdout).toContain('Configuration file is valid');
      expect(status).toBe(0);
    }
  });

describe('haproxy.cfg', () => {
  it('sends each site to its servers, in their order', () => {
    const config = contentOf(filesOf(QUICKSTART, 'proxyha'), CONFIG);
    expect(
      directives(config, /^(acl|use_backend|backend|server|balance|option httpchk|http-request|bind)/),
    ).toEqual([
      'bind 127.0.1.3:80',
      'acl host_site1 hdr(host) -i site1.testdomain.com',
      'acl host_site2 hdr(host) -i site2.testdomain.com',
      'use_backend site1 if host_site1',
      'use_backend site2 if host_site2',
      'backend site1',
      'balance roundrobin',
      'http-request set-header X-Client-IP %[src]',
      'option httpchk GET /',
      'server web1 127.0.1.1:80 check inter 1s rise 2 fall 3',
      'server web2 127.0.1.2:80 check inter 1s rise 2 fall 3',
      'backend site2',
      'balance roundrobin',
      'http-request set-header X-Client-IP %[src]',
      'option httpchk GET /',
      'server web2 127.0.1.2:80 check inter 1s rise 2 fall 3',
      'server web1 127.0.1.1:80 check inter 1s rise 2 fall 3',
      'bind 127.0.1.3:8080',
    ]);
  });

  it('uses the ports that there are in fact, also in the hosts that a browser sends', () => {
    const ports = new Map([
      ['web1', new Map([[80, 20001]])],
      [
        'proxyha',
        new Map([
          [80, 20080],
          [8080, 28080],
        ]),
      ],
    ]);
    const config = contentOf(filesOf(QUICKSTART, 'proxyha', { ports, bind: '127.9.9.9' }), CONFIG);
    expect(config).toContain('hdr(host) -i site1.testdomain.com site1.testdomain.com:20080\n');
    expect(config).toContain('server web1 127.0.1.1:20001 check');
    expect(config).toContain('server web2 127.0.1.2:80 check');
    expect(directives(config, /^bind/)).toEqual(['bind 127.9.9.9:20080', 'bind 127.9.9.9:28080']);
  });

  it('names paths below the folder of a local node', () => {
    const config = contentOf(
      filesOf(QUICKSTART, 'proxyha', { root: '/srv/a lab/proxyha', socket: '/run/x.sock' }),
      CONFIG,
    );
    expect(config).toContain("errorfile 503 '/srv/a lab/proxyha/etc/haproxy/errors/503.http'\n");
    expect(config).toContain('stats socket /run/x.sock mode 600 level admin expose-fd listeners\n');
    expect(config).not.toMatch(/^ *(chroot|user|group|daemon)/m);
  });

  it('is the tutorial’s on a machine of its own', () => {
    const text = QUICKSTART.replace('provider: local', 'provider: lxd').replace(
      'balancer:',
      'balancer:\n  log: { rsyslog: /var/log/haproxy.log }',
    );
    const config = contentOf(filesOf(text, 'proxyha'), CONFIG);
    expect(directives(config, /^(log|chroot|user|group|daemon|stats socket|server|bind|http-check)/)).toEqual(
      [
        'log /dev/log local0',
        'log /dev/log local1 notice',
        'chroot /var/lib/haproxy',
        'user haproxy',
        'group haproxy',
        'stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners',
        'daemon',
        'log global',
        'bind *:80',
        'http-check expect rstatus ^(2|3|403)',
        'server web1 site1.testdomain.com:80 check inter 1s rise 2 fall 3',
        'server web2 site2.testdomain.com:80 check inter 1s rise 2 fall 3',
        'http-check expect rstatus ^(2|3|403)',
        'server web2 site2.testdomain.com:80 check inter 1s rise 2 fall 3',
        'server web1 site1.testdomain.com:80 check inter 1s rise 2 fall 3',
        'bind *:8080',
      ],
    );
  });

  it('leads to HTTPS as the tutorial does, where the ports are the usual ones', () => {
    const config = contentOf(filesOf(`${QUICKSTART}  tls: true\n`, 'proxyha', { root: '/n' }), CONFIG);
    expect(directives(config, /^(bind|http-request redirect|ssl-default)/)).toEqual([
      'ssl-default-bind-options ssl-min-ver TLSv1.2',
      'bind 127.0.1.3:80',
      'bind 127.0.1.3:443 ssl crt /n/etc/haproxy/tls/cert.pem',
      'http-request redirect scheme https unless { ssl_fc }',
      'bind 127.0.1.3:8080',
    ]);
  });

  it.each([
    [80, 8443, ':8443'],
    [8080, 443, ''],
    [8081, 8443, ':8443'],
  ])('leads from port %i to port %i', (http, https, suffix) => {
    const ports = new Map([['proxyha', new Map([[80, http], [443, https]])]]); // biome-ignore format: a table
    const config = contentOf(filesOf(`${QUICKSTART}  tls: true\n`, 'proxyha', { ports }), CONFIG);
    expect(directives(config, /^http-request redirect/)).toEqual([
      `http-request redirect location https://%[req.hdr(host),host_only]${suffix}%[pathq] unless { ssl_fc }`,
    ]);
  });

  it('answers both alike without the redirect', () => {
    const config = contentOf(filesOf(`${QUICKSTART}  tls: { redirect: false }\n`, 'proxyha'), CONFIG);
    expect(config).not.toContain('redirect');
    expect(config).toContain('bind 127.0.1.3:443 ssl crt');
  });

  it('sends requests for files to servers of their own, the rest to the sites', () => {
    const config = contentOf(
      filesOf(`${QUICKSTART}  static: { servers: [web2], ends: [.png] }\n`, 'proxyha'),
      CONFIG,
    );
    const frontend = config.slice(
      config.indexOf('frontend static_frontend'),
      config.indexOf('# The servers of site1'),
    );
    expect(directives(frontend, /^[a-z]/)).toEqual([
      'frontend static_frontend',
      'bind 127.0.1.3:5000',
      'acl url_static path_beg -i /static /images /javascript /stylesheets',
      'acl url_static path_end -i .png',
      'use_backend static_files if url_static',
      'acl host_site1 hdr(host) -i site1.testdomain.com site1.testdomain.com:5000',
      'acl host_site2 hdr(host) -i site2.testdomain.com site2.testdomain.com:5000',
      'use_backend site1 if host_site1',
      'use_backend site2 if host_site2',
    ]);
    expect(config).toContain(
      'backend static_files\n    # Also: leastconn (the server with the fewest connections), source (one client, one server).\n    balance roundrobin\n',
    );
  });

  it('asks servers for a host in HTTP/1.1', () => {
    const text = QUICKSTART.replace('path: /,', 'path: /, method: HEAD, host: localhost,');
    expect(
      directives(contentOf(filesOf(text, 'proxyha'), CONFIG), /^(option httpchk|http-check)/).slice(0, 2),
    ).toEqual(['option httpchk', 'http-check send meth HEAD uri / ver HTTP/1.1 hdr Host localhost']);
  });

  it('is readable by root alone when it holds a password', () => {
    const mode = (stats: string) =>
      filesOf(`nodes: { web: }\nbalancer: { stats: ${stats} }`, 'proxyha').find(
        ({ path }) => path === CONFIG,
      )!.mode;
    expect(mode('true')).toBe(0o644);
    expect(mode('{ user: u, password: p }')).toBe(0o600);
    expect(mode('{ user: u }')).toBe(0o600);
  });
});

describe('configWord', () => {
  it('is one word again when the configuration is read', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]{1,40}$/), (value) => {
        const { words, problem } = splitWords(
          `    stats realm ${configWord(value)}`,
          () => 'from the environment',
        );
        expect(problem).toBeUndefined();
        expect(words.map(({ text }) => text)).toEqual(['stats', 'realm', value]);
      }),
    );
  });

  it('leaves what needs no quotes as it is', () => {
    expect(configWord('/etc/haproxy/errors/503.http')).toBe('/etc/haproxy/errors/503.http');
  });
});

function directives(config: string, wanted: RegExp): string[] {
  return config
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => wanted.test(line));
}
