import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { kindOfFile } from '../../src/cli/check-file.ts';
import { EXIT } from '../../src/errors.ts';
import { needs, which } from '../support/needs.ts';
import { workspace } from './support.ts';

const QUICKSTART = fileURLToPath(new URL('../../topologies/quickstart.yaml', import.meta.url));
const { folder, lablb } = workspace();
const write = (name: string, text: string): void => writeFileSync(join(folder(), name), text);

describe('lablb validate', () => {
  it('says what a topology is', async () => {
    const { status, stdout } = await lablb(['validate', QUICKSTART]);
    expect(stdout).toBe(`✔ ${QUICKSTART}: lab 'quickstart', local, 3 nodes, 2 sites\n`);
    expect(status).toBe(EXIT.ok);
  });

  it('takes the only topology of the folder', async () => {
    write('x.lab.yaml', 'nodes: { web: { count: 2 } }\n');
    write('other.yaml', 'not: one of ours\n');
    expect((await lablb(['validate'])).stdout).toContain("✔ x.lab.yaml: lab 'x', local, 3 nodes");
  });

  it('will not guess between several, or none', async () => {
    const none = await lablb(['validate']);
    expect([none.status, none.stderr]).toEqual([EXIT.refused, expect.stringContaining('no topology in')]);
    write('a.lab.yaml', '');
    write('topology.yml', '');
    const several = await lablb(['validate']);
    expect(several.stderr).toContain('several topologies here: a.lab.yaml, topology.yml');
    expect(several.status).toBe(EXIT.refused);
  });

  it('reports every file and every mistake, and exits with 2', async () => {
    write('bad.yaml', 'nodes:\n  web1: { role: wbe }\n  web2: { prot: 1 }\n');
    write('good.yaml', 'nodes: { web: }\n');
    const { status, stdout } = await lablb(['validate', 'bad.yaml', 'good.yaml']);
    expect(stdout).toContain(
      "bad.yaml:2:17  nodes.web1.role: unknown role 'wbe'; did you mean 'web'?\n   2 | ",
    );
    expect(stdout).toContain("bad.yaml:3:11  nodes.web2: unknown key 'prot'; did you mean 'port'?\n");
    expect(stdout).toContain('✖ bad.yaml: refused\n✔ good.yaml: ');
    expect(status).toBe(EXIT.refused);
  });

  it('reports as JSON', async () => {
    write('bad.yaml', 'nodes:\n  web1: { role: wbe }\n');
    const { status, stdout } = await lablb(['validate', '--json', 'bad.yaml']);
    expect(JSON.parse(stdout)).toEqual({
      files: [
        {
          file: 'bad.yaml',
          kind: 'topology',
          valid: false,
          summary: 'refused',
          diagnostics: [
            {
              severity: 'error',
              message: "nodes.web1.role: unknown role 'wbe'",
              place: { file: 'bad.yaml', line: 2, column: 17, length: 3 },
              hint: "did you mean 'web'?",
            },
          ],
        },
      ],
    });
    expect(status).toBe(EXIT.refused);
  });

  it('shows defaults with their origin, in a file that validates, without the password', async () => {
    write('x.lab.yaml', 'nodes: { web: }\nbalancer:\n  stats: { user: u, password: ${PW}, port: 8404 }\n');
    const { stdout } = await lablb(['validate', '--show-defaults'], { PW: 'hunter2' });
    expect(stdout).toContain('    port: 8404 # line 3\n');
    expect(stdout).toContain('  balance: roundrobin # default\n');
    expect(stdout).toContain('    password: ${PW} # line 3, from PW\n');
    expect(stdout).not.toContain('hunter2');
    write('x.lab.yaml', stdout);
    expect((await lablb(['validate'], { PW: 'hunter2' })).status).toBe(EXIT.ok);
  });

  it('finds what is wrong with a template of the user’s', async () => {
    write('x.lab.yaml', 'nodes: { web: }\nbalancer: { config: x.cfg.hbs }\n');
    write('x.cfg.hbs', 'global\n{{nobody}}\n');
    const { status, stdout } = await lablb(['validate']);
    expect(stdout).toContain("x.cfg.hbs:2:3  the template names 'nobody', which there is not");
    expect(status).toBe(EXIT.refused);
  });

  it.skipIf(!needs('haproxy'))('asks the engine about a haproxy.cfg', async () => {
    write(
      'good.cfg',
      'listen x\n    bind 127.0.0.1:8099\n    timeout client 1s\n    timeout server 1s\n    timeout connect 1s\n',
    );
    write('bad.cfg', 'frontend x\n    bnd *:80\n');
    const env = { LABLB_ENGINE: which('haproxy')! };
    const good = await lablb(['validate', 'good.cfg'], env);
    expect([good.status, good.stdout]).toEqual([EXIT.ok, '✔ good.cfg: configuration is valid\n']);
    const bad = await lablb(['validate', 'bad.cfg'], env);
    expect([bad.status, bad.stdout]).toEqual([
      EXIT.refused,
      expect.stringContaining("unknown keyword 'bnd'"),
    ]);
  });

  it('says when the engine is not there', async () => {
    write('x.cfg', 'global\n');
    const { status, stderr } = await lablb(['validate', 'x.cfg'], { LABLB_ENGINE: '/nowhere/lablb-proxy' });
    expect([status, stderr]).toEqual([EXIT.missing, expect.stringContaining('the engine is not there')]);
  });
});

describe('kindOfFile', () => {
  it.each([
    ['# a comment\n\nglobal\n  daemon\n', 'x', 'configuration'],
    ['defaults\n  mode http\n', 'x', 'configuration'],
    ['frontend main *:5000\n', 'x.yaml', 'configuration'],
    ['.if defined(X)\nglobal\n.endif\n', 'x', 'configuration'],
    ['defaults: { server: nginx }\n', 'x', 'topology'],
    ['global: 1\n', 'x', 'topology'],
    ['name: x\n', 'topology.yaml', 'topology'],
    ['', 'haproxy.cfg', 'configuration'],
    ['', 'x.lab.yaml', 'topology'],
    ['  bind *:80\n', 'haproxy.cfg', 'configuration'],
  ])('%j in %s: %s', (text, file, kind) => {
    expect(kindOfFile(text, file)).toBe(kind);
  });
});
