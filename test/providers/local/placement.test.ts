import { expect, it } from 'vitest';
import { addPorts, type PortState, placeNode, type Taken } from '../../../src/providers/local/placement.ts';

const NOTHING: Taken = { addresses: new Set(), endpoints: new Set() };
const free = async (): Promise<PortState> => 'free';
/** A system that has only 127.0.0.1. */
const small = async (address: string): Promise<PortState> =>
  address === '127.0.0.1' ? 'free' : 'no-address';

it('gives the same node of the same lab the same address, and its ports as they are', async () => {
  const first = await placeNode('/state/x', 'web1', [80, 443], NOTHING, free);
  expect(await placeNode('/state/x', 'web1', [80, 443], NOTHING, free)).toEqual(first);
  expect(first.ports).toEqual({ 80: 80, 443: 443 });
  expect(first.address).toMatch(/^127\.(6[4-9]|[7-9]\d|1\d\d)\.\d+\.\d+$/);
});

it('keeps a lab together and labs apart', async () => {
  const [a, b, other] = await Promise.all([
    placeNode('/state/x', 'web1', [80], NOTHING, free),
    placeNode('/state/x', 'web2', [80], NOTHING, free),
    placeNode('/state/y', 'web1', [80], NOTHING, free),
  ]);
  const net = (address: string): string => address.split('.').slice(0, 3).join('.');
  expect(net(a.address)).toBe(net(b.address));
  expect(a.address).not.toBe(b.address);
  expect(net(a.address)).not.toBe(net(other.address));
});

it('goes on to the next address when one is another node’s, or a stranger has its port', async () => {
  const first = await placeNode('/state/x', 'web1', [80], NOTHING, free);
  const beside = await placeNode(
    '/state/x',
    'web1',
    [80],
    { ...NOTHING, addresses: new Set([first.address]) },
    free,
  );
  expect(beside.address).not.toBe(first.address);
  const taken = async (address: string, port: number): Promise<PortState> =>
    address === first.address && port === 80 ? 'taken' : 'free';
  const moved = await placeNode('/state/x', 'web1', [80], NOTHING, taken);
  expect(moved).toEqual({ address: beside.address, ports: { 80: 80 } });
});

it('maps ports that are not permitted', async () => {
  const unprivileged = async (_: string, port: number): Promise<PortState> =>
    port > 0 && port < 1024 ? 'forbidden' : 'free';
  const { ports } = await placeNode('/state/x', 'proxy', [80, 443, 8080], NOTHING, unprivileged);
  expect(ports).toEqual({ 80: 8081, 443: 8443, 8080: 8080 });
});

it('moves the port when somebody has it at every address', async () => {
  const everywhere = async (_: string, port: number): Promise<PortState> => (port === 80 ? 'taken' : 'free');
  expect((await placeNode('/state/x', 'web1', [80], NOTHING, everywhere)).ports).toEqual({ 80: 8080 });
});

it('shares 127.0.0.1 where there is no other, and never gives a port twice', async () => {
  const first = await placeNode('/state/x', 'web1', [8080], NOTHING, small);
  expect(first).toEqual({ address: '127.0.0.1', ports: { 8080: 8080 } });
  const endpoints = new Set(['127.0.0.1:8080']);
  const second = await placeNode('/state/x', 'web2', [8080], { addresses: new Set(), endpoints }, small);
  expect(second).toEqual({ address: '127.0.0.1', ports: { 8080: 8081 } });
});

it('leaves the ports of a placed node as they are, though its own services hold them', async () => {
  const placed = { address: '127.64.0.9', ports: { 80: 80 } };
  const held = async (_: string, port: number): Promise<PortState> => (port === 80 ? 'taken' : 'free');
  expect(await addPorts(placed, [80], NOTHING, held)).toBe(placed);
  expect((await addPorts(placed, [80, 8080], NOTHING, held)).ports).toEqual({ 80: 80, 8080: 8080 });
});

it('says so when there is none left', async () => {
  const full = async (_: string, port: number): Promise<PortState> => (port === 0 ? 'free' : 'taken');
  await expect(placeNode('/state/x', 'web1', [80], NOTHING, full)).rejects.toThrow(/no free port/);
});
