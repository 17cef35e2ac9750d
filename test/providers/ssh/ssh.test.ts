import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/plan/hash.ts';
import { SshProvider } from '../../../src/providers/ssh/ssh.ts';
import { parseTopology } from '../../../src/topology/parse.ts';
import type { Topology } from '../../../src/topology/topology.ts';
import { needs, tellSkipped, which } from '../../support/needs.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';

/**
 * A machine of its own as far as files go: sshd in a mount namespace, with a copy of /etc and an empty /var/lib. (It has
 * no systemd: services are for the tests against containers.)
 */
const ROOT = `
mount --make-rprivate /
mkdir -p "$1/lib/dpkg" && cp -a /etc "$1/etc"
mount --bind /var/lib/dpkg "$1/lib/dpkg" && mount --rbind "$1/lib" /var/lib && mount --bind "$1/etc" /etc || exit 1
shift
exec "$@"`;

describe.skipIf(!needs('sshd') || !canUnshare())('SshProvider, on a machine behind a real sshd', () => {
  let sshd: Sshd;
  let etc: string;
  let topology: Topology;
  let provider: SshProvider;
  beforeAll(async () => {
    sshd = await startSshd({
      wrap: (folder, argv) => ['unshare', '-m', 'sh', '-c', ROOT, 'sh', folder, ...argv],
    });
    etc = join(sshd.folder, 'etc');
  }, 30_000);
  afterAll(() => sshd?.stop());
  beforeEach(() => {
    rmSync(join(sshd.folder, 'lib', 'lablb'), { recursive: true, force: true });
    topology = lab('x', sshd);
    provider = new SshProvider(topology);
  });
  const spec = (of = topology) => ({ ...of.nodes[0]!, lab: of.name });
  const observed = async () => (await provider.observe(topology.name)).nodes;

  it('shows nothing where nothing is, leaves no trace of looking, and takes away what is not there', async () => {
    const before = fingerprints(sshd.folder);
    expect((await observed()).size).toBe(0);
    await provider.destroy('web1');
    expect(fingerprints(sshd.folder)).toEqual(before);
  });

  it('works on no machine that it has not marked', async () => {
    await expect(provider.exec('web1', ['true'])).rejects.toThrow('not there');
    await expect(provider.push('web1', { path: '/etc/a', content: '' })).rejects.toThrow('not there');
    expect(existsSync(join(etc, 'a'))).toBe(false);
  });

  it('marks a machine, once, and knows its system, packages and files', async () => {
    await provider.create(spec());
    await provider.push('web1', { path: '/etc/lablb/a', content: "it's $HOME\n", mode: 0o640 });
    await provider.create(spec());
    const node = (await observed()).get('web1')!;
    expect(node).toMatchObject({ state: 'running', address: '192.0.2.1', family: 'debian' });
    expect(node.packages).toContain('openssh-server');
    expect(node.files.get('/etc/lablb/a')).toBe(sha256("it's $HOME\n"));
    expect(readFileSync(join(etc, 'lablb/a'), 'utf8')).toBe("it's $HOME\n");
    expect(lstatSync(join(etc, 'lablb/a')).mode & 0o777).toBe(0o640);
    expect(readdirSync(join(etc, 'lablb'))).toEqual(['a']);
    rmSync(join(etc, 'lablb'), { recursive: true });
  });

  it('brings large files from where they are', async () => {
    await provider.create(spec());
    const source = join(sshd.folder, 'engine');
    writeFileSync(source, Buffer.alloc(3_000_000, 7));
    const hash = createHash('sha256').update(readFileSync(source)).digest('hex');
    await provider.push('web1', { path: '/etc/engine', content: '', source, sha256: hash, mode: 0o755 });
    expect((await observed()).get('web1')!.files.get('/etc/engine')).toBe(hash);
    expect(lstatSync(join(etc, 'engine')).mode & 0o777).toBe(0o755);
    await provider.destroy('web1');
    expect(existsSync(join(etc, 'engine'))).toBe(false);
  });

  it('tells a change by hand from one of its own', async () => {
    await provider.create(spec());
    await provider.push('web1', { path: '/etc/a', content: 'a' });
    writeFileSync(join(etc, 'a'), 'b');
    const node = (await observed()).get('web1')!;
    expect(node.files.get('/etc/a')).toBe(sha256('b'));
    expect(node.pushed.get('/etc/a')).toBe(sha256('a'));
    await provider.destroy('web1');
  });

  it('puts every file back as it was', async () => {
    writeFileSync(join(etc, 'lablb-before.conf'), 'as it was\n', { mode: 0o600 });
    const before = fingerprints(sshd.folder);
    await provider.create(spec());
    const block = '# >>> lablb x\n192.0.2.9 web9\n# <<< lablb x\n';
    await provider.pushAll('web1', [
      { path: '/etc/lablb-before.conf', content: 'ours\n' },
      { path: '/etc/lablb-new.conf', content: 'new\n' },
      { path: '/etc/lablb-folder/a/b/new', content: 'new\n' },
      { path: '/etc/hosts', content: block, block: 'x', keepOriginal: true },
    ]);
    await provider.push('web1', { path: '/etc/lablb-before.conf', content: 'ours, changed\n' });
    expect(readFileSync(join(etc, 'hosts'), 'utf8')).toContain('192.0.2.9 web9');
    expect(fingerprints(sshd.folder)).not.toEqual(before);
    await provider.destroy('web1');
    expect(fingerprints(sshd.folder)).toEqual(before);
    await expect(provider.exec('web1', ['true'])).rejects.toThrow('not there');
    await provider.destroy('web1');
  });

  it('takes away folders that services made, once they are empty', async () => {
    await provider.create(spec());
    await provider.push('web1', {
      path: '/etc/lablb-unit',
      content: 'unit\n',
      folders: ['/var/lib/made/by/it', '/var/lib/used'],
    });
    await provider.exec('web1', ['mkdir', '-p', '/var/lib/made/by/it', '/var/lib/used/data']);
    await provider.destroy('web1');
    const lib = join(sshd.folder, 'lib');
    expect(existsSync(join(lib, 'made'))).toBe(false);
    expect(existsSync(join(lib, 'used', 'data'))).toBe(true);
    rmSync(join(lib, 'used'), { recursive: true });
  });

  it('leaves a note of packages that stay, and of folders that they keep it from taking away', async () => {
    await provider.create(spec());
    await provider.push('web1', { path: '/etc/lablb-kept/a', content: 'a' });
    await provider.exec('web1', [
      'sh',
      '-c',
      'echo dpkg >/var/lib/lablb/packages; : >/etc/lablb-kept/theirs',
    ]);
    expect(await provider.destroy('web1')).toEqual({ packages: ['dpkg'] });
    const left = join(sshd.folder, 'lib', 'lablb');
    expect(readdirSync(left).sort()).toEqual(['packages', 'traces']);
    expect(readFileSync(join(left, 'packages'), 'utf8')).toMatch(/^# What lablb installed here.*\ndpkg\n$/);
    expect(readFileSync(join(left, 'traces'), 'utf8')).toBe('d /etc/lablb-kept\n');
    expect((await observed()).size).toBe(0);
    rmSync(join(etc, 'lablb-kept'), { recursive: true });
  });

  it('gives back a machine that the topology no longer has', async () => {
    const before = fingerprints(sshd.folder);
    await provider.create(spec());
    await provider.push('web1', { path: '/etc/lablb-new.conf', content: 'new\n' });
    const { ssh } = topology;
    const former = topology.nodes.map((node) => ({
      ...node,
      extra: { ssh: { ...ssh, ...(node.extra.ssh as object) } },
    }));
    const smaller = new SshProvider(
      { ...topology, nodes: [], ssh: { knownHostsFile: ssh?.knownHostsFile } },
      former,
    );
    expect((await smaller.observe('x')).nodes.get('web1')!.state).toBe('running');
    await smaller.destroy('web1');
    expect(fingerprints(sshd.folder)).toEqual(before);
    expect((await smaller.observe('x')).nodes.size).toBe(0);
  });

  it('knows a machine by its mark: a node’s old one under a new address, and one that two nodes swap', async () => {
    await provider.create(spec());
    const knownHosts = join(sshd.folder, 'known_hosts.both');
    const line = readFileSync(sshd.knownHosts, 'utf8');
    writeFileSync(knownHosts, line + line.replace('127.0.0.1', 'localhost'));
    const here = lab('x', { ...sshd, knownHosts });
    const [web1] = here.nodes;
    const { mark } = (await observed()).get('web1')!;
    expect(mark).toMatch(/^[0-9a-f-]{36}$/);
    const old = (name: string, host: string, of: Partial<typeof web1> & { mark?: string } = {}) => ({
      ...web1!,
      name,
      extra: { ssh: { ...here.ssh, ...(web1!.extra.ssh as object), host } },
      ...of,
    });
    const states = async (nodes: typeof here.nodes, former: ReturnType<typeof old>[]) => {
      const seen = (await new SshProvider({ ...here, nodes }, former).observe('x')).nodes;
      return Object.fromEntries([...seen].map(([name, { state }]) => [name, state]));
    };
    expect(await states([web1!], [old('web1@localhost', 'localhost')])).toEqual({ web1: 'running' });
    await new SshProvider(here, [old('web1@localhost', 'localhost')]).destroy('web1@localhost');
    expect((await observed()).get('web1')!.state).toBe('running');
    // Its old address does not answer: nothing is left behind, if the mark is known.
    const silent = { ssh: { ...here.ssh, host: '127.0.0.1', port: 1 } };
    expect(await states([web1!], [old('web1@b', '', { extra: silent, mark })])).toEqual({ web1: 'running' });
    for (const unknown of ['', 'another'])
      expect(await states([web1!], [old('web1@b', '', { extra: silent, mark: unknown })])).toEqual({
        web1: 'running',
        'web1@b': 'unreachable',
      });
    // It was web1's and is to be web2's: web1's old machine first, then nobody's.
    const web2 = { ...web1!, name: 'web2' };
    expect(await states([web2], [])).toEqual({ web2: 'foreign' });
    const swapped = old('web1@127.0.0.1', '127.0.0.1');
    expect(await states([web2], [swapped])).toEqual({ 'web1@127.0.0.1': 'running' });
    await new SshProvider({ ...here, nodes: [web2] }, [swapped]).destroy('web1@127.0.0.1');
    expect((await observed()).size).toBe(0);
  });

  it('leaves the machine of another lab alone', async () => {
    await provider.create(spec());
    const other = lab('other', sshd);
    const rival = new SshProvider(other);
    expect((await rival.observe('other')).nodes.get('web1')!.state).toBe('foreign');
    const message = 'belongs to another lab (x, as web1)';
    await expect(rival.create(spec(other))).rejects.toThrow(message);
    await expect(rival.push('web1', { path: '/etc/a', content: '' })).rejects.toThrow(message);
    await expect(rival.exec('web1', ['true'])).rejects.toThrow(message);
    await expect(rival.destroy('web1')).rejects.toThrow('belongs to another lab');
    expect((await observed()).get('web1')!.state).toBe('running');
    await provider.destroy('web1');
  });

  it('says which node it is that cannot be reached', async () => {
    const away = new SshProvider(lab('x', { ...sshd, key: join(sshd.folder, 'other') }));
    expect((await away.observe('x')).nodes.get('web1')).toMatchObject({
      state: 'unreachable',
      problem: expect.stringContaining('takes none of the keys and passwords there are'),
    });
    expect(await away.foresee(['web1'])).toMatchObject([{ fields: { node: 'web1', code: 'ssh.auth' } }]);
    await expect(away.create(spec())).rejects.toMatchObject({ fields: { node: 'web1', code: 'ssh.auth' } });
  });

  it.skipIf(which('sudo'))('says that there is no sudo', async () => {
    const user = new SshProvider(lab('x', sshd, ', sudo: true'));
    await expect(user.create(spec())).rejects.toMatchObject({ fields: { node: 'web1', code: 'ssh.sudo' } });
  });
});

/** One web node at the sshd; its proxy is never asked. */
function lab(name: string, sshd: Pick<Sshd, 'port' | 'user' | 'key' | 'knownHosts'>, more = ''): Topology {
  const text = `
name: ${name}
provider: ssh
ssh: { user: ${sshd.user}, key: ${sshd.key}, knownHostsFile: ${sshd.knownHosts} }
nodes:
  web1: { address: 192.0.2.1, ssh: { host: 127.0.0.1, port: ${sshd.port}${more} } }
  proxyha: { address: 192.0.2.2 }
`;
  const topology = parseTopology(text, { file: `${name}.lab.yaml`, env: {} });
  return { ...topology, nodes: topology.nodes.slice(0, 1) };
}

/** Kind, mode and content of everything in the machine's /etc and of lablb's own folder. */
function fingerprints(root: string): Map<string, string> {
  const all = new Map<string, string>();
  const walk = (path: string): void => {
    const stat = lstatSync(path);
    const content = stat.isSymbolicLink()
      ? readlinkSync(path)
      : stat.isFile()
        ? sha256(readFileSync(path))
        : '';
    all.set(path, `${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${content}`);
    if (stat.isDirectory()) for (const name of readdirSync(path)) walk(join(path, name));
  };
  walk(join(root, 'etc'));
  if (existsSync(join(root, 'lib', 'lablb'))) walk(join(root, 'lib', 'lablb'));
  return all;
}

function canUnshare(): boolean {
  if (spawnSync('unshare', ['-m', 'mount', '--make-rprivate', '/']).status === 0) return true;
  const reason = 'this user may not make mount namespaces (unshare -m)';
  if (process.env.LABLB_TEST_ALL === '1') throw new Error(reason);
  tellSkipped(reason);
  return false;
}
