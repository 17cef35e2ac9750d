import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostRecords, LOCALHOST, placeBlock } from '../../src/render/hosts.ts';
import { contentOf, filesOf, topologyOf } from './support.ts';

const LAB = `
name: rocky
nodes:
  web1: { names: [site1.testdomain.com, site1] }
  web2: { names: [site2.testdomain.com, site2, web2.testdomain.com] }
  proxyha:
  client:
balancer: { sites: { site1.testdomain.com: [web1, web2], site2.testdomain.com: { servers: [web2], aliases: [site2] } } }
`;

describe('hosts', () => {
  const topology = topologyOf(LAB);
  const addresses = new Map([
    ['web1', '192.168.1.150'],
    ['web2', '192.168.1.101'],
    ['proxyha', '192.168.1.149'],
  ]);
  const recordsFor = (role: string) =>
    hostRecords(topology, topology.nodes.find((node) => node.role === role)!, addresses).map(
      ({ address, names }) => `${address} ${names.join(' ')}`,
    );

  it('lead from the proxy to the web nodes; a node without an address is left out', () => {
    expect(recordsFor('proxy')).toEqual([
      '192.168.1.150 site1.testdomain.com site1 web1',
      '192.168.1.101 site2.testdomain.com site2 web2.testdomain.com web2',
      '192.168.1.149 proxyha',
    ]);
  });

  it('lead from a client to the proxy', () => {
    expect(recordsFor('client')).toEqual([
      '192.168.1.150 site1 web1',
      '192.168.1.101 web2.testdomain.com web2',
      '192.168.1.149 proxyha site1.testdomain.com site2.testdomain.com site2',
    ]);
  });

  it('are the whole file on a local node', () => {
    const text = contentOf(filesOf(LAB, 'proxyha'), '/etc/hosts');
    expect(text).toBe(
      `${LOCALHOST}# Names of lab 'rocky', as proxyha sees them.\n` +
        '127.0.1.1  site1.testdomain.com site1 web1\n' +
        '127.0.1.2  site2.testdomain.com site2 web2.testdomain.com web2\n' +
        '127.0.1.3  proxyha\n127.0.1.4  client\n',
    );
  });

  it('are a block of its own in the file of a machine', () => {
    const files = filesOf(LAB, 'proxyha', { kind: 'machine' });
    const hosts = files.find(({ path }) => path === '/etc/hosts')!;
    expect(hosts.block).toBe('rocky');
    expect(String(hosts.content).startsWith('# >>> lablb rocky\n')).toBe(true);
    expect(String(hosts.content).endsWith('\n# <<< lablb rocky\n')).toBe(true);
    expect(String(hosts.content)).not.toContain('localhost');
    expect(hosts.keepOriginal).toBe(true);
  });
});

describe('placeBlock', () => {
  const lines = fc.array(
    fc.constantFrom('127.0.0.1 localhost', '# comment', '', '10.0.0.1 x', '# >>> lablb other'),
  );
  const block = fc
    .array(fc.constantFrom('a', 'b', '# c'), { minLength: 1 })
    .map((items) => `${items.join('\n')}\n`);

  it('changes nothing when done again, and leaves what was there when taken away', () => {
    fc.assert(
      fc.property(lines, block, block, (before, one, two) => {
        const text = before.map((line) => `${line}\n`).join('');
        const placed = placeBlock(text, 'lab', one);
        expect(placeBlock(placed, 'lab', one)).toBe(placed);
        expect(placeBlock(placed, 'lab', two)).toBe(placeBlock(text, 'lab', two));
        expect(placeBlock(placed, 'lab', '')).toBe(text);
      }),
    );
  });

  it('stays where it is', () => {
    const text = 'a\n# >>> lablb x\nold\n# <<< lablb x\nb\n';
    expect(placeBlock(text, 'x', 'new\n')).toBe('a\n# >>> lablb x\nnew\n# <<< lablb x\nb\n');
  });

  it('drops a marker that lost its partner, and nothing else', () => {
    expect(placeBlock('a\n# >>> lablb x\nmine\n', 'x', 'new\n')).toBe(
      'a\nmine\n# >>> lablb x\nnew\n# <<< lablb x\n',
    );
    expect(placeBlock('# <<< lablb x\na\n# >>> lablb x\n', 'x', '')).toBe('a\n');
  });
});
