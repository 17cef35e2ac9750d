import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, testEngine } from '../support/cli.ts';
import { needs } from '../support/needs.ts';

const ready = needs('curl') && (testEngine() !== undefined || needs('haproxy'));

function topology(name: string, more = '', proxy = ''): string {
  return `
name: ${name}
nodes:
  web1: { title: SITE1, port: 8000 }
  web2: { title: SITE2, port: 8000 }
  proxyha: {${proxy}}
balancer:
  port: 8080
${more || '  check: { path: /, inter: 200ms, rise: 2, fall: 2 }'}
`;
}

/** A request to a node itself: the status, or why there is none. */
function ask(url: string, timeout = 1500): Promise<{ got: number | string; ms: number }> {
  const started = performance.now();
  return new Promise((resolve) => {
    const tell = (got: number | string): void => resolve({ got, ms: performance.now() - started });
    const request = get(url, { agent: false, timeout }, (response) => {
      response.resume();
      response.once('end', () => tell(response.statusCode!));
    });
    request.once('timeout', () => request.destroy(Object.assign(new Error(), { code: 'SILENT' })));
    request.once('error', (error: NodeJS.ErrnoException) => tell(error.code ?? error.message));
  });
}

interface StatusJson {
  readonly nodes: readonly {
    name: string;
    address: string;
    ports: { actual: number }[];
    fault?: { how: string };
  }[];
  readonly drift: readonly { node: string; what: string; fault?: string }[];
  readonly balancing: readonly { name: string; up: number; total: number }[];
}

