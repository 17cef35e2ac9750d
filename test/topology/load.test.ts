import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT, LabError } from '../../src/errors.ts';
import { findTopology, isTopologyName, loadTopology } from '../../src/topology/load.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lablb-load-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text = 'nodes: { web: }'): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('findTopology', () => {
  it.each(['x.lab.yaml', 'x.lab.yml', 'topology.yaml', 'topology.yml'])('finds %s', async (name) => {
    write(name);
    write('values.yaml');
    write('mytopology.yaml');
    expect(await findTopology(folder)).toBe(join(folder, name));
  });

  it('refuses none and several', async () => {
    await expect(findTopology(folder)).rejects.toMatchObject({
      fields: { code: 'topology.none', exit: EXIT.refused },
    });
    write('b.lab.yaml');
    write('topology.yaml');
    await expect(findTopology(folder)).rejects.toThrow('several topologies here: b.lab.yaml, topology.yaml');
  });

  it('knows names with folders', () => {
    expect(isTopologyName('/a/b/rocky.lab.yaml')).toBe(true);
    expect(isTopologyName('/a/topology.yaml/x.yaml')).toBe(false);
    expect(isTopologyName('.lab.yaml')).toBe(false);
  });
});

describe('loadTopology', () => {
  it('reads the configuration beside the file', async () => {
    write('haproxy.cfg', 'global\n');
    const file = write('x.lab.yaml', 'nodes: { web: }\nbalancer: { config: haproxy.cfg }');
    const { balancer, name } = await loadTopology(file);
    expect(name).toBe('x');
    expect(balancer.config).toEqual({ file: 'haproxy.cfg', text: 'global\n', template: false });
  });

  it('takes the environment and the provider that it is given', async () => {
    const file = write('x.lab.yaml', `name: $\{LAB}\nnodes: { web: }`);
    expect(await loadTopology(file, { env: { LAB: 'here' }, provider: 'lxd' })).toMatchObject({
      name: 'here',
      provider: 'lxd',
    });
  });

  it.each([
    ['nowhere.yaml', 'there is no such file'],
    ['folder', 'it is a folder'],
    ['/dev/zero', 'it is not a file'],
    ['binary.yaml', 'it is not a text file'],
    ['large.yaml', 'it is larger than 4 MiB'],
  ])('refuses %s: %s', async (name, reason) => {
    mkdirSync(join(folder, 'folder'));
    write('binary.yaml', 'a\0\x1b[31m');
    write('large.yaml', '#'.repeat(4 * 1024 * 1024 + 1));
    const error = await loadTopology(name.startsWith('/') ? name : join(folder, name)).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(LabError);
    expect((error as LabError).message).toContain(reason);
    expect((error as LabError).fields.code).toBe('topology.unreadable');
  });
});
