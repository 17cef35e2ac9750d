import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findByEnvironment, isAlive, type ProcessIdentity } from '../../src/shell/processes.ts';
import { Sandbox, testEngine } from '../support/cli.ts';
import { needs } from '../support/needs.ts';

const ready = needs('curl') && (testEngine() !== undefined || needs('haproxy'));

function topology(name: string, web2 = 'SITE2', port = 8080): string {
  return `
name: ${name}
nodes:
  web1: { title: SITE1, port: 8000 }
  web2: { title: ${web2}, port: 8000 }
  proxyha:
balancer:
  port: 8080
  sites:
    site1.test: [web1, web2]
    site2.test: [web2, web1]
  check: { path: /, inter: 200ms, rise: 1, fall: 2 }
  stats: { port: ${port === 8080 ? 8404 : port}, user: student, password: "s3cret word" }
`;
}

/** The folders of a lab's nodes, and the processes that belong to them. */
function leftOf(box: Sandbox, lab: string): { nodes: string[]; processes: ProcessIdentity[] } {
  const folder = join(box.state, 'lablb', lab, 'nodes');
  const nodes = existsSync(folder) ? readdirSync(folder) : [];
  return { nodes, processes: ['web1', 'web2', 'proxyha'].flatMap((node) => processesOf(box, lab, node)) };
}

function processesOf(box: Sandbox, lab: string, node: string): ProcessIdentity[] {
  return findByEnvironment(`LABLB_NODE_FOLDER=${join(box.state, 'lablb', lab, 'nodes', node)}`);
}

function json(text: string) {
  return JSON.parse(text);
}

