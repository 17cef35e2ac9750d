import { appendFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, testEngine } from '../support/cli.ts';
import { reservePort } from '../support/ports.ts';

describe.skipIf(!testEngine())('a configuration of one’s own whose port is taken', () => {
  const box = new Sandbox();
  let holder: Server;
  beforeAll(() => new Promise<void>((resolve) => (holder = createServer().listen(0, '127.0.0.1', resolve))));
  afterAll(async () => {
    holder.close();
    await box.close('own');
  });

  it('does not start, with a way out', async () => {
    const { port } = holder.address() as { port: number };
    const config = `defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\nfrontend f\n  bind 127.0.0.1:${port}\n  default_backend b\nbackend b\n  server s 127.0.0.1:9\n`;
    box.write('haproxy.cfg', config);
    box.write(
      'own.lab.yaml',
      'name: own\nnodes: { web1: { port: 8000 } }\nbalancer: { config: ./haproxy.cfg }\n',
    );
    const up = await box.lablb('up');
    expect(up.status).toBe(1);
    expect(up.stderr).toMatch(
      /did not start[\s\S]*try: another address or port[\s\S]*bind \{\{bind\}\}:\{\{port\}\}/,
    );
  });
});

const CONFIG = `defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend f
  bind 127.0.0.1:8099
  default_backend b
backend b
  server s 127.0.0.1:9
`;

describe.skipIf(!testEngine()?.endsWith('lablb-proxy'))('a mistake in a configuration of one’s own', () => {
  const box = new Sandbox();
  afterAll(() => box.close('own'));
  const topology = (file: string, rest = ''): string =>
    box.write(
      'own.lab.yaml',
      `name: own\nnodes: { web: { count: 2 }${rest} }\nbalancer: { config: ${file} }\n`,
    );

  it('is refused at its place before anything is touched', async () => {
    box.write('haproxy.cfg', CONFIG.replace('default_backend', 'defualt_backend'));
    topology('./haproxy.cfg');
    for (const command of ['validate', 'up']) {
      const said = await box.lablb(command, 'own.lab.yaml');
      expect(said.status).toBe(2);
      expect(said.stdout + said.stderr).toMatch(/haproxy\.cfg:8:3 .*unknown keyword 'defualt_backend'/);
    }
    expect((await box.lablb('status')).stdout).toMatch(/no lab is up/);
  });

  it('is a warning where HAProxy runs, and nothing where only our engine lacks it', async () => {
    box.write('haproxy.cfg', `${CONFIG}  balnce first\npeers p\n`);
    topology('./haproxy.cfg', ', proxy: { engine: haproxy }');
    const { status, stdout } = await box.lablb('validate');
    expect(status).toBe(0);
    expect(stdout).toMatch(/haproxy\.cfg:11:3 {2}warning: unknown keyword 'balnce'/);
    expect(stdout).not.toMatch(/peers/);
  });

  it('does not count files that only a machine has', async () => {
    box.write(
      'haproxy.cfg',
      CONFIG.replace('  mode http\n', '  mode http\n  errorfile 400 /nowhere/400.http\n'),
    );
    topology('./haproxy.cfg');
    expect((await box.lablb('validate', '--provider', 'lxd')).status).toBe(0);
    expect((await box.lablb('validate')).status).toBe(2);
  });

  it('is placed in the template, or in the line that the template makes', async () => {
    const servers = CONFIG.replace(
      'server s 127.0.0.1:9',
      '{{#each webs}}\n  server {{name}} {{at}} chekc\n{{/each}}',
    );
    box.write('haproxy.cfg.hbs', servers.replace('mode http', 'moed http'));
    topology('./haproxy.cfg.hbs');
    const { status, stdout } = await box.lablb('validate');
    expect(status).toBe(2);
    expect(stdout).toMatch(/haproxy\.cfg\.hbs:2:3 .*moed/);
    expect(stdout).toMatch(
      /haproxy\.cfg\.hbs \(as proxyha has it\):\d+:\d+ .*'chekc'[^\n]*\n +\d+ \| +server web1/,
    );
  });
});

describe.skipIf(!testEngine())('a configuration of one’s own that works', () => {
  const box = new Sandbox();
  afterAll(() => box.close('own'));

  it('is what is shown: where it answers, and that it changed', async () => {
    const port = await reservePort();
    const place = `127.0.0.1:${port}`;
    const file = box.write(
      'haproxy.cfg.hbs',
      `${CONFIG.replace('127.0.0.1:8099', place).replace(/ {2}server.*\n/, '')}{{#each webs}}  server {{name}} {{address}}:{{port}}\n{{/each}}`,
    );
    box.write(
      'own.lab.yaml',
      'name: own\nnodes: { web: { count: 2, port: 8000 } }\nbalancer: { config: ./haproxy.cfg.hbs, sites: { a.test: [web1, web2] } }\n',
    );
    expect((await box.lablb('up')).stdout).toContain(`curl -H 'Host: a.test' http://${place}/`);
    const { stdout } = await box.lablb('status');
    expect(stdout).toMatch(new RegExp(`proxyha +running +127\\.\\S+ +${port} +lablb-proxy`));
    expect(await box.lablb('test', 'roundrobin')).toMatchObject({ status: 0 });
    appendFileSync(file, '# more\n');
    expect((await box.lablb('status')).stdout).toContain('haproxy.cfg.hbs changed since: `lablb up`');
  });
});
