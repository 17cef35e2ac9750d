import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkCondition, checkFiles } from '../../src/proxy/check.ts';
import { needs } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'lablb-check-'));
afterAll(() => rmSync(folder, { recursive: true }));

const options = {
  env: {},
  readFile: (path: string) => {
    try {
      return readFileSync(path, 'latin1');
    } catch {
      return undefined;
    }
  },
  readDir: (path: string) => {
    try {
      return readdirSync(path);
    } catch {
      return undefined;
    }
  },
};

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const GOOD =
  'defaults\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\nlisten a\n bind 127.0.0.1:1\n';
const good = write('good.cfg', GOOD);
const warned = write(
  'warned.cfg',
  GOOD.replace('listen a\n', 'frontend a\n').concat(' balance roundrobin\n'),
);
const silent = write('silent.cfg', 'global\n maxconn 10\n');
const bad = write('bad.cfg', `${GOOD} balence roundrobin\n timeout clinet 3s\n`);
const cut = write('cut.cfg', `${GOOD} balance roundrobin`);

describe('-c', () => {
  it('says that a good file is valid', () => {
    expect(checkFiles([good], options)).toEqual({
      status: 0,
      stdout: 'Configuration file is valid\n',
      stderr: '',
    });
  });

  it('shows warnings, and is content', () => {
    const { status, stdout, stderr } = checkFiles([warned], options);
    expect([status, stdout]).toEqual([0, 'Warnings were found.\nConfiguration file is valid\n']);
    expect(stderr).toContain('8:2  warning: ');
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('1 warning');
    expect(checkFiles([warned], options, { zeroWarning: true }).status).toBe(1);
  });

  it('shows all mistakes at once, with their lines', () => {
    const { status, stdout, stderr } = checkFiles([bad], options);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      [
        `${bad}:8:2  error: unknown keyword 'balence' in section 'listen'; did you mean 'balance'?`,
        '   8 |  balence roundrobin',
        '     |  ^^^^^^^',
        `${bad}:9:10  error: unknown 'timeout clinet'; did you mean 'client'?`,
        '   9 |  timeout clinet 3s',
        '     |          ^^^^^^',
        '2 errors\n',
      ].join('\n'),
    );
    expect(checkFiles([bad], options, { quiet: true })).toEqual({ status: 1, stdout: '', stderr: '' });
  });

  it('exits with 2 when there is nothing to listen on', () => {
    expect(checkFiles([silent], options)).toMatchObject({
      status: 2,
      stdout: 'Configuration file has no error but will not start (no listener) => exit(2).\n',
    });
  });

  it('reads the files of a folder in the order of their names, and only those that end in .cfg', () => {
    const sub = join(folder, 'sub');
    mkdirSync(sub);
    for (const [name, text] of Object.entries({
      '10-a.cfg': GOOD,
      '20-b.cfg': 'frontend b\n bind 127.0.0.1:2\n default_backend a\n',
      '15.txt': 'x',
      '.30.cfg': 'x',
    })) {
      writeFileSync(join(sub, name), text);
    }
    expect(checkFiles([sub], options)).toMatchObject({ status: 0, stderr: '' });
    // The defaults of the first file hold in the second one, and not in one that comes before.
    const { stderr } = checkFiles([join(sub, '20-b.cfg'), join(sub, '10-a.cfg')], options);
    expect(stderr).toContain("'timeout client'");
  });

  it('says which file it cannot read', () => {
    const { status, stderr } = checkFiles([join(folder, 'nope.cfg'), good], options);
    expect(status).toBe(1);
    expect(stderr).toContain(`cannot read the configuration file '${join(folder, 'nope.cfg')}'`);
  });

  it('shows the first of very many mistakes', () => {
    const { stderr } = checkFiles([write('many.cfg', `global\n${'x y\n'.repeat(500)}`)], options);
    expect(stderr.match(/unknown keyword/g)).toHaveLength(200);
    expect(stderr).toContain('… and 300 more\n500 errors\n');
  });

  describe.skipIf(!needs('haproxy'))('as HAProxy', () => {
    it.each([good, warned, silent, bad, cut])('%s', (path) => {
      const theirs = spawnSync('haproxy', ['-c', '-f', path], { encoding: 'utf8' });
      const ours = checkFiles([path], options);
      expect(ours.status).toBe(theirs.status);
      expect(ours.stdout.split('\n').filter((line) => line !== 'Warnings were found.')).toEqual(
        theirs.stdout.split('\n').filter((line) => line !== 'Warnings were found.'),
      );
    });
  });
});

describe('-cc', () => {
  const environment = new Map([['HOME', '/']]);

  it.each<[string, number]>([
    ['version_atleast(2.4)', 0],
    ['version_atleast(2.4-dev19)', 0],
    ['version_atleast(99)', 1],
    ['version_before(2.7)', 0],
    ['version_before(2.6)', 1],
    ['defined(HOME) && !defined(NOPE)', 0],
    ['streq(a,a)', 0],
    ['strneq(a,a)', 1],
    ['feature(OPENSSL)', 0],
    ['feature(QUIC)', 1],
    ['', 1],
    ['foo', 2],
  ])('%s → %i', (condition, status) => {
    expect(checkCondition(condition, environment).status).toBe(status);
  });

  it('shows where a condition is wrong', () => {
    expect(checkCondition('1 && strec(a,b)', environment).stderr).toBe(
      "'strec' is neither a number nor a predicate; did you mean 'streq'?\n   | 1 && strec(a,b)\n   |      ^\n",
    );
  });

  describe.skipIf(!needs('haproxy'))('as HAProxy', () => {
    it.each([
      'version_atleast(2.4)',
      'version_before(2.4)',
      'streq(a,b)||1',
      '',
      'foo',
      '(1',
      'feature(OPENSSL)',
      'streq("a,b","a,b")',
      'streq(\\"a,b\\",\\"a,b\\")',
      'streq("a b",a\\ b)',
      "'",
      '!(0&&1)',
    ])('%j', (condition) => {
      expect(checkCondition(condition, environment).status).toBe(
        spawnSync('haproxy', ['-cc', condition]).status,
      );
    });
  });
});
