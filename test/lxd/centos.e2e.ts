import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Host } from './support.ts';

/** The second tutorial in containers: its TLS, its two logs, its statistics page; on both families, with both engines. */
describe.each([
  ['rockylinux/8', 'lablb'],
  ['debian/12', 'haproxy'],
])('centos-ssh-nginx on %s, balanced by %s', (image, engine) => {
  const host = new Host();
  let up: string;
  beforeAll(async () => {
    host.topology('centos-ssh-nginx.yaml', (text) =>
      text
        .replace(/^ {2}ns\d:.*\n/gm, '') // dns.e2e.ts has them
        .replace('provider: ssh', 'provider: lxd')
        .replace('\nnodes:', `\nlxd: { image: 'images:${image}' }\ndefaults: { engine: ${engine} }\nnodes:`),
    );
    up = await host.must('up');
  });
  afterAll(() => host.close());

  it('comes up once, with a password that is shown once', async () => {
    expect(up).toMatch(/user haproxy, password [A-Za-z2-9]{20}, shown only now/);
    expect(await host.must('up')).toMatch(/nothing to do/);
  });

  it('has the tutorial’s files, the secret ones for root alone', async () => {
    const list = await host.on('loadbalancer', 'stat', '-c', '%a %U %n', '/etc/haproxy/tls/key.pem', '/etc/haproxy/tls/cert.pem', '/etc/haproxy/tls/cert.p12'); // biome-ignore format: a command
    expect(list.trim().split('\n')).toEqual(
      ['key.pem', 'cert.pem', 'cert.p12'].map((name) => `600 root /etc/haproxy/tls/${name}`),
    );
    const certificate = new X509Certificate(await host.on('loadbalancer', 'cat', '/etc/haproxy/tls/crt.pem'));
    const address = (await host.on('loadbalancer', 'hostname', '-I')).split(' ')[0]!.trim();
    expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.checkHost('loadbalancer')).toBe('loadbalancer');
  });

  it('passes the suites of what the tutorial adds', async () => {
    const said = await host.must(
      'test',
      'roundrobin',
      'acl',
      'headers',
      'tls',
      'redirect',
      'logging',
      'stats',
    );
    expect(said).toMatch(/in turn: 12 of 12/);
    expect(said).toMatch(/✔ there, and not in \/var\/log\/haproxy-info\.log/);
  });

  it('has what happens to a server in the second file alone', async () => {
    await host.on('nginx1', 'systemctl', 'stop', 'nginx');
    const info = () => host.on('loadbalancer', 'cat', '/var/log/haproxy-info.log').catch(() => '');
    await expect.poll(info, { timeout: 60_000, interval: 500 }).toMatch(/Server web_servers\/nginx1 is DOWN/);
    expect(await info()).not.toContain('"GET ');
    expect(await host.on('loadbalancer', 'cat', '/var/log/haproxy-access.log')).not.toContain('is DOWN');
    await host.must('up');
  });

  it('makes another certificate when a name comes, and says why', async () => {
    host.edit((text) => text.replace('redirect: true', 'redirect: true, names: [shop.test]'));
    expect(await host.must('up', '--dry-run')).toMatch(
      /write \/etc\/haproxy\/tls\/cert\.pem +because the certificate is not for shop\.test\n/,
    );
    await host.must('up');
    expect(await host.must('test', 'tls', 'redirect')).toContain('accepted');
    expect(await host.must('up')).toMatch(/nothing to do/);
  });
});
