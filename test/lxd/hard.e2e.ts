import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { driftOf, Host } from './support.ts';

describe('a lab on LXD, when things go wrong', () => {
  let host: Host;
  beforeEach(() => {
    host = new Host();
  });
  afterEach(() => host.close());

  // By what it says and not by the clock: what is half-way on one machine is over on a faster one.
  const points: [name: string, said: RegExp][] = [
    ['as it begins', /3 nodes/],
    ['when the first node is made', /made/],
    ['when all are made', /(made[\s\S]*){3}/],
  ];
  for (const [name, said] of points) {
    it(`converges after a kill in up, ${name}`, async () => {
      host.topology('debian-lxd-nginx.yaml');
      const { child, ended, heard } = host.start(process.execPath, lablb, 'up');
      await heard(said);
      host.signal(child, 'SIGKILL');
      expect((await ended).stdout).not.toContain('up in');
      expect((await host.lablb('status')).status).toBe(0);
      await host.must('up');
      expect(await driftOf(host)).toEqual([]);
      await host.must('test', 'roundrobin');
      await host.must('down');
      expect(await host.instances()).toEqual([]);
    });
  }

  it('takes away a lab that is half gone, and one that was killed while it came up', async () => {
    host.topology('debian-lxd-nginx.yaml');
    const { child, ended, heard } = host.start(process.execPath, lablb, 'up');
    await heard(/web1 +made/);
    host.signal(child, 'SIGKILL');
    await ended;
    await host.tryLxc('delete', '--force', 'web1');
    await host.must('down');
    expect(await host.instances()).toEqual([]);
    expect(await host.lxc('profile', 'list', '--format', 'csv')).not.toContain('macvlan');
  });

  it('reuses a profile that says the same, refuses one that differs, and removes neither', async () => {
    await host.lxc('profile', 'create', 'macvlan');
    await host.lxc(
      'profile',
      'device',
      'add',
      'macvlan',
      'eth0',
      'nic',
      'nictype=macvlan',
      'parent=lan9',
      'name=eth0',
    );
    host.topology('debian-lxd-nginx.yaml');
    const refused = await host.lablb('up');
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(
      /the profile 'macvlan' is there and says something else[\s\S]*parent=lan9/,
    );
    expect(await host.instances()).toEqual([]);
    // Once for all nodes; an empty one is mended with what is hinted.
    await host.lxc('profile', 'device', 'remove', 'macvlan', 'eth0');
    const empty = await host.lablb('up', '--dry-run');
    expect(empty.status).toBe(1);
    expect(empty.stderr.match(/has no eth0/g)).toHaveLength(1);
    const add = /(profile device add macvlan .*)$/m.exec(empty.stderr)![1]!;
    await host.lxc(...add.split(' '));
    await host.must('up');
    await host.must('down');
    expect(await host.lxc('profile', 'show', 'macvlan')).toContain('parent: lan0');
  });

  it('works on the bridge, without the cron line', async () => {
    host.topology('rocky-lxd-apache.yaml', (text) => text.replace('macvlan: auto', 'macvlan: false'));
    await host.must('up');
    expect(await host.on('web1', 'ip', '-4', 'address', 'show', 'eth0')).toContain('198.18.1.');
    expect((await host.tryLxc('exec', 'web1', '-T', '--', 'crontab', '-l')).stdout).not.toContain('dhclient');
    await host.must('test', 'roundrobin');
    expect(await host.must('up')).toMatch(/nothing to do/);
  });

  it('runs either file on this machine alone', async () => {
    for (const file of ['rocky-lxd-apache.yaml', 'debian-lxd-nginx.yaml']) {
      host.topology(file);
      await host.must('up', '--provider', 'local');
      await host.must('test', 'roundrobin');
      await host.must('down');
    }
    expect(await host.instances()).toEqual([]);
  });
});

const lablb = new URL('../../bin/run.js', import.meta.url).pathname;
