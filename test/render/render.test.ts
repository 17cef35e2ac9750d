import { describe, expect, it } from 'vitest';
import { ConfigError, renderDiagnostics } from '../../src/errors.ts';
import { placeholderView, withoutSecrets } from '../../src/render/placeholder.ts';
import { PROXY_DATA_DOCS, proxyData } from '../../src/render/proxy-data.ts';
import { contentOf, filesOf, topologyOf } from './support.ts';

const CONFIG = '/etc/haproxy/haproxy.cfg';

describe('the page', () => {
  it('has the tutorial’s heading', () => {
    const page = contentOf(filesOf('nodes: { web: { count: 2 } }', 'web2'), '/var/www/html/index.html');
    expect(page).toContain('<h1>SITE2 HTTP Server <strong>Test Page</strong></h1>');
  });

  it('shows a title as text', () => {
    const text = `nodes: { web1: { title: '<script>alert("1")</script> & co' } }`;
    const page = contentOf(filesOf(text, 'web1'), '/var/www/html/index.html');
    expect(page).toContain('<h1>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; co HTTP Server');
    expect(page).not.toContain('<script>');
  });

  it.each([
    ['httpd', 'rhel', '/usr/share/httpd/noindex/index.html'],
    ['nginx', 'rhel', '/usr/share/nginx/html/index.html'],
    ['httpd', 'debian', '/var/www/html/index.html'],
    ['nginx', 'plan9', '/usr/share/nginx/html/index.html'],
    ['embedded', 'embedded', '/var/www/html/index.html'],
  ])('of %s on %s is %s', (server, family, path) => {
    const files = filesOf(`nodes: { web1: { server: ${server} } }`, 'web1', { family });
    expect(files.map((file) => file.path)).toEqual(['/etc/hosts', path]);
  });
});

describe('the files of a node', () => {
  it('are those of its role', () => {
    const text = 'nodes: { web: , client: , dns: }\nbalancer: { errorPages: false }';
    expect(filesOf(text, 'client').map(({ path }) => path)).toEqual(['/etc/hosts']);
    expect(filesOf(text, 'dns').map(({ path }) => path)).toEqual(['/etc/hosts', '/etc/lablb/dns.hosts']);
    expect(filesOf(text, 'proxyha').map(({ path }) => path)).toEqual(['/etc/hosts', CONFIG]);
  });

  it('are the tutorial’s with TLS, what holds the key for root alone', () => {
    const text = 'nodes: { web: , client: }\nbalancer: { tls: true, errorPages: false }';
    const tls = { certificate: 'CRT\n', key: 'KEY\n', pkcs12: new Uint8Array([1]), authority: 'CA\n' };
    const files = filesOf(text, 'proxyha', { credentials: { tls } });
    const folder = '/etc/haproxy/tls';
    expect(files.filter(({ path }) => path.startsWith(folder))).toEqual([
      { path: `${folder}/key.pem`, content: 'KEY\n', mode: 0o600 },
      { path: `${folder}/crt.pem`, content: 'CRT\n' },
      { path: `${folder}/cert.pem`, content: 'CRT\nKEY\n', mode: 0o600 },
      { path: `${folder}/cert.p12`, content: new Uint8Array([1]), mode: 0o600 },
      { path: `${folder}/ca.pem`, content: 'CA\n' },
    ]);
    expect(contentOf(filesOf(text, 'client', { credentials: { tls } }), `${folder}/ca.pem`)).toBe('CA\n');
    expect(filesOf(text, 'web', { credentials: { tls } }).some(({ path }) => path.startsWith(folder))).toBe(
      false,
    );
  });

  it('show a placeholder where nobody said the key', () => {
    const files = filesOf('nodes: { web: }\nbalancer: { tls: true, stats: { user: u } }', 'proxyha');
    expect(contentOf(files, '/etc/haproxy/tls/cert.pem')).toContain("******** made by 'lablb up'");
    expect(contentOf(files, CONFIG)).toContain("stats auth 'u:********'");
  });

  it('have a rule of rsyslog for each of two logs', () => {
    const text =
      'provider: lxd\nnodes: { web: }\nbalancer: { log: { udp: { access: /a.log, info: /i.log } } }';
    const content = contentOf(filesOf(text, 'proxyha'), '/etc/rsyslog.d/99-haproxy.conf');
    expect(content.split('\n').filter((line) => /^[$l]/.test(line))).toEqual([
      '$ModLoad imudp',
      '$UDPServerAddress 127.0.0.1',
      '$UDPServerRun 514',
      'local2.=info /a.log',
      'local2.notice /i.log',
      'local2.* stop',
    ]);
  });

  it('of a node that is not there are refused', () => {
    expect(() => filesOf('nodes: { web: }', 'web7')).toThrow("lab 'rocky' has no node 'web7'");
  });
});

describe('a configuration of the user’s', () => {
  const withConfig = (file: string, text: string) =>
    filesOf(
      `nodes: { web: { count: 2 } }\nbalancer: { config: ${file}, stats: { user: u, password: "p q" } }`,
      'proxyha',
      {},
      { readFile: () => text },
    );

  it('is taken verbatim', () => {
    const text = 'global\n# {{not a template}} \r\n';
    const files = withConfig('haproxy.cfg', text);
    expect(contentOf(files, CONFIG)).toBe(text);
    expect(files.find(({ path }) => path === CONFIG)!.mode).toBe(0o600);
  });

  it('is a template when its name says so', () => {
    const text =
      '{{lab}} <{{word stats.auth}}>\n{{#each webs}}\nserver {{name}} {{at}}:{{port}}\n{{/each}}\n';
    expect(contentOf(withConfig('haproxy.cfg.hbs', text), CONFIG)).toBe(
      "rocky <'u:p q'>\nserver web1 127.0.1.1:80\nserver web2 127.0.1.2:80\n",
    );
  });

  it.each([
    [
      'frontend x\n  {{#each webs}}\n    server {{nam}}\n  {{/each}}\n',
      "x.hbs:3:14  the template names 'nam', which there is not",
    ],
    ['frontend x\n    bind {{bind}\n', 'x.hbs:2:'],
    ['{{lookup (constructor) "x"}}', 'x.hbs:1:'],
    ['{{unknownHelper lab}}', 'x.hbs:1:'],
  ])('is refused with its place: %s', (text, expected) => {
    try {
      withConfig('x.hbs', text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(renderDiagnostics(error.diagnostics, error.sources)).toContain(expected);
      return;
    }
    throw new Error('not refused');
  });

  it('is told every name that it can use', () => {
    const topology = topologyOf('nodes: { web: }');
    const data = proxyData(topology, topology.nodes[1]!, placeholderView(topology, 'proxyha'));
    expect(PROXY_DATA_DOCS.map(([name]) => name).sort()).toEqual(Object.keys(data).sort());
  });
});

describe('withoutSecrets', () => {
  it('hides the password and nothing else', () => {
    const topology = topologyOf('nodes: { web: }\nbalancer: { stats: { user: u, password: hunter2 } }');
    const hidden = withoutSecrets(topology);
    expect(JSON.stringify(hidden)).toBe(JSON.stringify(topology).replace('hunter2', '********'));
  });
});
