import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allowancesFor, allowing, FORBID, forbidding, LOOK_AT_GUARDS } from '../../src/os/guards.ts';
import { readProbe } from '../../src/providers/machine/probe.ts';
import { needs, tellSkipped, which } from '../support/needs.ts';

/**
 * The scripts run for real, in a folder in the place of `/`; firewalls and SELinux are programs that write down what is
 * asked of them, but for nft. (Real firewalls: test/lxd/ssh.e2e.ts. A kernel with SELinux is not to be had there.)
 */
let root: string;
const moved = (text: string): string => text.replaceAll(/(?<=[\s'"=(>])\/(?=etc|var|usr)/g, `${root}/`);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lablb-guards-'));
  mkdirSync(join(root, 'bin'));
  program('systemctl', '[ "$2" = -q ] && [ -e "$ROOT/active-$3" ]');
  program('nft', 'exit 1');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function program(name: string, script: string): void {
  writeFileSync(join(root, 'bin', name), `#!/bin/sh\nROOT=${root}\n${script}\n`);
  chmodSync(join(root, 'bin', name), 0o755);
}

function sh(argv: readonly string[]): string {
  const [, flag, script, ...rest] = argv;
  const env = { ...process.env, PATH: `${join(root, 'bin')}:${process.env.PATH}` };
  return execFileSync('sh', [flag!, moved(script!), ...rest], { encoding: 'utf8', env });
}

const look = () => readProbe(sh(['sh', '-c', `address=\n${LOOK_AT_GUARDS}`, 'sh']));
const seen = (name: string) => {
  const { allows, given } = look().guards!.get(name)!;
  return [[...allows].sort(), [...given].sort()];
};
const put = (path: string, text: string): void => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
};
const said = (): string[] => readFileSync(join(root, 'said'), 'utf8').trim().split('\n');

describe('SELinux', () => {
  beforeEach(() => {
    program('getenforce', 'echo Enforcing');
    program('getsebool', '[ -e "$ROOT/on" ] && echo "$1 --> on" || echo "$1 --> off"');
    program(
      'setsebool',
      'echo "setsebool $*" >>"$ROOT/said"; [ "$3" = on ] && : >"$ROOT/on" || rm -f "$ROOT/on"',
    );
    program('stat', '[ "$1" != -c ] || [ "$2" != %C ] && exec /usr/bin/stat "$@"; cat "$3.context"');
    program(
      'restorecon',
      'echo "restorecon $*" >>"$ROOT/said"; [ ! -e "$ROOT/rule" ] || echo u:r:bin_t:s0 >"$2.context"',
    );
    program(
      'semanage',
      'echo "semanage $*" >>"$ROOT/said"; [ "$2" = -a ] && : >"$ROOT/rule" || rm -f "$ROOT/rule"',
    );
  });
  const engine = (): string => join(root, 'usr/local/sbin/lablb-proxy');

  it('lets HAProxy connect, once, and takes that back', () => {
    expect(seen('selinux')).toEqual([[], []]);
    sh(allowing('selinux', 'haproxy_connect_any'));
    sh(allowing('selinux', 'haproxy_connect_any'));
    expect(seen('selinux')).toEqual([['haproxy_connect_any'], ['haproxy_connect_any']]);
    sh(['sh', '-c', FORBID, 'sh']);
    expect(said().at(-1)).toBe('setsebool -P haproxy_connect_any off');
    expect(seen('selinux')).toEqual([[], []]);
    expect(existsSync(join(root, 'var/lib/lablb/allowed'))).toBe(false);
  });

  it('gives our program the type of one where the policy does not, and forgets that again', () => {
    put('usr/local/sbin/lablb-proxy', '');
    put('usr/local/sbin/lablb-proxy.context', 'u:r:usr_t:s0\n');
    sh(allowing('selinux', `bin_t:${engine()}`));
    expect(said()).toEqual([
      `restorecon -F ${engine()}`,
      `semanage fcontext -a -t bin_t ${engine()}`,
      `restorecon -F ${engine()}`,
    ]);
    expect(seen('selinux')).toEqual([[`bin_t:${engine()}`], [`bin_t:${engine()}`]]);
    sh(['sh', '-c', FORBID, 'sh']);
    expect(said().at(-1)).toBe(`semanage fcontext -d ${engine()}`);
  });

  it('notes nothing where the policy knows the program', () => {
    put('usr/local/sbin/lablb-proxy', '');
    put('usr/local/sbin/lablb-proxy.context', 'u:r:bin_t:s0\n');
    sh(allowing('selinux', `bin_t:${engine()}`));
    expect(seen('selinux')).toEqual([[`bin_t:${engine()}`], []]);
  });

  it('is left alone where it is not enforcing', () => {
    program('getenforce', 'echo Permissive');
    expect(look().guards!.size).toBe(0);
  });
});