describe.skipIf(!ready)('faults, by hand', () => {
  const box = new Sandbox();
  let web1: string;
  const status = async (): Promise<StatusJson> => JSON.parse((await box.lablb('status', '--json')).stdout)[0];
  const must = async (...args: string[]): Promise<string> => {
    const said = await box.lablb(...args);
    expect(said, args.join(' ')).toMatchObject({ status: 0, stderr: '' });
    return said.stdout;
  };
  beforeAll(async () => {
    box.write('faults.lab.yaml', topology('faults'));
    await must('up');
    const node = (await status()).nodes.find(({ name }) => name === 'web1')!;
    web1 = `http://${node.address}:${node.ports[0]!.actual}/`;
  });
  afterAll(() => box.close('faults'));

  it.each([
    ['stop', 'ECONNREFUSED', 'stopped'],
    ['freeze', 'SILENT', 'frozen'],
    ['refuse', 'ECONNREFUSED', 'refusing'],
    ['error', 500, 'answering 500'],
  ])('%s is felt, shown, and healed', async (how, got, shown) => {
    expect(await must('fail', 'web1', '--how', how)).toMatch(/^web1 fails now: .*\(lablb heal web1\)\n$/);
    expect((await ask(web1)).got).toBe(got);
    expect(await must('status')).toMatch(
      new RegExp(`web ${shown}[\\s\\S]*web1 failed by hand: ${how} · lablb heal web1\n`),
    );
    expect(await must('heal', 'web1')).toBe(`web1 is well again (${how}): web runs\n`);
    expect((await ask(web1)).got).toBe(200);
    expect((await status()).drift).toEqual([]);
  });

  it('slow lets every answer wait', async () => {
    await must('fail', 'web1', '--how', 'slow', '--delay', '600ms');
    const { got, ms } = await ask(web1, 20_000);
    expect(got).toBe(200);
    expect(ms).toBeGreaterThanOrEqual(590);
    await must('heal');
  });

  it('is mended by up, which says why', async () => {
    await must('fail', 'web1', '--how', 'error');
    expect(await must('up', '--dry-run')).toMatch(
      /web1 {2}heal service web {2}because it was made to fail by hand: error\n1 step;/,
    );
    expect(await must('up')).toMatch(/heal service web/);
    expect((await ask(web1)).got).toBe(200);
    expect(await must('up')).toMatch(/nothing to do/);
  });

  it('is over when the node restarts', async () => {
    await must('fail', 'web1', '--how', 'freeze');
    await must('restart', 'web1');
    expect((await ask(web1)).got).toBe(200);
    expect((await status()).drift).toEqual([]);
  });

  it('freezes and heals a proxy; heal without a name means all of them', async () => {
    await must('fail', 'web2');
    await must('fail', 'proxyha', '--how', 'freeze');
    const seen = await status();
    expect(seen.drift.map(({ node, fault }) => [node, fault])).toEqual([
      ['web2', 'stop'],
      ['proxyha', 'freeze'],
    ]);
    expect(await must('heal')).toMatch(/^web2 is well again[^\n]*\nproxyha is well again[^\n]*\n$/);
    expect(await must('heal')).toBe('no node was made to fail: nothing to do\n');
    expect(await must('heal', 'web1')).toBe('web1 was not made to fail: nothing to do\n');
  });

  it('refuses what cannot be, and says what can', async () => {
    const refused = async (status: number, message: RegExp, ...args: string[]): Promise<void> => {
      const said = await box.lablb(...args);
      expect(said).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(message) });
    };
    await refused(2, /has no node 'web11'; did you mean 'web1'\?/, 'fail', 'web11');
    await refused(
      2,
      /--how cannot be 'melt'; it is one of: stop, freeze, slow/,
      'fail',
      'web1',
      '--how',
      'melt',
    );
    await refused(2, /'soon' is not a time/, 'fail', 'web1', '--how', 'slow', '--delay', 'soon');
    await refused(
      2,
      /proxy node cannot fail by 'error'; it can: stop, freeze/,
      'fail',
      'proxyha',
      '--how',
      'error',
    );
    await refused(2, /no lab called 'other' is up/, 'fail', 'web1', '--name', 'other');
    await must('fail', 'web1', '--how', 'freeze');
    await refused(2, /web1: it was made to fail already: freeze\n.*lablb heal web1/, 'fail', 'web1');
    await must('heal');
    await must('exec', 'web1', '--', 'service', 'web', 'stop');
    await refused(
      1,
      /web1: web does not run, so it cannot be made to fail/,
      'fail',
      'web1',
      '--how',
      'freeze',
    );
    await must('up');
  });

  it('tells the servers that are up without a statistics page, and shows the statistics', async () => {
    await must('fail', 'web1');
    await expect
      .poll(async () => (await status()).balancing, { timeout: 60_000, interval: 200 })
      .toEqual([{ name: 'web_servers', up: 1, total: 2 }]);
    expect(await must('stats')).toMatch(
      /faults · proxyha\n.*status.*\n[\s\S]* {2}web1 +DOWN .*\n {2}web2 +UP /,
    );
    expect(await must('stats', '--csv')).toMatch(/^# pxname,svname,[\s\S]*\nweb_servers,web1,/);
    const { rows } = JSON.parse(await must('stats', '--json'));
    expect(rows).toContainEqual(expect.objectContaining({ svname: 'web2', type: 2, status: 'UP' }));
    await must('heal');
  });

  it('survives a reload with its runtime socket', async () => {
    for (let i = 0; i < 2; i++) {
      await must('up', '--force');
      expect(await must('stats', '--csv')).toContain('web_servers,web1,');
    }
  });

  it('leaves nothing behind a frozen lab that goes down', async () => {
    await must('fail', 'web1', '--how', 'freeze');
    await must('down');
    expect((await ask(web1)).got).toBe('ECONNREFUSED');
  });
});

