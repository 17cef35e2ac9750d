import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineName } from '../../src/topology/topology.ts';
import { Sandbox, testEngine } from '../support/cli.ts';
import { needs } from '../support/needs.ts';

/** Every suite passes on a lab that is right, and fails with a clear account on one that is not. */
const ENGINES: readonly { engine: EngineName; ready: boolean }[] = [
  { engine: 'lablb', ready: needs('curl') && testEngine() !== undefined },
  { engine: 'haproxy', ready: needs('curl') && needs('haproxy') },
];
/** Each test is some dozens of processes, on a machine that may be busy. */
const TIMEOUT = { timeout: 240_000 };
const SUITES = ['roundrobin', 'leastconn', 'source', 'acl', 'headers', 'errorfiles', 'l4'] as const;
type SuiteName = (typeof SUITES)[number];

function topology(name: string, engine: EngineName): string {
  return `
name: ${name}
nodes:
  web1: { title: SITE1 }
  web2: { title: SITE2 }
  web3: { title: SITE3 }
  proxyha: { engine: ${engine} }
balancer:
  port: 8080
  sites:
    site1.test: { servers: [web1, web2], aliases: [www.site1.test] }
    site2.test: { servers: [web2, web1, web3], balance: leastconn }
    site3.test: { servers: [web1, web2], balance: source }
  stats: { port: 8404 }
  static: { servers: [web3] }
`;
}

/** A change of the configuration by hand, and what a suite then says. */
const WRONG: readonly [suite: SuiteName, what: string, change: [RegExp, string], account: RegExp][] = [
  [
    'roundrobin',
    'the algorithm is another one',
    [/balance roundrobin/g, 'balance first'],
    /✖ not in turn: answer 2 was SITE1, expected SITE2 after SITE1/,
  ],
  [
    'leastconn',
    'the algorithm is another one',
    [/balance leastconn/, 'balance roundrobin'],
    /✖ not the fewest connections: quick request \d went to site2\/web\d, which was busy, while another server was free/,
  ],
  [
    'source',
    'the algorithm is another one',
    [/balance source/, 'balance roundrobin'],
    /✖ the client 127\.0\.0\.1 did not stay: SITE1, then SITE2|✖ the client 127\.0\.0\.1 did not stay: SITE2, then SITE1/,
  ],
  [
    'source',
    'all clients have one server',
    [/balance source/, 'balance first'],
    /✖ the clients do not spread: all 8 have SITE1/,
  ],
  [
    'acl',
    'upper case is another host',
    [/hdr\(host\) -i site1\.test/, 'hdr(host) site1.test'],
    /✖ Host: SITE1\.TEST got status 503, expected one of SITE1, SITE2/,
  ],
  [
    'acl',
    'a site has the backend of another',
    [/use_backend site3 if host_site3/g, 'use_backend site1 if host_site3'],
    /✖ Host: site3\.test has backend site1, expected site3/,
  ],
  [
    'acl',
    'any host has a site',
    [/use_backend site3 if host_site3/g, '$&\n    default_backend site3'],
    /✖ it got status 200, expected 503/,
  ],
  [
    'acl',
    'a kind of file is not known',
    [/ \.png/, ''],
    /✖ \/file\.png has backend site1, expected static_files/,
  ],
  [
    'headers',
    'a field is not set',
    [/ *http-request set-header X-Client-IP %\[src\]\n/g, ''],
    /✖ site1\/web\d does not get X-Client-IP/,
  ],
  [
    'headers',
    'a field is what the client says',
    [/set-header X-Client-IP %\[src\]/g, '$& unless { req.hdr(X-Client-IP) -m found }'],
    /✖ site1\/web\d gets X-Client-IP: 203\.0\.113\.7, expected 127\.0\.0\.1/,
  ],
  [
    'headers',
    'an option is missing',
    [/ *option forwardfor\n/, ''],
    /✖ site1\/web\d does not get X-Forwarded-For/,
  ],
  [
    'errorfiles',
    'one is not named',
    [/ *errorfile 502 .*\n/, ''],
    /✖ haproxy\.cfg on proxyha has no errorfile for 502/,
  ],
  ['errorfiles', 'one is another page', [/( *errorfile 504 ).*\n/, '$1/dev/null\n'], /504 · .*\n.*\n✖ /],
  [
    'errorfiles',
    'one is named for another status',
    [/errors\/403\.http/, 'errors/500.http'],
    /403 · .*\n.*\n✖ it got status 500, expected 403/,
  ],
];

