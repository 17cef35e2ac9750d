import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { workspace } from './support.ts';

const { folder, lablb } = workspace();
const CONFIG = '/etc/haproxy/haproxy.cfg';
const LAB = 'nodes: { web: { count: 2 } }\nbalancer: { stats: { user: u, password: hunter2 } }\n';
const writeLab = (): void => writeFileSync(join(folder(), 'x.lab.yaml'), LAB);

describe('lablb render', () => {
  it('prints every file of every node under its name', async () => {
    writeLab();
    const { status, stdout } = await lablb(['render']);
    expect([...stdout.matchAll(/^==> (.*) <==$/gm)].map(([, name]) => name)).toEqual([
      'web1:/etc/hosts',
      'web1:/var/www/html/index.html',
      'web2:/etc/hosts',
      'web2:/var/www/html/index.html',
      'proxyha:/etc/hosts',
      `proxyha:${CONFIG}`,
      ...[400, 403, 408, 500, 502, 503, 504].map((code) => `proxyha:/etc/haproxy/errors/${code}.http`),
    ]);
    expect(stdout).toContain('<h1>SITE1 HTTP Server <strong>Test Page</strong></h1>');
    expect(status).toBe(EXIT.ok);
  });

  it('prints one file as it is, with its password hidden', async () => {
    writeLab();
    const only = ['render', '--node', 'proxyha', '--path', CONFIG];
    const { stdout } = await lablb(only);
    expect(stdout).toMatch(/^# proxyha of lab 'x'/);
    expect(stdout).toContain('http-request set-header X-Client-IP %[src]\n');
    expect(stdout).toContain("stats auth 'u:********'\n");
    expect((await lablb([...only, '--show-secrets'])).stdout).toContain('stats auth u:hunter2\n');
  });

  it('writes them below a folder, as they would be', async () => {
    writeLab();
    expect((await lablb(['render', '--out', 'out'])).stdout).toBe('wrote 13 files below out\n');
    const config = join(folder(), 'out/proxyha', CONFIG);
    expect(readFileSync(config, 'utf8')).toContain('stats auth u:hunter2\n');
    expect(statSync(config).mode & 0o777).toBe(0o600);
    const page = join(folder(), 'out/proxyha/etc/haproxy/errors/503.http');
    expect(readFileSync(page, 'utf8')).toMatch(/^HTTP\/1\.0 503 Service Unavailable\r\n/);
  });

  it('reports as JSON', async () => {
    writeLab();
    const { stdout } = await lablb(['render', '--json', '--node', 'web2', '--path', '/etc/hosts']);
    expect(JSON.parse(stdout)).toEqual({
      files: [
        {
          node: 'web2',
          path: '/etc/hosts',
          mode: '0644',
          content: expect.stringContaining('127.0.1.2  web2\n'),
        },
      ],
    });
  });

  it('renders for another provider', async () => {
    writeLab();
    const { stdout } = await lablb(['render', '--provider', 'lxd', '--node', 'web1']);
    expect(stdout).toContain('==> web1:/usr/share/httpd/noindex/index.html <==');
  });

  it.each([
    [['--node', 'wbe1'], "there is no node 'wbe1'", "did you mean 'web1'?"],
    [['--path', '/etc/hots'], 'no node has a file /etc/hots', "did you mean '/etc/hosts'?"],
  ])('refuses %j', async (args, message, hint) => {
    writeLab();
    const { status, stderr } = await lablb(['render', ...args]);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect(status).toBe(EXIT.refused);
  });
});
