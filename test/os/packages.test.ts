import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { managing } from '../../src/os/packages.ts';

/** The scripts run for real, with a folder in the place of `/`, and a package manager that keeps a list. */
const root = mkdtempSync(join(tmpdir(), 'lablb-packages-'));
const at = (path: string): string => join(root, path);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const { install, brought, clear } = managing({
  list: 'cat /etc/list',
  install: `for name in "$@"; do
  echo "$name" >>/etc/list
  mkdir -p "/etc/$name" "/var/lib/$name"
  echo "$name:x:188:188::/:/bin/false" | tee -a /etc/passwd >>/etc/group
  if [ -e "/etc/$name/conf" ]; then : >"/etc/$name/conf.rpmnew"; else : >"/etc/$name/conf"; fi
done`,
  remove: `for name in "$@"; do
  [ "$name" != needed ] || continue
  sed -i "/^$name\\$/d" /etc/list
  [ ! -e "/etc/$name/conf" ] || rm "/etc/$name/conf"
done`,
  owns: 'grep -qx "$(basename "$1")" /etc/list',
});

const moved = (script: string): string =>
  script.replaceAll(/(?<=[\s'"=(>])\/(?=etc|var|run|home|opt|srv|tmp)/g, `${root}/`);
/** Users of this machine are left alone. */
const USERS = `userdel() { sed -i "/^$1:/d" /etc/passwd /etc/group; }; groupdel() { userdel "$1"; }\n`;
const sh = (script: string, ...args: string[]): string =>
  execFileSync('sh', ['-c', moved(USERS + script), 'sh', ...args], { encoding: 'utf8' });
const run = ([, , script, ...args]: readonly string[]): string => sh(script!, ...args.slice(1));
const read = (path: string): string => readFileSync(at(path), 'utf8');
/** As a lab is taken down. */
const down = (purge: boolean): string => run(brought(purge)) + (purge ? sh(clear) : '');

beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  for (const folder of ['etc', 'var/lib/lablb', 'home', 'opt', 'run', 'srv', 'tmp'])
    mkdirSync(at(folder), { recursive: true });
  for (const name of ['passwd', 'group']) writeFileSync(at(`etc/${name}`), 'root:x:0:\n');
  writeFileSync(at('etc/list'), 'mine\n');
});

it('removes what it installed, with the folders, users and groups that came with it', () => {
  run(install(['haproxy']));
  expect(read('etc/passwd')).toContain('haproxy');
  expect(down(true)).toBe('');
  expect(read('etc/list')).toBe('mine\n');
  expect(read('etc/passwd') + read('etc/group')).toBe('root:x:0:\n'.repeat(2));
  expect([at('etc/haproxy'), at('var/lib/haproxy')].filter(existsSync)).toEqual([]);
});

it('waits for an install that goes on though whoever asked for it is gone', async () => {
  const names = ['a1', 'b1', 'c1', 'd1', 'e1', 'f1'];
  const all = names.map((name) => {
    const [, , script, ...args] = install([name]);
    return promisify(execFile)('sh', ['-c', moved(script!), ...args]);
  });
  for (const { stderr } of await Promise.all(all)) expect(stderr).toBe('');
  expect(read('var/lib/lablb/packages').trim().split('\n').sort()).toEqual(names);
});

it('takes away what a package put beside a file that was there', () => {
  mkdirSync(at('etc/haproxy'));
  writeFileSync(at('etc/haproxy/conf'), 'of a lab');
  run(install(['haproxy']));
  rmSync(at('etc/haproxy/conf')); // as the lab's files go first
  down(true);
  expect(existsSync(at('etc/haproxy/conf.rpmnew'))).toBe(false);
});

it('remembers what it installed until it is removed, and says so in the file', () => {
  run(install(['haproxy']));
  expect(down(false)).toBe('haproxy\n');
  expect(read('var/lib/lablb/packages')).toMatch(/^# What lablb installed here\. .*\nhaproxy\n$/);
  run(install(['httpd']));
  expect(down(false)).toBe('haproxy\nhttpd\n');
  expect(down(true)).toBe('');
  expect(read('etc/list')).toBe('mine\n');
  expect(existsSync(at('var/lib/lablb/packages'))).toBe(false);
  expect(existsSync(at('etc/haproxy'))).toBe(false);
});

it('leaves what something needs or uses by now', () => {
  run(install(['needed', 'haproxy']));
  writeFileSync(at('var/lib/haproxy/data'), 'of somebody');
  expect(down(true)).toBe('needed\n');
  expect(existsSync(at('var/lib/haproxy/data'))).toBe(true);
  expect(existsSync(at('var/lib/needed'))).toBe(true);
  expect(read('etc/passwd')).toContain('needed');
});

it('forgets what somebody has removed by hand', () => {
  run(install(['haproxy']));
  writeFileSync(at('etc/list'), 'mine\n');
  expect(down(false)).toBe('');
  expect(existsSync(at('var/lib/lablb/packages'))).toBe(false);
});
