import { spawnSync } from 'node:child_process';
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
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { FAULT_NAMES, type FaultName } from '../../src/os/faults.ts';
import { failWithSystemd, healWithSystemd } from '../../src/os/systemd-faults.ts';

/** The scripts run for real, with a folder in the place of `/` and a systemctl that writes down what it is told. */
const root = mkdtempSync(join(tmpdir(), 'lablb-faults-'));
const bin = join(root, 'bin');
const calls = join(root, 'calls');
afterAll(() => rmSync(root, { recursive: true, force: true }));

beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  program('systemctl', `echo "$*" >>${calls}\n[ -z "$FAILS" ] || case $* in $FAILS) exit 5 ;; esac`);
  program('journalctl', 'echo the journal');
});

function program(name: string, text: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(bin, name), 0o755);
}

function sh([, , script, ...args]: readonly string[], fails = '') {
  const moved = script!.replaceAll(/(?<=[\s'">])\/run\//g, `${root}/run/`);
  rmSync(calls, { force: true });
  const env = { PATH: `${bin}:${process.env.PATH}`, FAILS: fails };
  const { status, stdout, stderr } = spawnSync('sh', ['-c', moved, ...args], { env, encoding: 'utf8' });
  const said = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
  return { status, stdout, stderr, said };
}

const fail = (how: FaultName, fails?: string) =>
  sh(failWithSystemd({ how, service: 'httpd', port: 8080, delayMs: 1500 }), fails);
const heal = (fails?: string) => sh(healWithSystemd(), fails);
/** Files below /run, as paths there. */
const left = (): string[] =>
  existsSync(join(root, 'run'))
    ? (readdirSync(join(root, 'run'), { recursive: true }) as string[])
        .filter((path) => !['lablb', 'systemd', 'systemd/system'].includes(path))
        .sort()
    : [];
const read = (path: string): string => readFileSync(join(root, 'run', path), 'utf8');

describe('faults with systemd', () => {
  it.each(FAULT_NAMES)('%s is remembered, and healing leaves nothing behind', (how) => {
    expect(fail(how)).toMatchObject({ status: 0, stderr: '' });
    expect(read('lablb/fault')).toBe(`${how} httpd\n`);
    expect(heal()).toMatchObject({ status: 0, stdout: `${how} httpd\n` });
    expect(left()).toEqual([]);
    expect(heal()).toMatchObject({ status: 0, stdout: '', said: [] });
  });

  it('stops, and starts again', () => {
    expect(fail('stop').said).toEqual(['is-active -q httpd', 'stop httpd']);
    expect(heal().said.at(-1)).toBe('start httpd');
  });

  it('freezes and thaws the processes', () => {
    expect(fail('freeze').said.at(-1)).toBe('kill -s STOP httpd');
    expect(heal().said).toContain('kill -s CONT httpd');
  });

  it('slows by a unit that lets the processes stand still for the delay', () => {
    expect(fail('slow').said.slice(1)).toEqual(['daemon-reload', 'start lablb-fault.service']);
    expect(read('systemd/system/lablb-fault.service')).toMatch(
      /^ExecStart=\/bin\/sh \S+fault\.sh httpd 1\.5$/m,
    );
    expect(heal().said.slice(0, 1)).toEqual([
      'stop lablb-fault.socket lablb-fault.service lablb-fault@*.service',
    ]);
  });

  it('refuses by a network of its own', () => {
    expect(fail('refuse').said.slice(1)).toEqual(['daemon-reload', 'restart httpd']);
    expect(read('systemd/system/httpd.service.d/lablb-fault.conf')).toBe('[Service]\nPrivateNetwork=yes\n');
  });

  it('answers with 500 on the port of the service', () => {
    expect(fail('error').said.at(-1)).toBe('start lablb-fault.socket');
    expect(read('systemd/system/lablb-fault.socket')).toMatch(/^ListenStream=8080\nAccept=yes$/m);
    const answer = (request: string): string =>
      spawnSync('sh', [join(root, 'run/lablb/fault.sh')], { input: request, encoding: 'utf8' }).stdout;
    const head =
      'HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\nContent-Length: 31\r\nConnection: close\r\n\r\n';
    const body = '<h1>Internal Server Error</h1>\n';
    expect(body).toHaveLength(31);
    expect(answer('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toBe(head + body);
    expect(answer('HEAD / HTTP/1.1\r\n\r\n')).toBe(head);
    expect(answer('')).toBe('');
  });

  it('refuses a second fault, and a service that does not run', () => {
    fail('freeze');
    expect(fail('stop')).toMatchObject({ status: 17, stderr: 'freeze httpd\n', said: [] });
    heal();
    expect(fail('stop', 'is-active*')).toMatchObject({ status: 18 });
    expect(left()).toEqual([]);
  });

  it('heals at once what could not be done, and says why', () => {
    const failed = fail('refuse', 'restart*');
    expect(failed).toMatchObject({ status: 5, stderr: 'the journal\n' });
    expect(failed.said.slice(-2)).toEqual(['stop httpd', 'start httpd']);
    expect(left()).toEqual([]);
  });

  it('remembers a fault that could not be healed', () => {
    fail('stop');
    expect(heal('start*')).toMatchObject({ status: 5, stdout: '', stderr: 'the journal\n' });
    expect(left()).toEqual(['lablb/fault']);
    expect(heal().stdout).toBe('stop httpd\n');
  });
});
