import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { sandboxScript } from './sandbox.ts';
import { driftOf, Host, LABLB, ROOT } from './support.ts';

const LAB = `name: bad
provider: lxd
lxd: { image: images:debian/12 }
nodes: { web1: { server: nginx } }
`;

/** Each refusal says what is wrong and what to do about it; nothing is left behind. */
describe('bad input on a real daemon', () => {
  let host: Host;
  beforeEach(() => {
    host = new Host();
    host.write(LAB);
  });
  afterEach(() => host.close());

  const lxd = (more: string): void => host.edit((text) => text.replace('debian/12', `debian/12, ${more}`));

  it('nothing: the doctor finds all that is needed', async () => {
    const said = await host.must('doctor', 'lxd');
    expect(said).not.toMatch(/[✖○]/);
    expect(said).toMatch(/✔ {2}storage pool +default/);
    expect(said).toMatch(/✔ {2}parent for macvlan +lan0;/);
    expect(said).toContain('images:rockylinux/8 is to be had');
  });

  it('no client', async () => {
    const up = await host.run('env', 'PATH=/nowhere', process.execPath, LABLB, 'up');
    expect(up).toMatchObject({ status: 3, stdout: '' });
    expect(up.stderr).toMatch(
      /^✖ neither lxc nor incus is installed\n {4}try: snap install lxd[\s\S]*--provider local/,
    );
  });

  it('no daemon', async () => {
    const empty = ['LXD_DIR', 'INCUS_DIR'].map((name) => `${name}=${host.folder}`);
    const up = await host.run('env', '-u', 'INCUS_SOCKET', ...empty, process.execPath, LABLB, 'up');
    expect(up.status).toBe(3);
    const doctor = await host.run('env', ...empty, process.execPath, LABLB, 'doctor', 'lxd');
    expect(doctor.status).toBe(3);
    expect(doctor.stdout).toMatch(/✖ {2}its daemon +the daemon does not answer: sudo systemctl start/);
    const daemon = inject('client') === 'incus' ? 'incus' : 'lxd';
    expect(up.stderr).toMatch(/^✖ the daemon does not answer\n/);
    expect(up.stderr).toContain(`sudo systemctl start ${daemon}`);
  });

  it('a user who is not in the group', async () => {
    // Whoever it is may not get through to where this clone and Node are.
    const [clone, node] = [join(host.folder, 'clone'), join(host.folder, 'node')];
    mkdirSync(clone);
    writeFileSync(node, '');
    chmodSync(host.folder, 0o755);
    for (const [from, to] of [
      [ROOT, clone],
      [process.execPath, node],
    ] as const)
      expect((await host.run('mount', '--bind', from, to)).status).toBe(0);
    const state = join(host.folder, 'of-nobody');
    mkdirSync(state);
    chownSync(state, 65534, 65534);
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const env = ['env', `XDG_STATE_HOME=${state}`, `HOME=${state}`];
    const up = await host.run(...nobody, ...env, node, join(clone, 'bin', 'run.js'), 'up');
    for (const path of [clone, node]) await host.run('umount', path);
    expect(up.status).toBe(3);
    expect(up.stderr).toMatch(/^✖ you may not talk to the daemon\n/);
    expect(up.stderr).toContain(
      `sudo usermod -aG ${inject('client') === 'incus' ? 'incus-admin' : 'lxd'} "$USER"`,
    );
  });

  it.each([
    ['image', 'no: debian/99', /the image is not to be had[\s\S]*image list/],
    ['remote of an image', 'no: nowhere:debian/12', /there is no such remote[\s\S]*remote list/],
    ['remote', 'remote: nowhere', /there is no such remote[\s\S]*remote list/],
    ['project', 'project: nowhere', /there is no such project[\s\S]*project list/],
    ['cluster member', 'target: nowhere', /there is no such member of the cluster[\s\S]*cluster list/],
    ['pool', 'storage: nowhere', /there is no storage for it[\s\S]*storage list/],
    ['profile', 'profiles: [default, nowhere]', /profile[\s\S]*nowhere/i],
    ['interface', 'macvlan: nosuch0', /the interface for macvlan is not there[\s\S]*nosuch0[\s\S]*ip link/],
  ])('a %s that is not there', async (what, setting, message) => {
    if (setting.startsWith('no: '))
      host.edit((text) =>
        text.replace('images:debian/12', setting.slice(4).replace(/^debian/, 'images:debian')),
      );
    else lxd(setting);
    if (/^image|^interface/.test(what)) {
      const dry = await host.lablb('up', '--dry-run');
      expect(dry.status).toBe(1);
      expect(dry.stderr).toMatch(/✖ web1, proxyha: the (?:image|interface)/);
      expect(dry.stdout).toMatch(/nothing was touched/);
    }
    const up = await host.lablb('up');
    expect(up.status).not.toBe(0);
    expect(up.stderr).toMatch(message);
    expect(up.stderr).not.toMatch(/\{\w+\}/);
    if (!setting.startsWith('remote')) await host.must('down');
    expect(await host.instances()).toEqual([]);
  });

  it('a name that is taken by an instance that is not ours: it is never touched', async () => {
    await host.lxc('init', '--quiet', 'debian/12', 'web1');
    const up = await host.lablb('up');
    expect(up.status).not.toBe(0);
    expect(up.stderr).toMatch(/web1: something of that name is there already, and lablb did not make it/);
    expect(await host.instances()).toEqual(['web1']);
    await host.lablb('down', '--name', 'bad');
    expect(await host.instances()).toEqual(['web1']);
  });

  it('no answer of the DHCP server: one node waits in vain, the rest comes as far as it can, a later up goes on', async () => {
    host.topology('debian-lxd-nginx.yaml');
    try {
      dhcp('--dhcp-host=web2,ignore');
      const up = await host.lablb('up');
      expect(up.status).toBe(1);
      expect(up.stderr).toMatch(
        /^✖ web2: no address after 30 s\n {4}waited for an IPv4 address on eth0 \(macvlan on lan0\)\n {4}the DHCP server of that LAN did not answer; Wi-Fi/,
      );
      expect(up.stderr).toMatch(
        /try: lablb doctor lxd\n[\s\S]*exec web2 -- dhclient -v eth0\n[\s\S]*macvlan: false/,
      );
      // The balancer waits: it would refuse to start with a server whose name leads nowhere.
      expect(up.stdout).toContain('the other node is up; run `lablb up` again to go on');
    } finally {
      dhcp();
    }
    await host.must('up');
    await host.must('test', 'roundrobin');
    expect(await driftOf(host)).toEqual([]);
    await host.must('down');
    expect(await host.instances()).toEqual([]);
  });

  it('a disk that is full: of the pool, and of a node that files are pushed to', async () => {
    await host.lxc('storage', 'create', 'tiny', 'btrfs', 'size=150MiB');
    try {
      lxd('storage: tiny');
      const up = await host.lablb('up');
      expect(up.stderr).toMatch(/✖ web1: the disk is full[\s\S]*No space left[\s\S]*storage info/i);
      await host.must('down');
    } finally {
      await host.tryLxc('storage', 'delete', 'tiny');
    }

    host.write(LAB);
    await host.must('up');
    await host.on('web1', 'mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', '/srv');
    await host.on('proxyha', 'mount', '-t', 'tmpfs', '-o', 'size=20M', 'tmpfs', '/usr/local/sbin');
    writeFileSync(join(host.folder, 'large'), 'x'.repeat(200_000));
    host.edit((text) =>
      text.replace('server: nginx', 'server: nginx, files: { /srv/large: { from: large } }'),
    );
    const up = await host.lablb('up');
    expect(up.status).toBe(1);
    expect(up.stderr).toMatch(/✖ web1: the disk is full\n[\s\S]*No space left[\s\S]*try: /);
    expect(up.stderr).toMatch(/✖ proxyha: the disk is full\n[\s\S]*lablb-proxy[\s\S]*try: /);
    await host.on('web1', 'umount', '/srv');
    await host.on('proxyha', 'umount', '/usr/local/sbin');
    await host.must('up');
    expect(await driftOf(host)).toEqual([]);
  });

  it('a virtual machine on a host that cannot run one', async () => {
    host.edit((text) => text.replace('server: nginx', 'server: nginx, vm: true'));
    const up = await host.lablb('up');
    expect(up.status).not.toBe(0);
    // There is no such image for one either, so the client gets no further than to ask for it.
    expect(up.stderr).toMatch(/✖ web1: the image is not to be had\n.* image info images:debian\/12 --vm /);
    await host.must('down');
    expect(await host.instances()).toEqual([]);
  });

  const dhcp = (...options: string[]): void => sandboxScript('dhcp.sh', host.sandbox, ...options);
});