for (const { engine, ready } of ENGINES) {
  describe.skipIf(!ready)(`lablb test with engine ${engine}`, TIMEOUT, () => {
    const lab = `suites-${engine}`;
    const box = new Sandbox();
    const service = engine === 'haproxy' ? 'haproxy' : 'lablb-proxy';
    let config: string;
    let right: string;
    beforeAll(async () => {
      box.write(`${lab}.lab.yaml`, topology(lab, engine));
      expect(await box.lablb('up')).toMatchObject({ status: 0, stderr: '' });
      config = join(box.state, 'lablb', lab, 'nodes/proxyha/etc/haproxy/haproxy.cfg');
      right = readFileSync(config, 'utf8');
    });
    afterAll(() => box.close(lab));

    /** Changes the lab's configuration by hand and has it read, for the length of `use`. */
    async function changed(change: [RegExp, string], use: () => Promise<void>): Promise<void> {
      const wrong = right.replace(...change);
      expect(wrong).not.toBe(right);
      writeFileSync(config, wrong);
      try {
        expect(await box.lablb('exec', 'proxyha', '--', 'service', service, 'reload')).toMatchObject({
          status: 0,
        });
        await use();
      } finally {
        writeFileSync(config, right);
        await box.lablb('exec', 'proxyha', '--', 'service', service, 'reload');
      }
    }

    it.each(SUITES)('%s passes on a lab that is right', async (suite) => {
      const said = await box.lablb('test', suite, '-n', '4');
      expect(said, said.stdout).toMatchObject({ status: 0, stderr: '' });
      expect(said.stdout).toMatch(/✔/);
      expect(said.stdout).not.toMatch(/✖/);
    });

    // Where the two programs might differ; the rest is the same.
    const wrong =
      engine === 'lablb' ? WRONG : WRONG.filter(([suite]) => suite === 'leastconn' || suite === 'headers');
    it.each(wrong)('%s fails when %s', async (suite, _, change, account) => {
      await changed(change, async () => {
        const said = await box.lablb('test', suite, '-n', '4');
        expect(said.stdout, said.stderr).toMatch(account);
        expect(said.stdout).toMatch(/\d+ cases? of \d+ did not hold\n$/);
        expect(said).toMatchObject({ status: 1, stderr: '' });
      });
    });

    it('errorfiles fails when a page was changed by hand, read or not', async () => {
      const page = join(config, '../errors/503.http');
      const kept = readFileSync(page, 'utf8');
      writeFileSync(page, kept.replace('<h1>', '<h1>Sorry: '));
      const said = await box.lablb('test', 'errorfiles');
      writeFileSync(page, kept);
      expect(said.stdout).toContain(
        '✖ /etc/haproxy/errors/503.http on proxyha is not as lablb wrote it: changed by hand',
      );
      expect(said.status).toBe(1);
    });

    it('l4 fails when a server does not answer', async () => {
      await box.lablb('exec', 'web2', '--', 'service', 'web', 'stop');
      const said = await box.lablb('test', 'l4');
      await box.lablb('exec', 'web2', '--', 'service', 'web', 'start');
      expect(said.stdout).toMatch(/✖ connection \d got nothing, expected 3 times one of SITE1, SITE2, SITE3/);
      expect(said.status).toBe(1);
    });

    it('tells that a configuration cannot be started', async () => {
      writeFileSync(config, right.replace('balance leastconn', 'balance nonsense'));
      const said = await box.lablb('test', 'leastconn');
      writeFileSync(config, right);
      expect(said.stdout).toMatch(
        /✖ the program refuses the configuration that the test made of it; .*balance/,
      );
      expect(said.status).toBe(1);
    });

    it('ends on Ctrl-C at once, with nothing left and nothing said of `up`', async () => {
      const { child, ended } = box.start('test', 'source');
      await new Promise<void>((resolve) =>
        child.stdout!.on('data', (text: string) => text.includes('twin') && resolve()),
      );
      const [folder] = sideFolders(box);
      expect(folder).toBeDefined();
      child.kill('SIGINT');
      const said = await ended;
      expect(said).toMatchObject({ status: 130, stderr: expect.stringContaining('interrupted') });
      expect(said.stderr).not.toContain('lablb up');
      await expect.poll(() => existsSync(folder!), { timeout: 10_000 }).toBe(false);
    });

    it('gives programs every case', async () => {
      const junit = join(box.folder, 'junit.xml');
      const said = await box.lablb('test', 'all', '-n', '4', '--json', '--junit', junit);
      const { ok, results } = JSON.parse(said.stdout);
      expect(ok).toBe(said.status === 0);
      const names = results.map(({ suite }: { suite: string }) => suite);
      expect(names).toEqual(expect.arrayContaining([...SUITES]));
      const xml = readFileSync(junit, 'utf8');
      for (const suite of SUITES) expect(xml).toContain(`<testsuite name="${suite}"`);
      const failed = results.filter(
        ({ suite, cases }: { suite: SuiteName; cases: { failure?: string }[] }) =>
          SUITES.includes(suite) && cases.some(({ failure }) => failure !== undefined),
      );
      expect(failed).toEqual([]);
    });
  });
}

/** Folders of side balancers that are up now: in those of the nodes that they run on. */
function sideFolders(box: Sandbox): string[] {
  return readdirSync(join(box.state, 'lablb'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /(?:^|\/)lablb-side-[0-9a-f]+$/.test(path))
    .map((path) => join(box.state, 'lablb', path))
    .filter((folder) => existsSync(join(folder, 'haproxy.cfg')));
}

describe.skipIf(!ENGINES[0]!.ready)('lablb test with a configuration of one’s own', TIMEOUT, () => {
  const box = new Sandbox();
  afterAll(() => box.close('mine'));

  it('says what it cannot know, and proves what it can', async () => {
    box.write(
      'haproxy.cfg.hbs',
      `defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend main
    bind {{bind}}:{{port}}
    default_backend app
backend app
    balance roundrobin
{{#each webs}}
    server {{name}} {{at}}:{{port}}
{{/each}}
`,
    );
    box.write(
      'mine.lab.yaml',
      'name: mine\nnodes: { web: { count: 2 } }\nbalancer: { port: 8080, config: ./haproxy.cfg.hbs }\n',
    );
    expect(await box.lablb('up')).toMatchObject({ status: 0 });
    const said = await box.lablb('test', 'roundrobin', 'leastconn', 'headers', 'acl');
    expect(said.status).toBe(1);
    expect(said.stdout).toContain('nothing was proved: not one case could be tried');
    expect(said.stdout).toMatch(
      /○ roundrobin: skipped, the configuration is your own.* \(name hosts and servers in balancer\.sites\)/,
    );
    expect(said.stdout).toMatch(/○ headers: skipped, the configuration is your own/);
    const fewer = await box.lablb('test', 'l4', 'errorfiles');
    expect(fewer.stdout).toContain('○ errorfiles: skipped, the configuration names no error file');
    expect(fewer.status).toBe(0);
  });
});