describe.skipIf(!ready)('a lab on this machine', () => {
  const box = new Sandbox();
  let file: string;
  beforeAll(async () => {
    file = box.write('life.lab.yaml', topology('life'));
    const up = await box.lablb('up');
    expect(up).toMatchObject({ status: 0, stderr: '' });
    expect(up.stdout).toMatch(/^life · local · 3 nodes\n/);
    expect(up.stdout).toMatch(/✔ proxyha {2}127\.\S+ {2,}\S+: 2 sites, 2 servers/);
    expect(up.stdout).toMatch(/curl -H 'Host: site1\.test' http:\/\/127/);
    expect(up.stdout).not.toContain('s3cret');
  });
  afterAll(() => box.close('life'));

  it('has nothing to do the second time', async () => {
    const again = await box.lablb('up');
    expect(again).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^life is up: nothing to do \(\d/),
    });
    expect(json((await box.lablb('up', '--json')).stdout)).toMatchObject({
      lab: 'life',
      steps: [],
      failures: [],
    });
  });

  it('balances, and proves it with commands that anyone can repeat', async () => {
    const said = await box.lablb(
      'test',
      'roundrobin',
      '--requests',
      '6',
      '--junit',
      join(box.folder, 'junit.xml'),
    );
    expect(said).toMatchObject({ status: 0, stderr: '' });
    expect(said.stdout).toMatch(
      / {2}(SITE1 SITE2 SITE1 SITE2 SITE1 SITE2|SITE2 SITE1 SITE2 SITE1 SITE2 SITE1)\n/,
    );
    expect(said.stdout).toContain('SITE1 ██████ 3');
    expect(said.stdout.match(/✔ in turn: 6 of 6/g)).toHaveLength(2);
    const xml = readFileSync(join(box.folder, 'junit.xml'), 'utf8');
    expect(xml).toContain('<testsuite name="roundrobin" tests="2" failures="0"');
    expect(xml).toContain('<testcase classname="life.roundrobin" name="site1.test"');
  });

  it('balances also where there is no curl, and says who asked', async () => {
    const poor = new Sandbox({ XDG_STATE_HOME: box.state, PATH: join(box.folder, 'no-programs-here') });
    const said = await poor.lablb('test', 'roundrobin', '-n', '4', '--name', 'life');
    expect(said).toMatchObject({ status: 0, stderr: '' });
    expect(said.stdout).toContain('curl is not installed: lablb sent the same requests itself');
    await poor.close();
  });

  it('shows what is up, and drift with its reasons', async () => {
    const status = await box.lablb('status');
    expect(status.stdout).toMatch(/site1 2\/2 servers up/);
    expect(status.stdout).not.toContain('drift');
    expect(await box.lablb('exec', 'web1', '--', 'service', 'web', 'stop')).toMatchObject({ status: 0 });
    const [lab] = json((await box.lablb('status', '--json')).stdout);
    expect(lab.drift).toEqual([{ node: 'web1', what: 'start service web', why: 'it is not running' }]);
    await expect
      .poll(async () => (await box.lablb('status')).stdout, { timeout: 8000 })
      .toMatch(/1\/2 servers up/);

    const broken = await box.lablb('test', 'roundrobin', '-n', '4');
    expect(broken.status).toBe(1);
    expect(broken.stdout).toMatch(
      /✖ not in turn: answer 2 was SITE2, expected SITE1 after SITE2; the balancer has servers down/,
    );

    const mended = await box.lablb('up');
    expect(mended.stdout).toMatch(/web1 {2}start service web {2}because it is not running/);
    expect(mended.stdout).not.toContain('web2');
    expect((await box.lablb('test', 'roundrobin', '-n', '4')).status).toBe(0);
  });

  it('puts back what was changed by hand, and only that', async () => {
    const root = join(box.state, 'lablb', 'life', 'nodes', 'web1');
    writeFileSync(join(root, 'etc', 'hosts'), '127.0.0.1 nothing\n');
    const plan = await box.lablb('up', '--dry-run');
    expect(plan.stdout).toMatch(
      /web1 {2}write \/etc\/hosts {2}because it was changed by hand\n1 step; nothing was touched/,
    );
    expect((await box.lablb('up')).stdout).toContain('1 step done');
    expect(readFileSync(join(root, 'etc', 'hosts'), 'utf8')).toContain('proxyha');
  });

  it('follows the topology: a page without a restart, the configuration by a reload that loses nothing', async () => {
    const before = processesOf(box, 'life', 'web2');
    writeFileSync(file, topology('life', 'OTHER'));
    expect((await box.lablb('status')).stdout).toContain('changed since: `lablb up`');
    const page = await box.lablb('up', '--json');
    expect(json(page.stdout).steps.map((step: { id: string }) => step.id)).toEqual([
      'web2:push:/var/www/html/index.html',
    ]);
    expect(processesOf(box, 'life', 'web2')).toEqual(before);

    const { nodes } = json(page.stdout);
    const proxy = nodes.find((node: { name: string }) => node.name === 'proxyha');
    const load = askUntilTold(proxy.address);
    writeFileSync(file, topology('life', 'OTHER', 8405));
    const reload = await box.lablb('up');
    const { asked, failed } = await load();
    expect(reload.stdout).toMatch(/reload service \S+ {2}because haproxy\.cfg.* changed/);
    expect(asked).toBeGreaterThan(5);
    expect(failed).toEqual([]);
    expect((await box.lablb('up')).stdout).toContain('nothing to do');
  });

  it('passes on the exit status of commands', async () => {
    expect((await box.lablb('exec', 'web1', '--', 'sh', '-c', 'exit 7')).status).toBe(7);
    expect(await box.lablb('exec', 'web1', '--', 'no-such-program')).toEqual({
      status: 127,
      stdout: '',
      stderr: 'no-such-program: command not found\n',
    });
    expect((await box.lablb('exec', 'web1', '--', 'etc/hosts')).status).toBe(126);
    const hosts = await box.lablb('exec', 'web1', '--json', '--', 'cat', 'etc/hosts');
    expect(json(hosts.stdout)).toMatchObject({ exitStatus: 0, stdout: expect.stringContaining('proxyha') });
    expect(await box.lablb('exec', 'wbe1', '--', 'true')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("did you mean 'web1'?"),
    });
  });

  it('shows logs', async () => {
    expect((await box.lablb('logs', 'web1', '-n', '5')).stdout).toMatch(/"GET \/ HTTP\/1\.[01]" 200 \d+/);
    const { child, ended } = box.start('logs', 'proxyha', '--follow');
    await new Promise<void>((resolve) =>
      child.stdout!.on('data', (text) => text.includes('GET /') && resolve()),
    );
    child.kill('SIGTERM');
    await ended;
  });

  it('refuses the same lab from another file, and a node that is not there', async () => {
    const other = new Sandbox({ XDG_STATE_HOME: box.state });
    other.write('life.lab.yaml', topology('life'));
    expect(await other.lablb('up')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is up already, from'),
    });
    await other.close();
    expect(await box.lablb('up', '--only', 'web9')).toMatchObject({ status: 2 });
  });

  it('goes away whole, also when half of it is gone, and without its file', async () => {
    rmSync(join(box.state, 'lablb', 'life', 'nodes', 'web1', 'node.json'));
    rmSync(file);
    expect((await box.lablb('down', '--name', 'life')).stdout).toMatch(/^life is down: 3 nodes gone/);
    expect(leftOf(box, 'life')).toEqual({ nodes: [], processes: [] });
    expect((await box.lablb('status')).stdout).toMatch(/no lab is up/);
    expect(await box.lablb('down', '--name', 'life')).toMatchObject({ status: 2 });
  });
});

