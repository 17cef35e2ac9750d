import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { driftOf, Host } from './support.ts';

/** Pages on other ports than the packages have them. */
describe('web nodes on other ports', () => {
  let host: Host;
  beforeEach(() => {
    host = new Host();
  });
  afterEach(() => host.close());

  it.each([
    ['debian/12', '/etc/apache2/ports.conf'],
    ['rockylinux/8', '/etc/httpd/conf/httpd.conf'],
  ])('on %s, with httpd and nginx, and back to port 80', async (image, file) => {
    host.write(`name: ports
provider: lxd
lxd: { image: 'images:${image}' }
nodes:
  web1: { server: httpd, port: 8080 }
  web2: { server: nginx, port: 8081 }
`);
    await host.must('up');
    expect(await host.must('test', 'roundrobin')).toMatch(/in turn: 12 of 12/);
    expect(await listening(host, 'web1')).toEqual([8080]);
    expect(await listening(host, 'web2')).toEqual([8081]);
    expect(await host.on('web1', 'cat', `${file}.orig`)).toMatch(/^Listen 80$/m);
    expect(await host.must('up')).toMatch(/nothing to do/);

    host.edit((text) => text.replaceAll(/, port: \d+/g, ''));
    await host.must('up');
    expect(await listening(host, 'web1')).toEqual([80]);
    expect(await listening(host, 'web2')).toEqual([80]);
    expect(await host.on('web1', 'cat', file)).toMatch(/^Listen 80$/m);
    await host.must('test', 'roundrobin');
    expect(await driftOf(host)).toEqual([]);
  });
});

/** Ports from the kernel's own tables (proc(5)): local address and state are the second and fourth column. */
async function listening(host: Host, node: string): Promise<number[]> {
  const tables = await host.on(node, 'cat', '/proc/net/tcp', '/proc/net/tcp6');
  const rows = tables.split('\n').map((line) => line.trim().split(/\s+/));
  const ports = rows
    .filter((row) => row[3] === '0A')
    .map((row) => Number.parseInt(row[1]!.split(':')[1]!, 16));
  return [...new Set(ports)].sort((a, b) => a - b);
}
