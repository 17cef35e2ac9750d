import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, testEngine } from '../support/cli.ts';
import { needs } from '../support/needs.ts';

describe('lablb proxy', () => {
  const box = new Sandbox();
  beforeAll(() => {
    const engine = box.write(
      'engine',
      '#!/bin/sh\ntrap "echo softly; exit 4" USR1\ntrap "echo term; exit 5" TERM\necho "args: $*"\n[ "$1" = -c ] && exit 3\nwhile :; do sleep 0.05; done\n',
    );
    chmodSync(engine, 0o755);
    box.env.LABLB_ENGINE = engine;
  });
  afterAll(() => box.close());

  it('hands flags on as they are, and the exit status back', async () => {
    const said = await box.lablb('proxy', '-c', '-f', 'a b.cfg', '--json', '-sf', '1', '2');
    expect(said).toEqual({ status: 3, stdout: 'args: -c -f a b.cfg --json -sf 1 2\n', stderr: '' });
  });

  it.each([
    ['SIGUSR1', 'softly', 4],
    ['SIGTERM', 'term', 5],
  ] as const)('passes %s on', async (signal, word, status) => {
    const { child, ended } = box.start('proxy', '-f', 'x');
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.kill(signal);
    expect(await ended).toMatchObject({ status, stdout: expect.stringContaining(word) });
  });

  it('says what to do when there is no engine', async () => {
    const lost = new Sandbox({ LABLB_ENGINE: join(box.folder, 'nothing') });
    expect(await lost.lablb('proxy', '-v')).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/the engine is not there: .*nothing\n.*try:/),
    });
    lost.write('x.lab.yaml', 'name: x\nnodes: { web1: }\n');
    expect(await lost.lablb('up')).toMatchObject({ status: 3 });
    expect(await lost.lablb('status')).toMatchObject({ stdout: expect.stringContaining('no lab is up') });
    await lost.close();
  });
});

describe('mistakes', () => {
  const box = new Sandbox();
  afterAll(() => box.close());

  it.each([
    [['upp'], "unknown command 'upp'; did you mean 'up'?"],
    [['up', '--dryrun'], "unknown flag '--dryrun'; did you mean '--dry-run'?"],
    [['up'], 'no topology in'],
    [['up', 'nothere.yaml'], 'there is no such file'],
    [['status', 'nothing'], "no lab called 'nothing' is up"],
    [['down', '--name', '../..'], "no lab called '../..' is up"],
    [['exec', 'web1', '--', 'true'], 'no lab is up'],
    [['test', 'roundrobbin'], "did you mean 'roundrobin'?"],
  ])('lablb %j is refused', async (args, message) => {
    expect(await box.lablb(...args)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
  });

  it('in a topology show their place, touch nothing, and are JSON when asked', async () => {
    box.write('bad.lab.yaml', 'name: bad\nnodes:\n  web1: { role: wbe }\n');
    const said = await box.lablb('up');
    expect(said).toMatchObject({ status: 2, stdout: '' });
    expect(said.stderr).toMatch(
      /^bad\.lab\.yaml:3:\d+ {2}.*did you mean 'web'\?\n.*\n.*\^\^\^\n1 error; nothing was touched\n$/,
    );
    const json = await box.lablb('up', '--json');
    expect(json).toMatchObject({ status: 2, stderr: '' });
    expect(JSON.parse(json.stdout).error).toMatchObject({
      code: 'refused',
      diagnostics: [{ place: { line: 3 } }],
    });
  });

  it('leave --version quick and plain', async () => {
    expect(await box.lablb('--version')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^lablb \d+\.\d+\.\d+ /),
    });
  });
});

describe.skipIf(!needs('curl') || testEngine() === undefined)('a lab with a configuration of its own', () => {
  const box = new Sandbox();
  afterAll(() => box.close('own'));

  const CONFIG = `
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend main
    bind {{bind}}:8090
    default_backend all
backend all
    balance roundrobin
{{#each webs}}    server {{name}} {{address}}:{{port}}
{{/each}}
`;

  it('starts it, refuses a broken one while the old one serves on, and says what the engine said', async () => {
    box.write(
      'own.lab.yaml',
      'name: own\nnodes:\n  web: { count: 2, port: 8000 }\nbalancer: { config: ./haproxy.cfg.hbs }\n',
    );
    box.write('haproxy.cfg.hbs', CONFIG);
    expect(await box.lablb('up')).toMatchObject({ status: 0, stderr: '' });
    const ask = async () => {
      const [lab] = JSON.parse((await box.lablb('status', '--json')).stdout);
      const { address } = lab.nodes.find((node: { role: string }) => node.role === 'proxy');
      return (await box.lablb('exec', 'web1', '--', 'curl', '-s', `http://${address}:8090/`)).stdout;
    };
    expect(await ask()).toContain('<h1>SITE');

    box.write('haproxy.cfg.hbs', CONFIG.replace('balance roundrobin', 'balence roundrobin'));
    const refused = await box.lablb('up');
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('balence');
    expect(await ask()).toContain('<h1>SITE');

    box.write('haproxy.cfg.hbs', CONFIG.replace('roundrobin', 'leastconn'));
    expect(await box.lablb('up')).toMatchObject({ status: 0 });
    expect(await ask()).toContain('<h1>SITE');
  });
});
