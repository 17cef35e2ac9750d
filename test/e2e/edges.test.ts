import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABLB, Sandbox, testEngine } from '../support/cli.ts';

describe('flags and arguments', () => {
  const box = new Sandbox();
  afterAll(() => box.close());

  it.each([
    [['fail', 'web1', '--delay', '2'], "--delay: 2 of what? '2s', or '2ms'"],
    [['fail', 'web1', '--delay', 'soon'], "--delay: 'soon' is not a time up to an hour"],
    [['fail', 'web1', '--delay', '1s'], '--delay is for --how slow'],
    [['stats', '--interval', '1ms'], "--interval: '1ms' is not a time from 100ms up to an hour"],
    [['stats', '--interval'], '--interval needs a value'],
    [['up', '--parallel', 'x'], "--parallel takes a whole number, not 'x'"],
    [['up', '--parallel', '0'], '--parallel is at least 1'],
    [['test', '-n', '200000'], '--requests is at most 100000'],
    [['up', '--format', 'sh'], '--format goes with --dry-run only'],
    [['up', '--dry-run', '--format', 'x'], "--format cannot be 'x'; it is one of: text, sh"],
    [['hosts', '--write', '--remove'], '--remove and --write exclude each other'],
    [['down', 'a', 'b'], "unexpected argument 'b'"],
    [['schema', 'x'], "unexpected argument 'x'"],
    [['status', 'a.yaml', '--name', 'a'], 'a topology and --name: which of the two is meant?'],
    [['help', 'staus'], "unknown command 'staus'; did you mean 'sta"],
    [['init', '.'], '. is a folder; what is the file to be called?'],
    [['logs', 'web1', '--file', 'a', '--file', 'b', 'c'], "unexpected argument 'c'"],
  ])('lablb %j is refused', async (args, message) => {
    const said = await box.lablb(...args);
    expect(said).toMatchObject({ status: 2, stdout: '' });
    expect(said.stderr.split('\n')[0]).toContain(`✖ ${message}`);
  });

  it('help shows what there is, and one command', async () => {
    expect((await box.lablb('help')).stdout).toMatch(/COMMANDS[\s\S]*down {2}[\s\S]*up {2}/);
    expect((await box.lablb('help', 'up')).stdout).toContain('--dry-run');
  });
});

describe.skipIf(testEngine() === undefined)('at the edges of the system', () => {
  const box = new Sandbox();
  beforeAll(async () => {
    box.write('topology.yaml', 'name: edge\nnodes: { web1: , web2: , proxyha: }\n');
    expect(await box.lablb('up', '--only', 'web1', 'topology.yaml')).toMatchObject({ status: 0 });
    expect(await box.lablb('up')).toMatchObject({ status: 0 });
  });
  afterAll(() => box.close('edge'));

  it.skipIf(!existsSync('/dev/full'))('says that its output cannot be written', () => {
    for (const args of [['status'], ['status', '--json'], ['up']]) {
      const said = spawnSync(process.execPath, [LABLB, ...args], {
        cwd: box.folder,
        env: { ...process.env, ...box.environment },
        stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
        encoding: 'utf8',
      });
      expect(said).toMatchObject({
        status: 1,
        stderr: '✖ the output cannot be written: its disk is full\n',
      });
    }
  });

  it('refuses before the tests begin results with nowhere to go', async () => {
    const file = join(box.folder, 'nowhere', 'x.xml');
    expect(await box.lablb('test', '--junit', file)).toEqual({
      status: 2,
      stdout: '',
      stderr: `✖ --junit: ${file}: there is no such file or folder\n`,
    });
  });

  it('runs what is there, and says what is not', async () => {
    mkdirSync(join(box.folder, 'folder'));
    expect(await box.lablb('exec', 'web1', '--', 'no-such-program')).toMatchObject({
      status: 127,
      stderr: 'no-such-program: command not found\n',
    });
    const folder = join(box.folder, 'folder');
    expect(await box.lablb('exec', 'web1', '--', folder)).toMatchObject({
      status: 126,
      stderr: `${folder}: Permission denied\n`,
    });
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('follows logs until %s', async (signal) => {
    const { child, ended } = box.start('logs', 'proxyha', '--follow');
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.kill(signal);
    expect(await ended).toMatchObject({ status: 0 });
  });

  it('heals what a test made fail when its terminal is closed', async () => {
    const { child, ended } = box.start('test', 'failover');
    let said = '';
    await new Promise<void>((resolve) =>
      child.stdout!.on('data', (text: string) => {
        said += text;
        if (said.includes('web1 stopped')) resolve();
      }),
    );
    child.kill('SIGHUP');
    expect(await ended).toMatchObject({ status: 130, stderr: expect.stringContaining('interrupted') });
    expect((await box.lablb('status')).stdout).not.toContain('failed by hand');
  });
});
