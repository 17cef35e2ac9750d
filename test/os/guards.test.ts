import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allowancesFor, allowing, FORBID, forbidding, LOOK_AT_GUARDS } from '../../src/os/guards.ts';
import { readProbe } from '../../src/providers/machine/probe.ts';

/**
 * The scripts run for real, in a folder in the place of `/`; firewalls and SELinux are programs that write down what is
 * asked of them. (Real firewalls: test/lxd/ssh.e2e.ts. A kernel with SELinux is not to be had there.)
 */
let root: string;
const moved = (text: string): string => text.replaceAll(/(?<=[\s'"=(>])\/(?=etc|var|usr)/g, `${root}/`);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lablb-guards-'));
  mkdirSync(join(root, 'bin'));
  program('systemctl', '[ "$2" = -q ] && [ -e "$ROOT/active-$3" ]');
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

it('a ruleset of somebody’s own is told', () => {
  put('active-nftables', '');
  program(
    'nft',
    `printf 'table inet firewalld {\\n\\tchain a {\\n\\t\\ttype filter hook input priority 10; policy drop;\\n\\t}\\n}\\ntable ip mine {\\n\\tchain b {\\n\\t\\ttype filter hook input priority 0; policy drop;\\n\\t}\\n}\\n'`,
  );
  expect(look().notices).toEqual([expect.stringMatching(/^nftables has a ruleset .*\(table ip mine\)/)]);
});

it('asks for nothing that a node does not need', () => {
  expect(allowancesFor({ ports: ['80/tcp'], programs: [], software: ['httpd'] })).toEqual({
    firewalld: [{ what: '80/tcp', why: 'firewalld is active and 80/tcp is closed' }],
    ufw: [{ what: '80/tcp', why: 'ufw is active and 80/tcp is closed' }],
    selinux: [],
  });
});
