import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseTopology } from '../../src/topology/parse.ts';

const FOLDER = fileURLToPath(new URL('../../topologies/', import.meta.url));

describe('bundled topologies', () => {
  for (const name of readdirSync(FOLDER)) {
    it(`${name} is one, and runs on this machine too`, () => {
      const text = readFileSync(`${FOLDER}${name}`, 'utf8');
      const topology = parseTopology(text, { file: name, env: {} });
      expect(topology.name).toBe(name.replace('.yaml', ''));
      expect(parseTopology(text, { file: name, env: {}, provider: 'local' }).nodes).toHaveLength(
        topology.nodes.length,
      );
    });
  }

  it('quickstart is the tutorial', () => {
    const text = readFileSync(`${FOLDER}quickstart.yaml`, 'utf8');
    const { provider, nodes, balancer } = parseTopology(text, { file: 'quickstart.yaml', env: {} });
    expect(provider).toBe('local');
    expect(nodes.map(({ name, title, names }) => [name, title, names[0]])).toEqual([
      ['web1', 'SITE1', 'site1.testdomain.com'],
      ['web2', 'SITE2', 'site2.testdomain.com'],
      ['proxyha', 'proxyha', 'proxyha'],
    ]);
    expect(balancer.sites.map(({ host, servers }) => [host, servers])).toEqual([
      ['site1.testdomain.com', ['web1', 'web2']],
      ['site2.testdomain.com', ['web2', 'web1']],
    ]);
    expect(balancer.stats).toBeDefined();
    expect(balancer.check).toBeDefined();
  });
});