describe.skipIf(!ready)('an `up` that is cut short', () => {
  const box = new Sandbox();
  beforeAll(() => void box.write('cut.lab.yaml', topology('cut')));
  afterAll(() => box.close('cut'));

  it.each([200, 320, 420, 540])('is completed by the next one when killed after %i ms', async (ms) => {
    const { child, ended } = box.start('up');
    await sleep(ms);
    child.kill('SIGKILL');
    await ended;
    expect(await box.lablb('up')).toMatchObject({ status: 0, stderr: '' });
    expect((await box.lablb('up')).stdout).toContain('nothing to do');
    const { processes } = leftOf(box, 'cut');
    expect(processes.filter(isAlive)).toHaveLength(3);
    expect(await box.lablb('down')).toMatchObject({ status: 0 });
    expect(leftOf(box, 'cut')).toEqual({ nodes: [], processes: [] });
  });

  it('leaves nothing that `down` does not find', async () => {
    const { child, ended } = box.start('up');
    await expect
      .poll(() => existsSync(join(box.state, 'lablb', 'cut', 'nodes', 'web1')), {
        interval: 5,
        timeout: 20_000,
      })
      .toBe(true);
    child.kill('SIGKILL');
    await ended;
    expect(await box.lablb('down', '--name', 'cut')).toMatchObject({ status: 0 });
    expect(leftOf(box, 'cut')).toEqual({ nodes: [], processes: [] });
  });

  it('ends with status 130 on Ctrl-C, and says so', async () => {
    const { child, ended } = box.start('up');
    await expect
      .poll(() => existsSync(join(box.state, 'lablb', 'cut', 'nodes', 'web1')), {
        interval: 5,
        timeout: 20_000,
      })
      .toBe(true);
    child.kill('SIGINT');
    const said = await ended;
    // It may have been done already when the signal came.
    if (said.status !== 0)
      expect(said).toMatchObject({ status: 130, stderr: expect.stringContaining('interrupted') });
    expect((await box.lablb('up')).status).toBe(0);
    expect((await box.lablb('down')).status).toBe(0);
  });

  it('goes one at a time', async () => {
    const both = await Promise.all([box.lablb('up'), box.lablb('up')]);
    const statuses = both.map(({ status }) => status);
    // Either they met, and one was told so, or they came one after the other.
    expect(statuses).toContain(0);
    for (const { status, stderr } of both)
      if (status !== 0) expect(stderr).toContain('another lablb is at work');
    expect((await box.lablb('down')).status).toBe(0);
  });
});

describe.skipIf(!ready || !needs('haproxy'))('a real HAProxy in the place of the engine', () => {
  const box = new Sandbox();
  afterAll(() => box.close('swap'));

  it('takes over in one `up`, and gives back', async () => {
    const withEngine = (engine: string): string =>
      topology('swap').replace('proxyha:', `proxyha: { engine: ${engine} }`);
    const services = async (): Promise<unknown> => {
      const [lab] = json((await box.lablb('status', '--json')).stdout);
      expect(lab.drift).toEqual([]);
      return lab.nodes.find((node: { name: string }) => node.name === 'proxyha').services;
    };
    for (const [engine, name] of [
      ['lablb', 'lablb-proxy'],
      ['haproxy', 'haproxy'],
      ['lablb', 'lablb-proxy'],
    ] as const) {
      box.write('swap.lab.yaml', withEngine(engine));
      expect(await box.lablb('up')).toMatchObject({ status: 0, stderr: '' });
      expect(await services()).toEqual([{ name, running: true }]);
      expect(processesOf(box, 'swap', 'proxyha')).toHaveLength(1);
      expect((await box.lablb('test', 'roundrobin', '-n', '4')).status).toBe(0);
    }
  });
});

describe.skipIf(!ready)('where all nodes share one address', () => {
  const box = new Sandbox({ LABLB_SHARED_ADDRESS: '1' });
  afterAll(() => box.close('shared'));

  it('tells them apart by port, shows so, and keeps the ports', async () => {
    box.write('shared.lab.yaml', topology('shared'));
    expect(await box.lablb('up')).toMatchObject({ status: 0, stderr: '' });
    const [lab] = json((await box.lablb('status', '--json')).stdout);
    const places = lab.nodes.flatMap((node: { address: string; ports: { actual: number }[] }) =>
      node.ports.map(({ actual }) => `${node.address}:${actual}`),
    );
    expect(places).toHaveLength(4);
    expect(new Set(places).size).toBe(4);
    expect(places.every((place: string) => place.startsWith('127.0.0.1:'))).toBe(true);
    expect((await box.lablb('status')).stdout).toMatch(/8000→\d+/);
    expect((await box.lablb('test', 'roundrobin', '-n', '4')).status).toBe(0);
    expect((await box.lablb('up')).stdout).toContain('nothing to do');
  });
});

/** Asks the balancer again and again, a new connection each, until told to stop. */
function askUntilTold(address: string): () => Promise<{ asked: number; failed: string[] }> {
  let stop = false;
  let asked = 0;
  const failed: string[] = [];
  const loop = (async () => {
    while (!stop && asked < 5000) {
      asked++;
      const problem = await new Promise<string | undefined>((resolve) => {
        const request = get(
          { host: address, port: 8080, headers: { host: 'site1.test' }, agent: false },
          (response) => {
            response
              .resume()
              .on('end', () => resolve(response.statusCode === 200 ? undefined : `${response.statusCode}`));
          },
        );
        request.on('error', (error) => resolve(error.message));
      });
      if (problem) failed.push(problem);
      await sleep(5);
    }
  })();
  return async () => {
    stop = true;
    await loop;
    return { asked, failed };
  };
}
