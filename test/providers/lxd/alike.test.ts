import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LxdProvider } from '../../../src/providers/lxd/lxd.ts';
import { preparedAlias } from '../../../src/providers/lxd/prepared.ts';
import { topologyOf } from '../../support/topology.ts';

const folder = mkdtempSync(join(tmpdir(), 'lablb-alike-'));
const log = join(folder, 'log');
const { PATH } = process.env;
beforeEach(() => writeFileSync(log, ''));
afterEach(() => {
  process.env.PATH = PATH;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A client that notes what it was asked, has no instances, and does what the script says beside. */
function fakeClient(script = ''): void {
  const answers = `case "$1 $2" in "list "*|"image list") echo '[]' ;; esac`;
  const file = join(folder, 'lxc');
  writeFileSync(
    file,
    `#!/bin/sh\nline=$(echo "$*" | tr '\\n' ' '); echo "$line" >>${log}\n${script}\n${answers}\n`,
  );
  chmodSync(file, 0o755);
  process.env.PATH = `${folder}:${PATH}`;
}

/** What was asked that made instances or images, in order. */
const made = (): string[] =>
  readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => /^(?:init|copy|publish|delete) /.test(line))
    .map((line) =>
      line.trimEnd().replace(/ --(?:quiet|instance-only|compression none)| --(?:config|profile) \S+/g, ''),
    );

const LAB = (count: number): string => `name: rocky
provider: lxd
lxd: {command: lxc, image: rockylinux/8, macvlan: false}
nodes:
  web: {count: ${count}, server: httpd}
  client: {role: client}
`;

async function create(count: number, names: readonly string[]): Promise<void> {
  const topology = topologyOf(LAB(count));
  const provider = new LxdProvider(topology);
  await provider.observe('rocky');
  const nodes = topology.nodes.filter(({ name }) => names.includes(name));
  await Promise.all(nodes.map((node) => provider.create({ ...node, lab: 'rocky' })));
  await provider.settle();
}

describe('nodes that are alike', () => {
  it('are copies of the first, which got the packages; another kind is not', async () => {
    fakeClient();
    await create(3, ['web1', 'web2', 'web3', 'client']);
    expect(made().toSorted()).toEqual([
      'copy web1 web2',
      'copy web1 web3',
      'init rockylinux/8 client',
      'init rockylinux/8 web1',
    ]);
    const asked = readFileSync(log, 'utf8').split('\n');
    const install = asked.findIndex((line) => line.includes('/var/lib/lablb/packages'));
    const copy = asked.findIndex((line) => line.startsWith('copy '));
    expect(install).toBeGreaterThan(0);
    expect(copy).toBeGreaterThan(install);
    expect(asked.find((line) => line.startsWith('copy ') && line.includes('web1 web2'))).toContain(
      'user.lablb.node=web2',
    );
  });

  it('are each made from the image when the first one cannot be copied', async () => {
    fakeClient('if [ "$1" = copy ]; then echo "Error: no such thing here" >&2; exit 1; fi');
    await create(2, ['web1', 'web2']);
    expect(made()).toEqual(['init rockylinux/8 web1', 'copy web1 web2', 'init rockylinux/8 web2']);
  });

  it('are made from the image when the first had no reason to prepare: they came too late for that', async () => {
    fakeClient('if [ "$1 $2" = "exec web1" ]; then sleep 0.5; fi');
    const topology = topologyOf(LAB(4));
    const provider = new LxdProvider(topology);
    await provider.observe('rocky');
    const make = (name: string) =>
      provider.create({ ...topology.nodes.find((node) => node.name === name)!, lab: 'rocky' });
    const first = make('web1');
    await expect.poll(() => readFileSync(log, 'utf8')).toContain('exec web1');
    await Promise.all([first, make('web2')]);
    await provider.settle();
    expect(made()).toEqual(['init rockylinux/8 web1', 'init rockylinux/8 web2']);
  });

  it('wait for nobody when they come alone', async () => {
    fakeClient();
    await create(2, ['web2']);
    expect(made()).toEqual(['init rockylinux/8 web2']);
    expect(readFileSync(log, 'utf8')).not.toContain('/var/lib/lablb/packages');
  });

  it('leave an image behind when there are many, and are made from it next time', async () => {
    fakeClient();
    const webs = ['web1', 'web2', 'web3', 'web4'];
    const preparation = { lab: 'rocky', family: 'rhel', packages: ['httpd'] };
    const alias = preparedAlias('rockylinux/8', preparation);
    const draft = `lablb-${alias.split('/').at(-1)}`;
    await create(4, webs);
    expect(made()).toContain(`copy web1 ${draft}`);
    expect(made()).toContain(`publish ${draft} --alias ${alias}`);
    expect(made().at(-1)).toBe(`delete --force ${draft}`);
    writeFileSync(log, '');
    const images = JSON.stringify([{ fingerprint: 'f', type: 'container', aliases: [{ name: alias }] }]);
    fakeClient(`if [ "$1" = image ]; then echo '${images}'; exit 0; fi`);
    await create(4, webs);
    expect(made().toSorted()).toEqual(webs.map((name) => `init ${alias} ${name}`));
  });
});
