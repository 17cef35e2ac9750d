import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createServer, type ListenOptions, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A TCP port of 127.0.0.1 that is free now and that no other caller of this function, in any process, will get.
 *
 * HAProxy sets SO_REUSEPORT, so two proxies that were given one port would silently share it: it is not enough to find
 * a free one. Taken from below the range of ephemeral ports, where no outgoing connection lands, and held by a lock in
 * the abstract socket namespace (Linux), which vanishes with this process.
 */
export async function reservePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(LOWEST, HIGHEST);
    const lock = await listen({ path: `\0lablb-test-port-${port}` });
    if (!lock) continue;
    const probe = await listen({ host: '0.0.0.0', port });
    if (!probe) {
      lock.close();
      continue;
    }
    await new Promise((resolve) => probe.close(resolve));
    lock.unref();
    return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST} after 200 tries`);
}

/** Wait until all ports are listened on, without connecting where the system shows it (a connection would be counted). */
export async function untilListening(ports: readonly number[], milliseconds: number): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const listening = listeningPorts() ?? (await acceptingPorts(ports));
    if (ports.every((port) => listening.has(port))) return true;
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
}

const LOWEST = 15_000;
const HIGHEST = 32_000;

function listen(at: ListenOptions): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(undefined));
    server.listen({ ...at, exclusive: true }, () => resolve(server));
  });
}

/** Ports in state LISTEN (0A) of /proc/net/tcp and tcp6; undefined where there is no such file. */
function listeningPorts(): Set<number> | undefined {
  const ports = new Set<number>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let text: string;
    try {
      text = readFileSync(file, 'latin1');
    } catch {
      if (file === '/proc/net/tcp') return undefined;
      continue;
    }
    for (const found of text.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A /gm)) {
      ports.add(Number.parseInt(found[1]!, 16));
    }
  }
  return ports;
}

async function acceptingPorts(ports: readonly number[]): Promise<Set<number>> {
  const accepted = await Promise.all(ports.map(accepts));
  return new Set(ports.filter((_, index) => accepted[index]));
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
  });
}