describe('ufw', () => {
  beforeEach(() => program('ufw', 'echo "ufw $*" >>"$ROOT/said"; [ ! -e "$ROOT/broken" ]'));

  it('is known by its rules: single ports, lists, ranges, applications, limits', () => {
    put('etc/ufw/ufw.conf', 'ENABLED=yes\n');
    put(
      'etc/ufw/user.rules',
      `### tuple ### limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### allow any 53 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 Nginx%20Full - in
### tuple ### allow tcp 8000:8002 0.0.0.0/0 any 0.0.0.0/0 in comment=6c
### tuple ### allow tcp 81 0.0.0.0/0 any 192.0.2.1 in
### tuple ### deny tcp 82 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### allow tcp 83 0.0.0.0/0 any 0.0.0.0/0 out
`,
    );
    const ports = ['22/tcp', '443/tcp', '53/tcp', '53/udp', '80/tcp', '8000/tcp', '8001/tcp', '8002/tcp'];
    expect(seen('ufw')[0]).toEqual(ports);
    put('etc/default/ufw', 'DEFAULT_INPUT_POLICY="ACCEPT"\n');
    expect(seen('ufw')[0]).toContain('*');
    put('etc/ufw/ufw.conf', 'ENABLED=no\n');
    expect(look().guards!.size).toBe(0);
  });

  it('closes just what was opened, and knows what could not be closed', () => {
    put('etc/ufw/ufw.conf', 'ENABLED=yes\n');
    sh(allowing('ufw', '80/tcp'));
    sh(allowing('ufw', '8080/tcp'));
    sh(forbidding('ufw', '80/tcp'));
    expect(seen('ufw')[1]).toEqual(['8080/tcp']);
    put('broken', '');
    expect(() => sh(['sh', '-c', FORBID, 'sh'])).toThrow('not taken back: 8080/tcp in ufw;');
    rmSync(join(root, 'broken'));
    sh(['sh', '-c', FORBID, 'sh']);
    expect(seen('ufw')[1]).toEqual([]);
    expect(said()).toEqual([
      'ufw allow 80/tcp',
      'ufw allow 8080/tcp',
      'ufw --force delete allow 80/tcp',
      'ufw --force delete allow 8080/tcp',
      'ufw --force delete allow 8080/tcp',
    ]);
  });
});

describe('firewalld', () => {
  beforeEach(() => {
    put('active-firewalld', '');
    program('ip', 'echo "default via 192.0.2.1 dev eth7 proto dhcp"');
    program(
      'firewall-cmd',
      `case "$*" in
*--get-zone-of-interface=eth7) echo home ;;
*--zone=home\\ --list-all) printf 'home (active)\\n  target: %s\\n  services: ssh web\\n  ports: 8000-8001/tcp 53/udp\\n' "$(cat $ROOT/target)" ;;
*) exit 1 ;;
esac`,
    );
    put('target', 'default');
  });

  it('is known by the ports and the services of the zone of the way out', () => {
    put('usr/lib/firewalld/services/ssh.xml', '<service><port protocol="tcp" port="22"/></service>');
    put('usr/lib/firewalld/services/web.xml', '<service><port protocol="tcp" port="80"/></service>');
    put(
      'etc/firewalld/services/web.xml',
      '<service>\n<port port="80" protocol="tcp"/><port port="443" protocol="tcp"/>\n',
    );
    expect(seen('firewalld')[0]).toEqual(['22/tcp', '443/tcp', '53/udp', '80/tcp', '8000/tcp', '8001/tcp']);
    put('target', 'ACCEPT');
    expect(seen('firewalld')[0]).toContain('*');
  });
});

