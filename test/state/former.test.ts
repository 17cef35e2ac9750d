import { beforeEach, expect, it } from 'vitest';
import type { Observed, ObservedNode } from '../../src/providers/provider.ts';
import { formerNodes, marksOf } from '../../src/state/former.ts';
import { type LabRecord, readRecord, writeRecord } from '../../src/state/record.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { temporaryState } from '../support/state.ts';
import { topologyOf } from '../support/topology.ts';

beforeEach(() => void temporaryState());

/** web1 as given, and a balancer that stays where it is. */
const lab = (web1: string, more = ''): Topology =>
  topologyOf(`
name: x
provider: ssh
ssh: { user: lab${more} }
nodes:
  web1: { ${web1} }
  proxyha: { address: 192.0.2.9 }
`);

/** What an `up` of a topology leaves, when all its machines have answered. */
function remembered(topology: Topology, more: Partial<LabRecord> = {}): void {
  const nodes = topology.nodes.map(({ name }) => name);
  writeRecord({
    version: 1,
    name: topology.name,
    provider: topology.provider,
    topology,
    nodes,
    marks: Object.fromEntries(nodes.map((name) => [name, `mark of ${name}`])),
    desired: { lab: topology.name, provider: topology.provider, nodes: [] },
    ...more,
  });
}

const names = (topology: Topology): string[] => formerNodes(topology).map(({ name }) => name);

it.each([
  ['another address', 'address: 192.0.2.2', 'web1@192.0.2.1'],
  ['another host', 'address: 192.0.2.1, ssh: { host: 192.0.2.3 }', 'web1@192.0.2.1'],
  ['another port', 'address: 192.0.2.1, ssh: { port: 2222 }', 'web1@192.0.2.1'],
  ['another machine on the way', 'address: 192.0.2.1, ssh: { jump: root@192.0.2.7 }', 'web1@192.0.2.1'],
])('a node at %s leaves its old machine behind', (_, web1, left) => {
  remembered(lab('address: 192.0.2.1'));
  expect(names(lab(web1))).toEqual([left]);
});

it.each([
  ['the same', 'address: 192.0.2.1'],
  ['another user there', 'address: 192.0.2.1, ssh: { user: root }'],
  ['another address for the nodes, SSH where it was', 'address: 192.0.2.5, ssh: { host: 192.0.2.1 }'],
  ['the usual port, said', 'address: 192.0.2.1, ssh: { port: 22 }'],
])('a node does not move: %s', (_, web1) => {
  remembered(lab('address: 192.0.2.1'));
  expect(names(lab(web1))).toEqual([]);
});

it('keeps how the old machine is reached, and what tells it from others', () => {
  remembered(lab('address: 192.0.2.1, ssh: { port: 2222, jump: root@192.0.2.7 }', ', key: /old'));
  expect(formerNodes(lab('address: 192.0.2.2', ', key: /new'))).toEqual([
    expect.objectContaining({
      name: 'web1@192.0.2.1:2222 through root@192.0.2.7',
      address: '192.0.2.1',
      mark: 'mark of web1',
      extra: {
        ssh: expect.objectContaining({ user: 'lab', key: '/old', port: 2222, jump: 'root@192.0.2.7' }),
      },
    }),
  ]);
});

it('goes on knowing it until the node is back there, or the lab is down', () => {
  remembered(lab('address: 192.0.2.1'));
  const second = lab('address: 192.0.2.2');
  const former = formerNodes(second);
  remembered(second, { former, nodes: ['web1', 'proxyha', 'web1@192.0.2.1'] });
  expect(names(second)).toEqual(['web1@192.0.2.1']);
  expect(names(lab('address: 192.0.2.3'))).toEqual(['web1@192.0.2.1', 'web1@192.0.2.2']);
  expect(names(lab('address: 192.0.2.1'))).toEqual(['web1@192.0.2.2']);
});

it('knows nothing of a machine that never answered: an address that was a mistake leaves nothing', () => {
  remembered(lab('address: 192.0.2.1'), { marks: { proxyha: 'a' } });
  expect(names(lab('address: 192.0.2.2'))).toEqual([]);
  // A record without them is an older lablb's.
  remembered(lab('address: 192.0.2.1'), { marks: undefined });
  expect(names(lab('address: 192.0.2.2'))).toEqual(['web1@192.0.2.1']);
});

it('remembers marks of those that answered, and of those that did before and stayed', () => {
  const here = lab('address: 192.0.2.1');
  const seen = (state: ObservedNode['state'], mark?: string): ObservedNode => ({
    state,
    mark,
    packages: new Set(),
    services: new Map(),
    files: new Map(),
    pushed: new Map(),
  });
  const observed = (nodes: Record<string, ObservedNode>): Observed => ({
    nodes: new Map(Object.entries(nodes)),
  });
  const silent = observed({ web1: seen('unreachable'), proxyha: seen('running', 'a') });
  expect(marksOf(here, observed({ proxyha: seen('running', 'a') }))).toEqual({ web1: '', proxyha: 'a' });
  expect(marksOf(here, silent)).toEqual({ proxyha: 'a' });
  remembered(here);
  expect(readRecord('x')?.marks).toBeDefined();
  expect(marksOf(here, silent)).toEqual({ web1: 'mark of web1', proxyha: 'a' });
  expect(marksOf(lab('address: 192.0.2.2'), silent)).toEqual({ proxyha: 'a' });
});
