import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { starterTopology } from '../../src/render/starter.ts';
import { PROVIDERS } from '../../src/topology/schema.ts';
import { topologyOf } from '../render/support.ts';
import { workspace } from './support.ts';

const { folder, lablb } = workspace();

describe('lablb init', () => {
  it('writes a topology that validates', async () => {
    const { status, stdout } = await lablb(['init', '--name', 'rocky', '--provider', 'lxd']);
    expect(stdout).toContain("wrote rocky.lab.yaml: lab 'rocky' on lxd");
    expect(status).toBe(EXIT.ok);
    expect((await lablb(['validate'])).stdout).toBe("✔ rocky.lab.yaml: lab 'rocky', lxd, 3 nodes, 2 sites\n");
  });

  it('writes over nothing unless it must', async () => {
    const file = join(folder(), 'x.lab.yaml');
    writeFileSync(file, 'mine');
    const refused = await lablb(['init', '--name', 'x']);
    expect([refused.status, refused.stderr]).toEqual([
      EXIT.refused,
      expect.stringContaining('is there already'),
    ]);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect((await lablb(['init', '--name', 'x', '--force'])).status).toBe(EXIT.ok);
    expect(readFileSync(file, 'utf8')).toContain('name: x\n');
  });

  it('says that a folder of the file is a file', async () => {
    writeFileSync(join(folder(), 'plain'), '');
    const { status, stderr } = await lablb(['init', 'plain/x.yaml', '--name', 'x', '--force']);
    expect([status, stderr]).toEqual([EXIT.refused, expect.stringMatching(/cannot write plain\/x\.yaml/)]);
  });

  it('asks for the file when a folder is named, also by force', async () => {
    mkdirSync(join(folder(), 'labs'));
    for (const force of [[], ['--force']]) {
      const { status, stderr } = await lablb(['init', 'labs', ...force]);
      expect([status, stderr]).toEqual([
        EXIT.refused,
        '✖ labs is a folder; what is the file to be called?\n',
      ]);
    }
  });

  it('makes the folder of the file, and reports as JSON', async () => {
    const { stdout } = await lablb(['init', 'labs/first.yaml', '--name', 'first', '--json']);
    expect(JSON.parse(stdout)).toEqual({ file: 'labs/first.yaml', name: 'first', provider: 'local' });
    expect(readFileSync(join(folder(), 'labs/first.yaml'), 'utf8')).toContain('provider: local\n');
  });

  it.each([
    [['--name', 'Rocky Lab'], "'Rocky Lab' is unfit for the name of a lab"],
    [['--provider', 'docker'], "--provider cannot be 'docker'; it is one of: local, lxd, ssh"],
  ])('refuses %j', async (args, message) => {
    const { status, stderr } = await lablb(['init', ...args]);
    expect(stderr).toContain(message);
    expect(status).toBe(EXIT.refused);
  });
});

describe('starterTopology', () => {
  it.each(PROVIDERS)('validates for %s', (provider) => {
    const { name, text } = starterTopology('x', provider);
    expect(topologyOf(text)).toMatchObject({ name, provider });
  });

  it.each(PROVIDERS)('validates for %s with every setting that it shows behind a #', (provider) => {
    const text = starterTopology('x', provider).text.replace(
      /^( *)# (?=[a-z]+: \S)(?!in editors|yaml-)/gm,
      '$1',
    );
    expect(text).toContain('\n    user: haproxy');
    expect(text).toContain('\n  log: {');
    const options = { env: { STATS_PASSWORD: 'x' }, readFile: () => 'global\n' };
    expect(topologyOf(text, options).balancer).toMatchObject({ stats: { user: 'haproxy', password: 'x' } });
  });

  it.each([
    ['My Lab!', 'my-lab'],
    ['2nd-try', 'nd-try'],
    ['---', 'lab'],
    ['ä', 'lab'],
  ])('makes a name of the folder %s: %s', (folder, name) => {
    expect(starterTopology(folder, 'local', false).name).toBe(name);
  });
});
