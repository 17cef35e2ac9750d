import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { LabError } from '../../errors.ts';

/** Where a local node listens: an address of its own if the system has enough of them, and its ports there. */
export interface Placement {
  readonly address: string;
  /** Port of the topology → port in fact. Differs where the port was not permitted or not free. */
  readonly ports: Readonly<Record<number, number>>;
}

export type PortState = 'free' | 'taken' | 'forbidden' | 'no-address';

/** Tries a port by binding it for a moment: the only way to know. */
export type Probe = (address: string, port: number) => Promise<PortState>;

/** What is taken already by other nodes: `address`, or `address:port` where an address is shared. */
export interface Taken {
  readonly addresses: ReadonlySet<string>;
  readonly endpoints: ReadonlySet<string>;
}

const SHARED_ADDRESS = '127.0.0.1';
const ADDRESS_TRIES = 24;
const PORT_TRIES = 200;

/**
 * A place for a new node: the same for the same `seed` (state folder, lab) and node, unless it clashes.
 * On Linux all of 127/8 is this machine, so a node has an address of its own and keeps the topology's ports;
 * elsewhere nodes share 127.0.0.1 and differ by port.
 */
export async function placeNode(
  seed: string,
  node: string,
  ports: readonly number[],
  taken: Taken,
  probe: Probe = bindProbe,
): Promise<Placement> {
  const own = await ownAddress(seed, node, ports, taken, probe);
  const address = own ?? SHARED_ADDRESS;
  return { address, ports: await mapPorts(address, ports, {}, own ? new Set() : taken.endpoints, probe) };
}

/** Adds the ports that a placed node is yet without; those that it has stay, for its own services hold them. */
export async function addPorts(
  placement: Placement,
  ports: readonly number[],
  taken: Taken,
  probe: Probe = bindProbe,
): Promise<Placement> {
  if (ports.every((port) => placement.ports[port] !== undefined)) return placement;
  const mapped = await mapPorts(placement.address, ports, placement.ports, taken.endpoints, probe);
  return { ...placement, ports: mapped };
}

export const bindProbe: Probe = (address, port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EACCES' ? 'forbidden' : code === 'EADDRINUSE' ? 'taken' : 'no-address'),
    );
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve('free')));
  });

/** As on a system that has one loopback address. */
export const sharedProbe: Probe = async (address, port) =>
  address === SHARED_ADDRESS ? bindProbe(address, port) : 'no-address';

/** The first address in the lab's /24 that has this node's ports free; undefined where there are none to have. */
async function ownAddress(
  seed: string,
  node: string,
  ports: readonly number[],
  taken: Taken,
  probe: Probe,
): Promise<string | undefined> {
  const [a, b] = digest(seed);
  const [first] = digest(`${seed}/${node}`);
  const candidates = Array.from({ length: ADDRESS_TRIES }, (_, i) => {
    // 127.64–191: away from 127.0.0.1 and from 127.0.1.1, which Debian gives the host's own name.
    return `127.${64 + (a! % 128)}.${b}.${10 + ((first! + i) % 240)}`;
  }).filter((address) => !taken.addresses.has(address));
  let usable: string | undefined;
  for (const address of candidates) {
    if ((await probe(address, 0)) === 'no-address') return undefined;
    usable ??= address;
    const states = await Promise.all(ports.map((port) => probe(address, port)));
    if (!states.includes('taken')) return address;
  }
  // Somebody listens on these ports at every address (0.0.0.0): then the ports move.
  return usable;
}

async function mapPorts(
  address: string,
  ports: readonly number[],
  known: Readonly<Record<number, number>>,
  endpoints: ReadonlySet<string>,
  probe: Probe,
): Promise<Record<number, number>> {
  const mapped: Record<number, number> = { ...known };
  for (const port of ports) {
    mapped[port] ??= await freePort(address, port, [...Object.values(mapped), ...ports], endpoints, probe);
  }
  return mapped;
}

/** The port itself, else 8000 above it (80 → 8080, 443 → 8443), else the next one that is free. */
async function freePort(
  address: string,
  port: number,
  reserved: readonly number[],
  endpoints: ReadonlySet<string>,
  probe: Probe,
): Promise<number> {
  const isFree = async (candidate: number): Promise<boolean> =>
    !endpoints.has(`${address}:${candidate}`) && (await probe(address, candidate)) === 'free';
  if (await isFree(port)) return port;
  const start = port < 1024 ? alternative(port) : port + 1;
  for (let candidate = start; candidate < Math.min(start + PORT_TRIES, 65_536); candidate++) {
    if (!reserved.includes(candidate) && (await isFree(candidate))) return candidate;
  }
  throw new LabError(`no free port on ${address} for ${port}`, {
    code: 'local.no-port',
    hints: [`another port in the topology`, 'lablb status   (what other labs hold)'],
  });
}

function alternative(port: number): number {
  return port === 80 ? 8080 : 8000 + port;
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
