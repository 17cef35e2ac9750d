import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/plan/hash.ts';
import { NOTE } from '../../../src/providers/machine/note.ts';
import { familyFor, PROBE, readProbe } from '../../../src/providers/machine/probe.ts';
import { PUSH, pushInput } from '../../../src/providers/machine/push.ts';
import type { FileSpec } from '../../../src/providers/provider.ts';

/** The scripts run for real, with a folder in the place of `/`: their paths are moved there. */
const root = mkdtempSync(join(tmpdir(), 'lablb-scripts-'));
const moved = (script: string): string => script.replaceAll(/(?<=[\s'"=(>])\/(?=etc|var|run)/g, `${root}/`);
const at = (path: string): string => join(root, path);
afterAll(() => rmSync(root, { recursive: true, force: true }));

function sh(script: string, input = '', ...args: string[]): string {
  return execFileSync('sh', ['-c', moved(script), 'sh', ...args], {
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

function push(...files: FileSpec[]): void {
  sh(PUSH, pushInput(files.map((file) => ({ ...file, path: at(file.path) }))));
}

/** PUSH, ended before the nth use of a command, as if the power went. False when it came to its end before that. */
function pushCut(command: string, nth: number, file: FileSpec): boolean {
  const cut = `n=0; ${command}() { n=$((n+1)); [ $n -ne ${nth} ] || kill -9 $$; command ${command} "$@"; }`;
  try {
    sh(`${cut}\n${PUSH}`, pushInput([{ ...file, path: at(file.path) }]));
    return false;
  } catch (error) {
    if ((error as { signal?: string }).signal !== 'SIGKILL') throw error;
    return true;
  }
}

const read = (path: string): string => readFileSync(at(path), 'utf8');
const probe = () => readProbe(sh(PROBE));

function put(path: string, content: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
}

beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(at('etc'), { recursive: true });
});

describe('push', () => {
  it('writes contents byte for byte with their modes, making folders', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    push({ path: '/etc/a/b', content: bytes, mode: 0o600 }, { path: '/etc/empty', content: '' });
    expect(readFileSync(at('/etc/a/b'))).toEqual(Buffer.from(bytes));
    expect(statSync(at('/etc/a/b')).mode & 0o777).toBe(0o600);
    expect(read('/etc/empty')).toBe('');
    expect(probe().files.get(at('/etc/a/b'))).toBe(sha256(bytes));
  });

  it('lets nobody read what is to be secret, not even while it is written', () => {
    put('/etc/k/key.lablb-new', 'left by one that was killed');
    const watch = `base64() { stat -c %a "${at('/etc/k/key.lablb-new')}" >"${at('/etc/seen')}"; command base64 "$@"; }`;
    sh(`${watch}\n${PUSH}`, pushInput([{ path: at('/etc/k/key'), content: 'secret', mode: 0o600 }]));
    expect(read('/etc/seen')).toBe('600\n');
    expect(read('/etc/k/key')).toBe('secret');
    expect(statSync(at('/etc/k')).mode & 0o777).toBe(0o755);
  });

  it('keeps what was there before the first write, once', () => {
    put('/etc/x', 'original');
    push({ path: '/etc/x', content: 'one', keepOriginal: true });
    push({ path: '/etc/x', content: 'two', keepOriginal: true });
    expect([read('/etc/x'), read('/etc/x.orig')]).toEqual(['two', 'original']);
    push({ path: '/etc/x', content: '', absent: true });
    expect(read('/etc/x')).toBe('original');
    expect(existsSync(at('/etc/x.orig'))).toBe(false);
    expect(probe().files.size).toBe(0);
  });

  const block = (text: string): FileSpec => ({
    path: '/etc/hosts',
    content: `# >>> lablb x\n${text}\n# <<< lablb x\n`,
    block: 'x',
  });

  it('replaces its block, leaves the rest, and takes only the block away', () => {
    put('/etc/hosts', '127.0.0.1 localhost');
    push(block('1.1.1.1 a'));
    push(block('2.2.2.2 b'));
    expect(read('/etc/hosts')).toBe('127.0.0.1 localhost\n# >>> lablb x\n2.2.2.2 b\n# <<< lablb x\n');
    push({ path: '/etc/hosts', content: '', absent: true });
    expect(read('/etc/hosts')).toBe('127.0.0.1 localhost');
  });

  it('writes its block where a link leads, and takes a file away that is empty without it', () => {
    put('/run/hosts', 'a\n');
    symlinkSync(at('/run/hosts'), at('/etc/hosts'));
    push(block('1.1.1.1 a'));
    expect(lstatSync(at('/etc/hosts')).isSymbolicLink()).toBe(true);
    push({ path: '/etc/hosts', content: '', absent: true });
    expect(read('/run/hosts')).toBe('a\n');
    rmSync(at('/etc/hosts'));
    push(block('1.1.1.1 a'));
    push({ path: '/etc/hosts', content: '', absent: true });
    expect(existsSync(at('/etc/hosts'))).toBe(false);
  });

  it('keeps an original that is a link, and one whose .orig is somebody else’s', () => {
    put('/run/x', 'original');
    symlinkSync(at('/run/x'), at('/etc/x'));
    put('/etc/x.orig', 'theirs');
    push({ path: '/etc/x', content: 'one', keepOriginal: true });
    push({ path: '/etc/x', content: 'two', keepOriginal: true });
    expect([read('/etc/x'), read('/run/x'), read('/etc/x.orig')]).toEqual(['two', 'original', 'theirs']);
    push({ path: '/etc/x', content: '', absent: true });
    expect(readlinkSync(at('/etc/x'))).toBe(at('/run/x'));
    expect(readdirSync(at('/etc'))).toEqual(['x', 'x.orig']);
  });

  it('can be cut short anywhere, done again and undone', () => {
    const commands = ['mv', 'cp', 'chmod', 'mkdir', 'cat', 'base64'];
    put('/etc/x', 'original');
    const spec: FileSpec = { path: '/etc/x', content: 'ours', keepOriginal: true };
    let cut = 0;
    for (const command of commands) {
      for (let nth = 1; nth < 20; nth++) {
        if (!pushCut(command, nth, spec)) break;
        cut++;
        expect(['original', 'ours']).toContain(read('/etc/x'));
        push(spec);
        expect(read('/etc/x')).toBe('ours');
        for (let again = 1; again < 20 && pushCut('mv', again, { ...spec, absent: true }); again++);
        push({ path: '/etc/x', content: '', absent: true });
        expect([read('/etc/x'), readdirSync(at('/etc'))]).toEqual(['original', ['x']]);
      }
    }
    expect(cut).toBeGreaterThan(8);
  });

  it('hashes a block alone: lines around it may change', () => {
    put('/etc/hosts', 'a\n');
    push(block('1.1.1.1 a'));
    put('/etc/hosts', `# mine\n${read('/etc/hosts')}b\n`);
    expect(probe().files.get(at('/etc/hosts'))).toBe(sha256(block('1.1.1.1 a').content));
    put('/etc/hosts', read('/etc/hosts').replace('1.1.1.1', '1.1.1.2'));
    expect(probe().files.get(at('/etc/hosts'))).not.toBe(sha256(block('1.1.1.1 a').content));
    expect(probe().pushed.get(at('/etc/hosts'))).toBe(sha256(block('1.1.1.1 a').content));
  });

  it('loses no line to a marker without its partner', () => {
    put('/etc/hosts', 'a\n# >>> lablb x\nmine\n');
    push(block('1.1.1.1 a'));
    expect(read('/etc/hosts')).toBe('a\nmine\n# >>> lablb x\n1.1.1.1 a\n# <<< lablb x\n');
  });
});

describe('probe', () => {
  it('tells a file that was removed from one that was never written', () => {
    push({ path: '/etc/gone', content: 'x' });
    rmSync(at('/etc/gone'));
    expect(probe().files.has(at('/etc/gone'))).toBe(false);
    expect(probe().pushed.get(at('/etc/gone'))).toBe(sha256('x'));
  });

  it.each([
    [['rocky', 'rhel', 'centos', 'fedora'], 'rhel'],
    [['debian'], 'debian'],
    [['linuxmint', 'ubuntu', 'debian'], 'debian'],
    [['fedora'], 'rhel'],
    [['alpine'], 'alpine'],
    [[], undefined],
  ])('os-release %j is %s', (ids, family) => {
    expect(familyFor(ids)).toBe(family);
  });

  it('reads what services were started with', () => {
    const node = readProbe(
      [
        'os rocky rhel\npkg httpd\nsvc httpd active enabled\nsvc nginx failed disabled\nsvc gone inactive ',
        'started httpd abc  /etc/a\n',
      ].join('\n'),
    );
    expect(node.family).toBe('rhel');
    expect(node.packages).toEqual(new Set(['httpd']));
    expect(node.services.get('httpd')).toMatchObject({ running: true, enabled: true });
    expect(node.services.get('httpd')?.revision).toMatch(/^[0-9a-f]{16}$/);
    for (const name of ['nginx', 'gone'])
      expect(node.services.get(name)).toEqual({ running: false, enabled: false, revision: undefined });
  });
});

describe('note', () => {
  it('writes the hashes of what a service has read', () => {
    put('/etc/conf', 'one');
    sh(NOTE, '', 'httpd', at('/etc/conf'), at('/etc/absent'));
    expect(read('/run/lablb/httpd')).toBe(`${sha256('one')}  ${at('/etc/conf')}\n`);
  });

  it('takes of a file that is not all ours the block alone', () => {
    put('/etc/hosts', 'a\n');
    const content = '# >>> lablb x\n1.1.1.1 a\n# <<< lablb x\n';
    push({ path: '/etc/hosts', content, block: 'x' }, { path: '/etc/conf', content: 'one' });
    sh(NOTE, '', 'httpd', at('/etc/conf'), at('/etc/hosts'));
    const lines = [`${sha256(content)}  ${at('/etc/hosts')}`, `${sha256('one')}  ${at('/etc/conf')}`];
    expect(read('/run/lablb/httpd')).toBe(`${lines.join('\n')}\n`);
  });
});

describe('who writes /etc/resolv.conf', () => {
  const LEASED =
    'search lan.example\nnameserver 192.0.2.1\nnameserver  fe80::1%eth0\nnameserver 2001:db8::1\n';
  const found = { nameservers: ['192.0.2.1', '2001:db8::1'], search: ['lan.example'] };

  it('is nobody or dhclient, with what is in it', () => {
    put('/etc/resolv.conf', LEASED);
    expect(probe().resolver).toMatchObject(found);
    expect(['file', 'dhclient', 'dhcpcd']).toContain(probe().resolver?.owner);
  });

  it.each([
    ['NetworkManager', 'networkmanager'],
    ['dhcpcd from eth0.dhcp', 'dhcpcd'],
  ])('is %s, by its first line', (writer, owner) => {
    put('/etc/resolv.conf', `# Generated by ${writer}\n${LEASED}`);
    expect(probe().resolver).toMatchObject({ ...found, owner });
  });

  it('is systemd-resolved, whose own list has the servers', () => {
    put('/run/systemd/resolve/stub-resolv.conf', 'nameserver 127.0.0.53\n');
    put('/run/systemd/resolve/resolv.conf', LEASED);
    symlinkSync('../run/systemd/resolve/stub-resolv.conf', at('/etc/resolv.conf'));
    expect(probe().resolver).toMatchObject({ ...found, owner: 'resolved' });
  });

  it('is a stranger, where it is a link to elsewhere', () => {
    symlinkSync('/elsewhere/resolv.conf', at('/etc/resolv.conf'));
    expect(probe().resolver).toMatchObject({
      owner: 'link',
      target: '/elsewhere/resolv.conf',
      nameservers: [],
    });
  });

  it('is told by the original while the file is the lab’s, and a link comes back as a link', () => {
    put('/run/NetworkManager/resolv.conf', LEASED);
    symlinkSync('../run/NetworkManager/resolv.conf', at('/etc/resolv.conf'));
    push({ path: '/etc/resolv.conf', content: 'nameserver 198.51.100.5\n', keepOriginal: true });
    expect(read('/etc/resolv.conf')).toBe('nameserver 198.51.100.5\n');
    expect(read('/run/NetworkManager/resolv.conf')).toBe(LEASED);
    // The record's name has the path of the moved root in it.
    put('/var/lib/lablb/pushed/etc:resolv.conf', '');
    expect(probe().resolver).toMatchObject({ ...found, owner: 'networkmanager' });
    push({ path: '/etc/resolv.conf', content: '', absent: true });
    expect(readlinkSync(at('/etc/resolv.conf'))).toBe('../run/NetworkManager/resolv.conf');
  });
});