describe.skipIf(!ready)('lablb test failover', () => {
  const box = new Sandbox();
  const labs: string[] = [];
  afterAll(() => box.close(...labs));

  async function lab(name: string, text: string): Promise<string> {
    labs.push(name);
    const file = box.write(`${name}.lab.yaml`, text);
    expect(await box.lablb('up', file)).toMatchObject({ status: 0 });
    return file;
  }

  it.each([
    ['lablb', ''],
    ['haproxy', ' engine: haproxy '],
  ])('loses nothing and tells the times (engine: %s)', async (engine, proxy) => {
    if (engine === 'haproxy' && !needs('haproxy')) return;
    const file = await lab(`pass-${engine}`, topology(`pass-${engine}`, '', proxy));
    const said = await box.lablb('test', 'failover', '-t', file);
    expect(said, said.stdout).toMatchObject({ status: 0, stderr: '' });
    expect(said.stdout).toMatch(/stop web1 under 50 requests\/s from proxyha/);
    expect(said.stdout).toMatch(
      /0\.00 s {2}web1 stopped\n +\d+\.\d\d s {2}web1 DOWN {2}\(fall 2 × inter 200ms: expected ≤ 0\.40 s\)/,
    );
    expect(said.stdout).toMatch(/web1 UP {4}\(rise 2 × inter 200ms/);
    expect(said.stdout).toMatch(/\d+ requests, 0 failed, \d+ sent again to web2\n✔ nothing lost/);
    expect((await box.lablb('up', file)).stdout).toMatch(/nothing to do/);
  });

  it('counts what hangs on a frozen server, and heals it', async () => {
    const check = '  check: { inter: 200ms, timeout: 500ms, rise: 2, fall: 2 }';
    const file = await lab('frozen', topology('frozen', check));
    const said = await box.lablb('test', 'failover', '--how', 'freeze', '-t', file);
    expect(said, said.stdout).toMatchObject({ status: 0, stderr: '' });
    expect(said.stdout).toMatch(
      /web1 frozen\n +\d+\.\d\d s {2}web1 DOWN {2}\(fall 2 × \(inter 200ms \+ timeout 500ms\): expected ≤ 1\.40 s\)/,
    );
    expect(said.stdout).toMatch(/requests, 0 failed, /);
    expect((await box.lablb('up', file)).stdout).toMatch(/nothing to do/);
  });

  it('says what is lost by a configuration that sends nothing again', async () => {
    box.write('lossy.cfg.hbs', own('check inter 200ms', 'retries 0'));
    const file = await lab('lossy', topology('lossy', '  config: lossy.cfg.hbs'));
    const said = await box.lablb('test', 'failover', '-t', file);
    expect(said.status, said.stdout).toBe(1);
    expect(said.stdout).toMatch(/✖ \d+ of \d+ requests failed \(\d+ × 50[23].*'option redispatch'/);
  });

  it('says that nobody looks after servers without checks', async () => {
    const file = await lab('unchecked', topology('unchecked', '  check: false'));
    const said = await box.lablb('test', 'failover', '-t', file);
    expect(said.status).toBe(1);
    expect(said.stdout).toMatch(
      /✖ web1 was stopped and the balancer did not notice: its servers are not checked/,
    );
    expect((await box.lablb('up', file)).stdout).toMatch(/nothing to do/);
  });

  it('has nothing to try where one server is alone', async () => {
    const alone = topology('alone', '  sites: { a.test: [web1], b.test: [web2] }');
    const said = await box.lablb('test', 'failover', '-t', await lab('alone', alone));
    expect(said.status).toBe(1);
    expect(said.stdout).toMatch(/failover: skipped, no site has a second server/);
  });

  it('heals the server when it is interrupted', async () => {
    const file = await lab('stopped', topology('stopped', '  check: { inter: 60s }'));
    const { child, ended } = box.start('test', 'failover', '-t', file);
    let shown = '';
    child.stdout!.on('data', (text: string) => {
      shown += text;
    });
    await expect.poll(() => shown, { timeout: 60_000, interval: 50 }).toMatch(/web1 stopped/);
    await sleep(100);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ status: 130 });
    expect((await box.lablb('up', file)).stdout).toMatch(/nothing to do/);
  });
});

/** A configuration of the user's own. */
function own(server: string, settings: string): string {
  return `global
  stats socket {{word socket}} mode 600 level admin
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s
  ${settings}
frontend front
  bind {{bind}}:{{port}}
  default_backend back
backend back
{{#each webs}}
  server {{name}} {{at}}:{{port}} ${server}
{{/each}}
`;
}
