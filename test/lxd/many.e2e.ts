import { afterAll, describe, expect, it } from 'vitest';
import { driftOf, Host } from './support.ts';

/** Many nodes that are alike: their packages are installed once. */
describe('a lab of many nodes', () => {
  const host = new Host();
  const LAB = `name: many
provider: lxd
lxd: { image: images:rockylinux/8, macvlan: auto }
nodes:
  web: { count: 4, server: httpd }
`;
  const prepared = async (): Promise<string[]> =>
    (await host.lxc('image', 'list', '--format', 'csv', '--columns', 'l'))
      .split('\n')
      .filter((alias) => alias.startsWith('lablb/prepared/'));
  afterAll(async () => {
    for (const alias of await prepared()) await host.tryLxc('image', 'delete', alias);
    await host.close();
  });

  it('comes up from an image with its packages, which is kept', async () => {
    host.topology('rocky-lxd-apache.yaml', () => LAB);
    await host.must('up');
    expect(await prepared()).toHaveLength(1);
    expect(await host.instances()).toEqual(['proxyha', 'web1', 'web2', 'web3', 'web4']);
    await host.must('test', 'roundrobin');
    expect(await driftOf(host)).toEqual([]);
    const ids = await Promise.all(['web1', 'web2'].map((node) => host.on(node, 'cat', '/etc/machine-id')));
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('comes up from the same image the next time, until down --purge', async () => {
    const [before] = await prepared();
    expect(await host.must('down')).toContain(
      `  ${before} stays for the next lab   (lablb down --purge removes what is kept)\n`,
    );
    expect(await host.instances()).toEqual([]);
    await host.must('up');
    expect(await prepared()).toEqual([before]);
    await host.must('test', 'roundrobin');
    expect(await host.must('down', '--purge')).not.toContain('stay');
    expect(await prepared()).toEqual([]);
  });
});