/** The real nft, in a network namespace of its own. */
describe.skipIf(!needs('nft') || !canUnshare())('nftables', () => {
  let holder: ChildProcess;
  beforeEach(async () => {
    holder = spawn('unshare', ['-n', 'sh', '-c', 'echo; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(holder.stdout!, 'data');
    program('nft', `exec nsenter -t ${holder.pid} -n ${which('nft')} "$@"`);
    program('systemctl', 'echo "systemctl $*" >>"$ROOT/said"; [ "$1" = daemon-reload ]');
    mkdirSync(join(root, 'etc/systemd/system'), { recursive: true });
  });
  afterEach(() => void holder.kill());

  const nft = (...args: string[]): string => execFileSync(join(root, 'bin/nft'), args, { encoding: 'utf8' });
  const load = (text: string): void => {
    put('rules.nft', `flush ruleset\n${text}`);
    nft('-f', join(root, 'rules.nft'));
  };
  const input = (rules: string, { table = 'inet mine', policy = 'drop' } = {}): string =>
    `table ${table} {\n chain input {\n type filter hook input priority 0; policy ${policy};\n${rules}\n}\n}\n`;
  /** The rules of `chain input`, as they are listed. */
  const rules = (): string[] =>
    nft('-s', 'list', 'ruleset')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => / dport |^drop|^reject|^ct|^iif|^ip |^jump|^counter/.test(line));
  const open = (...ports: string[]): void => ports.forEach((port) => void sh(allowing('nftables', port)));
  const closeAll = (): string => sh(['sh', '-c', FORBID, 'sh']);
  const OURS = (port: string): string => `${port} accept comment "lablb"`;

  it.each([
    ['no ruleset', ''],
    ['no chain that refuses', input('tcp dport 81 drop', { policy: 'accept' })],
    ['a chain that accepts the rest', input('ip saddr 192.0.2.1 drop\naccept')],
    ['one for IPv6 alone', input('', { table: 'ip6 mine' })],
    ['firewalld’s', input('', { table: 'inet firewalld' })],
    ['a chain of bans', input('tcp dport 22 ip saddr { 192.0.2.1 } reject', { policy: 'accept' })],
    [
      'what is forwarded',
      'table inet mine { chain f { type filter hook forward priority 0; policy drop; }\n}\n',
    ],
  ])('is not in the way: %s', (_, text) => {
    load(text);
    expect(look().guards!.size).toBe(0);
    expect(look().notices).toEqual([]);
  });

  it.each([
    ['by its policy', input('')],
    [
      'by its last rule',
      input('tcp dport 22 accept\ncounter log prefix "no: accept " drop', { policy: 'accept' }),
    ],
    [
      'by a reject of TCP',
      input('meta l4proto tcp reject with tcp reset', { table: 'ip a', policy: 'accept' }),
    ],
    ['by what is not of this machine', input('iifname != "lo" drop', { policy: 'accept' })],
    [
      'by a chain that it jumps to',
      `table inet mine {\n chain wan {\n reject\n}\n}\n${input('iifname "eth9" jump wan', { policy: 'accept' })}`,
    ],
  ])('is in the way: %s', (_, text) => {
    load(text);
    expect([...look().guards!.keys()]).toEqual(['nftables']);
  });

  it('tells what is open: sets, ranges, both protocols, new connections; and nothing that is for some only', () => {
    load(
      input(`ct state vmap { established : accept, invalid : drop }
        ct state new tcp dport { 22, 443, 8000-8001 } counter accept
        udp dport 67 ct state { established, new } log prefix "dhcp " accept comment "mine"
        meta l4proto { tcp, udp } th dport 53 accept
        ip saddr 192.0.2.1 tcp dport 80 accept
        tcp dport 81 drop
        counter drop
        tcp dport 82 accept`),
    );
    expect(seen('nftables')[0]).toEqual(
      ['22/tcp', '443/tcp', '53/tcp', '53/udp', '67/udp', '8000/tcp', '8001/tcp'].sort(),
    );
  });

  it('takes for open what every chain that refuses lets in', () => {
    const wide = input('tcp dport { 22, 80, 8000-8010 } accept', { table: 'ip other' });
    load(input('tcp dport { 22, 443, 8005-8006 } accept') + wide);
    expect(seen('nftables')[0]).toEqual(['22/tcp', '8005/tcp', '8006/tcp']);
    const before = nft('list', 'ruleset');
    open('80/tcp', '90/tcp');
    expect(seen('nftables')).toEqual([
      ['22/tcp', '80/tcp', '8005/tcp', '8006/tcp', '90/tcp'],
      ['80/tcp', '90/tcp'],
    ]);
    // Where the machine's owner has opened it already nothing is added.
    expect(rules().filter((rule) => rule.startsWith('tcp dport 80 '))).toHaveLength(1);
    closeAll();
    expect(nft('list', 'ruleset')).toBe(before);
  });

  it.each([
    [
      'behind the last rule that accepts',
      input('ip saddr 192.0.2.1 drop\ntcp dport 22 accept\nip saddr 192.0.2.2 drop\nreject'),
      ['ip saddr 192.0.2.1 drop', 'tcp dport 22 accept', OURS('tcp dport 80'), OURS('udp dport 53')],
    ],
    [
      'first, where none accepts',
      input('counter drop'),
      [OURS('tcp dport 80'), OURS('udp dport 53'), 'counter drop'],
    ],
    [
      'before a jump that nothing comes back from',
      `table inet mine {\n chain wan {\n drop\n}\n}\n${input('iif "lo" accept\njump wan')}`,
      ['drop', 'iif "lo" accept', OURS('tcp dport 80'), OURS('udp dport 53'), 'jump wan'],
    ],
  ])('opens %s, and leaves no trace', (_, text, expected) => {
    load(text);
    const before = nft('list', 'ruleset');
    open('80/tcp', '80/tcp', '53/udp');
    expect(rules().slice(0, expected.length)).toEqual(expected);
    sh(forbidding('nftables', '80/tcp'));
    expect(seen('nftables')[1]).toEqual(['53/udp']);
    expect(existsSync(join(root, 'etc/systemd/system/nftables.service.d/lablb.conf'))).toBe(true);
    closeAll();
    expect(nft('list', 'ruleset')).toBe(before);
    expect(existsSync(join(root, 'etc/systemd/system/nftables.service.d'))).toBe(false);
    expect(readdirSync(join(root, 'var/lib/lablb'))).toEqual([]);
  });

  it('is told of again when the ruleset is loaded anew, by hand or by its unit', () => {
    load(input('tcp dport 22 accept'));
    const before = nft('list', 'ruleset');
    open('80/tcp', '8080/tcp');
    const open_ = nft('list', 'ruleset');
    nft('-f', join(root, 'rules.nft'));
    expect(seen('nftables')).toEqual([['22/tcp'], ['80/tcp', '8080/tcp']]);
    const unit = readFileSync(join(root, 'etc/systemd/system/nftables.service.d/lablb.conf'), 'utf8');
    const [, command] = /^ExecStartPost=-(.*)$/m.exec(unit)!;
    sh(['sh', '-c', command!]);
    expect(nft('list', 'ruleset')).toBe(open_);
    nft('-f', join(root, 'rules.nft'));
    closeAll();
    expect(nft('list', 'ruleset')).toBe(before);
  });

  it('keeps a folder of the unit that was there, and what is in it', () => {
    load(input(''));
    put('etc/systemd/system/nftables.service.d/mine.conf', '');
    open('80/tcp');
    closeAll();
    expect(readdirSync(join(root, 'etc/systemd/system/nftables.service.d'))).toEqual(['mine.conf']);
    expect(said().filter((line) => line.includes('daemon-reload'))).toHaveLength(2);
  });

  it('takes back its own rules, whoever has written others like them', () => {
    load(input('tcp dport 99 accept comment "lablb"'));
    const before = nft('list', 'ruleset');
    open('80/tcp', '81/tcp');
    sh(forbidding('nftables', '80/tcp'));
    expect(rules()).toEqual([OURS('tcp dport 99'), OURS('tcp dport 81')]);
    closeAll();
    expect(nft('list', 'ruleset')).toBe(before);
    expect(readdirSync(join(root, 'var/lib/lablb'))).toEqual([]);
  });

  it('says what could not be closed', () => {
    load(input(''));
    open('80/tcp', '81/tcp');
    program('nft', `[ "$1" != -f ] || exit 1; exec nsenter -t ${holder.pid} -n ${which('nft')} "$@"`);
    expect(() => closeAll()).toThrow('not taken back: 80/tcp in nftables; 81/tcp in nftables;');
    expect(seen('nftables')[1]).toEqual(['80/tcp', '81/tcp']);
  });

  it('goes when the ruleset has gone', () => {
    load(input(''));
    open('80/tcp');
    load('');
    closeAll();
    expect(existsSync(join(root, 'etc/systemd/system/nftables.service.d'))).toBe(false);
    expect(nft('list', 'ruleset')).toBe('');
  });

  it('tells of a table of iptables, and leaves it to it', () => {
    const text = `table ip filter {\n chain INPUT {\n type filter hook input priority 0; policy drop;\n}\n}\n`;
    load(text);
    expect(look().guards!.size).toBe(0);
    expect(look().notices).toEqual([expect.stringMatching(/^iptables has a ruleset .*\(table ip filter\)/)]);
    put('etc/ufw/ufw.conf', 'ENABLED=yes\n');
    expect(look().notices).toEqual([]);
  });
});

it('asks for nothing that a node does not need', () => {
  expect(allowancesFor({ ports: ['80/tcp'], programs: [], software: ['httpd'] })).toEqual({
    firewalld: [{ what: '80/tcp', why: 'firewalld is active and 80/tcp is closed' }],
    ufw: [{ what: '80/tcp', why: 'ufw is active and 80/tcp is closed' }],
    nftables: [{ what: '80/tcp', why: 'nftables is active and 80/tcp is closed' }],
    selinux: [],
  });
});

function canUnshare(): boolean {
  if (spawnSync('unshare', ['-n', 'true']).status === 0) return true;
  const reason = 'this user may not make network namespaces (unshare -n)';
  if (process.env.LABLB_TEST_ALL === '1') throw new Error(reason);
  tellSkipped(reason);
  return false;
}
