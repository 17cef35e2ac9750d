import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driftOf, Host, type Status } from './support.ts';

describe('the other verbs, on LXD', () => {
  const host = new Host();
  beforeAll(async () => {
    writeFileSync(join(host.folder, 'motd'), 'welcome\n');
    host.topology('debian-lxd-nginx.yaml', (text) =>
      text.replace(
        '  web1:\n',
        `  web1:
    packages: [tree]
    profiles: [extra]
    limits: { cpu: 1 }
    files:
      /etc/motd: { from: motd, mode: '0600' }
      /srv/note: "inline"
    commands: ['echo ran >>/root/ran', 'test "$(cat /srv/note)" = inline']
`,
      ),
    );
    await host.lxc('profile', 'create', 'extra');
    await host.must('up');
  });
  afterAll(() => host.close());

  it('gives a node its own packages, profiles, limits, files and commands', async () => {
    expect((await host.on('web1', 'which', 'tree')).trim()).toBe('/usr/bin/tree');
    const config = await host.lxc('config', 'show', 'web1');
    expect(config).toMatch(/profiles:\n- default\n- macvlan\n- extra\n/);
    expect(config).toMatch(/limits\.cpu: "1"/);
    expect(await host.on('web1', 'cat', '/etc/motd')).toBe('welcome\n');
    expect((await host.on('web1', 'stat', '-c', '%a', '/etc/motd')).trim()).toBe('600');
    expect(await host.on('web1', 'cat', '/root/ran')).toBe('ran\n');
    expect(await host.must('up')).toMatch(/nothing to do/);
    expect(await driftOf(host)).toEqual([]);
  });

  it('runs the commands again when they change, not when the node restarts', async () => {
    await host.must('restart', 'web1');
    expect(await host.on('web1', 'cat', '/root/ran')).toBe('ran\n');
    host.edit((text) => text.replace('echo ran', 'echo again'));
    await host.must('up');
    expect(await host.on('web1', 'cat', '/root/ran')).toBe('ran\nagain\n');
    host.edit((text) => text.replace('echo again >>/root/ran', 'echo on the way; false'));
    const failed = await host.lablb('up');
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/web1[\s\S]*on the way/);
    host.edit((text) => text.replace('echo on the way; false', 'echo again >>/root/ran'));
    await host.must('up');
  });

  it('goes back to a snapshot', async () => {
    await host.must('snapshot', 'before');
    expect(await host.must('snapshot', '--list')).toBe('before\n');
    await host.on('web1', 'sh', '-c', 'echo gone >/var/www/html/index.html');
    await host.on('proxyha', 'rm', '-r', '/etc/haproxy');
    expect(await driftOf(host)).not.toEqual([]);
    await host.must('restore', 'before');
    await host.must('up'); // addresses may be others
    expect(await host.on('web1', 'cat', '/var/www/html/index.html')).toContain('SITE1');
    await host.must('test', 'roundrobin');
    expect(await driftOf(host)).toEqual([]);
  });

  it('refuses a snapshot that is not there, and a name that is none', async () => {
    const unknown = await host.lablb('restore', 'never');
    expect(unknown).toMatchObject({ status: 2 });
    expect(unknown.stderr).toMatch(/no snapshot 'never'[\s\S]*there are: before/);
    expect(await host.lablb('snapshot', '--', '--all')).toMatchObject({ status: 2 });
  });

  it('restarts a node, and everything on it comes back', async () => {
    const booted = await host.on('web1', 'cat', '/proc/1/stat');
    await host.must('restart', 'web1');
    expect(await host.on('web1', 'cat', '/proc/1/stat')).not.toBe(booted);
    await expect
      .poll(async () => (await host.lablb('test', 'roundrobin')).status, { timeout: 60_000, interval: 1000 })
      .toBe(0);
  });

  it('says that a node does not run, wherever it is asked for, and starts it', async () => {
    await host.lxc('stop', '--force', 'web1');
    const status = await host.must('status');
    expect(status).toMatch(/web1 +stopped/);
    expect(status.match(/✖.*/g)).toEqual(['✖ web1: start, because it is not running']);
    for (const args of [
      ['exec', 'web1', '--', 'true'],
      ['logs', 'web1'],
      ['shell', 'web1'],
    ])
      expect(await host.lablb(...args)).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(/^✖ web1: the node is not running\n {4}try: lablb up/),
      });
    const up = await host.must('up');
    expect(up).toMatch(/web1 +start +because it is not running/);
    expect(up).not.toMatch(/install|not there yet/);
    expect(await driftOf(host)).toEqual([]);
  });

  it('puts the sites into a hosts file, and takes them out again', async () => {
    const [lab] = await host.json<Status[]>('status');
    const address = lab!.nodes.find(({ name }) => name === 'proxyha')!.address;
    const lines = `${address}  site1.testdomain.com site1\n${address}  site2.testdomain.com site2\n`;
    expect(await host.must('hosts')).toBe(lines);
    const file = join(host.folder, 'hosts');
    const before = '127.0.0.1 localhost\n# mine\n';
    writeFileSync(file, before, { mode: 0o640 });
    await host.must('hosts', '--write', '--file', file);
    expect(readFileSync(file, 'utf8')).toBe(
      `${before}# >>> lablb debian-lxd-nginx\n${lines}# <<< lablb debian-lxd-nginx\n`,
    );
    expect(await host.must('hosts', '--write', '--file', file)).toContain('nothing to do');
    await host.must('hosts', '--remove', '--file', file);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('runs commands and shows logs', async () => {
    expect(await host.must('exec', 'web1', '--', 'hostname')).toBe('web1\n');
    expect((await host.lablb('exec', 'web1', '--', 'sh', '-c', 'exit 7')).status).toBe(7);
    expect(await host.must('logs', 'proxyha')).toMatch(/http_frontend/);
  });
});
