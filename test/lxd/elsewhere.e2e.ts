import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { sandboxScript } from './sandbox.ts';
import { driftOf, Host } from './support.ts';

/** Labs that are not where the client would put them by itself. */
const LAB = `name: elsewhere
provider: lxd
lxd: { image: images:debian/12 }
nodes: { web1: { server: nginx }, web2: { server: nginx } }
`;

/** Up, tested, at rest, down again: `there` lists what is in that place. */
async function livesAt(host: Host, settings: string, there: readonly string[]): Promise<void> {
  const names = async (where: readonly string[]): Promise<string[]> =>
    (await host.lxc('list', ...where, '--format', 'csv', '--columns', 'n'))
      .split('\n')
      .filter(Boolean)
      .sort();
  host.write(LAB.replace('debian/12', `debian/12, ${settings}`));
  await host.must('up');
  expect(await names(there)).toEqual(['proxyha', 'web1', 'web2']);
  await host.must('test', 'roundrobin');
  expect(await host.must('up')).toMatch(/nothing to do/);
  expect(await driftOf(host)).toEqual([]);
  expect(await host.must('exec', 'web1', '--', 'hostname')).toBe('web1\n');
  await host.must('down');
  expect(await names(there)).toEqual([]);
}

describe('a lab in a project, in a pool, on a remote', () => {
  const host = new Host();
  beforeAll(async () => {
    // As new projects are: with a default profile that has nothing in it.
    await host.lxc('project', 'create', 'second', '--config', 'features.images=false');
    await host.lxc('storage', 'create', 'second', 'dir');
  });
  afterAll(async () => {
    await host.lablb('down', '--name', 'elsewhere');
    await host.tryLxc('profile', 'delete', 'macvlan', '--project', 'second');
    await host.tryLxc('project', 'delete', 'second');
    await host.tryLxc('storage', 'delete', 'second');
    await host.tryLxc('remote', 'remove', 'far');
    const trusted = JSON.parse(await host.lxc('config', 'trust', 'list', '--format', 'json')) as {
      fingerprint: string;
    }[];
    for (const { fingerprint } of trusted) await host.tryLxc('config', 'trust', 'remove', fingerprint);
    await host.tryLxc('config', 'unset', 'core.https_address');
    await host.close();
  });

  it('says what the empty default profile of a new project lacks', async () => {
    host.write(LAB.replace('debian/12', 'debian/12, project: second'));
    expect((await host.lablb('up')).stderr).toMatch(
      /web1(?:, \w+)*: there is no storage for it[\s\S]*storage: POOL under 'lxd:' .*default profile of a new project/,
    );
    host.edit((text) => text.replace('project: second', 'project: second, storage: default'));
    expect((await host.lablb('up')).stderr).toMatch(
      /web1(?:, \w+)*: it has no network interface\n[\s\S]*default profile of a new project is empty\n[\s\S]*macvlan: auto/,
    );
    await host.must('down');
  });

  it('lives in a project, whose names are its own', async () => {
    await host.lxc('init', '--quiet', 'debian/12', 'web1');
    try {
      await livesAt(host, 'project: second, storage: default, macvlan: auto', ['--project', 'second']);
      expect(await host.instances()).toEqual(['web1']);
    } finally {
      await host.lxc('delete', 'web1');
    }
    expect(await host.lxc('profile', 'list', '--project', 'second', '--format', 'csv')).not.toContain(
      'macvlan',
    );
  });

  it('lives in another pool', async () => {
    host.write(LAB.replace('debian/12', 'debian/12, storage: second'));
    await host.must('up');
    const volumes = await host.lxc('storage', 'volume', 'list', 'second', '--format', 'csv');
    for (const node of ['proxyha', 'web1', 'web2']) expect(volumes).toContain(`container,${node},`);
    await host.must('test', 'roundrobin');
    expect(await host.must('up')).toMatch(/nothing to do/);
    await host.must('down');
  });

  it('lives on a remote', async () => {
    await serve(host);
    const name = inject('client') === 'incus' ? ['me'] : ['--name', 'me'];
    const token = (await host.lxc('config', 'trust', 'add', ...name, '--quiet')).trim().split('\n').at(-1)!;
    await host.lxc('remote', 'add', 'far', token);
    await livesAt(host, 'remote: far', ['far:']);
    // Which interface a machine elsewhere has cannot be seen from here.
    host.edit((text) => text.replace('remote: far', 'remote: far, macvlan: auto'));
    expect((await host.lablb('up')).stderr).toMatch(
      /which interface of 'far' .* cannot be seen from here[\s\S]*macvlan: INTERFACE/,
    );
    await livesAt(host, 'remote: far, macvlan: lan0', ['far:']);
  });
});

describe('a lab on a member of a cluster', () => {
  const sandbox = mkdtempSync(join(tmpdir(), 'lablb-cluster-'));
  let host: Host;
  beforeAll(async () => {
    sandboxScript('up.sh', sandbox);
    host = new Host(sandbox);
    await serve(host);
    await host.lxc('cluster', 'enable', 'first');
  });
  afterAll(() => sandboxScript('down.sh', sandbox));

  it('lives there, and says so when there is no such member', async () => {
    await livesAt(host, 'target: first', []);
    host.edit((text) => text.replace('target: first', 'target: second'));
    expect((await host.lablb('up')).stderr).toMatch(
      /web1(?:, \w+)*: there is no such member of the cluster\n[\s\S]*cluster list/,
    );
    await host.must('down');
  });
});

/** The daemon listens to others too. */
async function serve(host: Host): Promise<void> {
  await host.lxc('config', 'set', 'core.https_address', '198.18.1.1:8443');
}
