/** The engine as a process: stops, hand-overs and what must not be lost or left over meanwhile. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { reservePort } from '../support/ports.ts';
import { type ProxyStartError, type RunningProxy, startProxy } from '../support/proxy.ts';

const CONFIG = `
global
  stats socket \${dir}/admin.sock
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 10s
frontend web
  bind 127.0.0.1:\${port:web}
  default_backend servers
backend servers
  server s1 127.0.0.1:\${port:server}
`;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

const running: RunningProxy[] = [];
const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  await Promise.all(running.splice(0).map((proxy) => proxy.stop()));
});

async function start(
  config: string,
  ports: Record<string, number>,
  args: string[] = [],
): Promise<RunningProxy> {
  const proxy = await startProxy(config, { ports, args });
  running.push(proxy);
  return proxy;
}

/** A server that deals with each connection's bytes; its port. */
async function serve(answer: (socket: Socket, bytes: string) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('data', (bytes) => answer(socket, bytes.toString('latin1')));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const ok = (socket: Socket, bytes: string) => {
  for (let n = bytes.split('\r\n\r\n').length - 1; n > 0; n--)
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
};

class Client {
  text = '';
  closed = false;
  error: string | undefined;
  readonly socket: Socket;
  #wake = () => {};

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    sockets.add(this.socket);
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.text += text;
      this.#wake();
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  async until(holds: () => boolean, ms = 10_000): Promise<boolean> {
    const end = performance.now() + ms;
    while (!holds() && performance.now() < end)
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(50)]);
    return holds();
  }
}

/** One request on a connection of its own: its status, or how it failed. */
async function once(port: number): Promise<string> {
  const client = new Client(port);
  client.socket.write(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  await client.until(() => client.closed);
  return /^HTTP\/1.1 (\d+)/.exec(client.text)?.[1] ?? client.error ?? 'closed';
}

/** Requests over one connection until the answer says `close`; each outcome is counted. */
async function several(port: number, count: (outcome: string) => void): Promise<void> {
  const client = new Client(port);
  for (let i = 0; i < 20; i++) {
    client.text = '';
    client.socket.write(GET);
    await client.until(() => client.text.endsWith('ok') || client.closed);
    if (!client.text.endsWith('ok')) return count(client.error ?? 'closed');
    count('200');
    if (client.text.includes('connection: close')) break;
  }
  client.socket.destroy();
}

describe('SIGUSR1', () => {
  test('lets a download end, serves who is here, listens no more; again it means nothing', async () => {
    let send = () => {};
    const port = await serve((socket, bytes) => {
      if (!bytes.startsWith('GET /download')) return ok(socket, bytes);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345');
      send = () => socket.write('67890');
    });
    const proxy = await start(CONFIG, { server: port });
    const web = proxy.ports.web!;
    const download = new Client(web);
    download.socket.write(GET.replace('/', '/download'));
    await download.until(() => download.text.endsWith('12345'));
    const begun = new Client(web);
    begun.socket.write(GET.slice(0, 8));
    await sleep(100);
    proxy.signal('SIGUSR1');
    proxy.signal('SIGUSR1');
    // The signal takes a moment; who comes before is let in.
    let outcome = '';
    for (let i = 0; i < 100 && outcome !== 'ECONNREFUSED'; i++) outcome = await once(web);
    expect(outcome).toBe('ECONNREFUSED');
    proxy.signal('SIGUSR1');
    begun.socket.write(GET.slice(8));
    expect(await begun.until(() => begun.text.endsWith('ok'))).toBe(true);
    expect(begun.text).toContain('connection: close');
    expect(proxy.alive()).toBe(true);
    send();
    expect(await download.until(() => download.text.endsWith('1234567890'))).toBe(true);
    expect(await proxy.ended).toBe(0);
  });

  test('and SIGTERM after it end at once', async () => {
    const proxy = await start(CONFIG, {
      server: await serve((socket) => socket.write('HTTP/1.1 200 OK\r\n')),
    });
    const waiting = new Client(proxy.ports.web!);
    waiting.socket.write(GET);
    await sleep(100);
    proxy.signal('SIGUSR1');
    await sleep(100);
    expect(proxy.alive()).toBe(true);
    proxy.signal('SIGTERM');
    proxy.signal('SIGTERM');
    expect(await proxy.ended).toBe(0);
    expect(proxy.stderr()).toBe('');
  });
});

test('a hand-over with -sf under load loses no request', async () => {
  const ports = { server: await serve(ok), web: await reservePort() };
  let proxy = await start(CONFIG, ports);
  const outcomes = new Map<string, number>();
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  let going = true;
  const clients = Array.from({ length: 8 }, async (_, i) => {
    while (going) {
      if (i % 2 === 0) count(await once(ports.web));
      else await several(ports.web, count);
    }
  });
  for (let i = 0; i < 3; i++) {
    await sleep(300);
    const next = await start(CONFIG, ports, ['-sf', String(proxy.pid)]);
    expect(await proxy.ended).toBe(0);
    proxy = next;
  }
  await sleep(200);
  going = false;
  await Promise.all(clients);
  expect([...outcomes.keys()]).toEqual(['200']);
  expect(outcomes.get('200')).toBeGreaterThan(100);
}, 60_000);

test('out of descriptors it waits, serves who is here, and recovers', async () => {
  const proxy = await start(CONFIG, { server: await serve(ok) });
  const limit = readdirSync(`/proc/${proxy.pid}/fd`).length + 20;
  execFileSync('prlimit', [`--pid=${proxy.pid}`, `--nofile=${limit}:${limit}`]);
  const clients = Array.from({ length: 60 }, () => new Client(proxy.ports.web!));
  await sleep(500);
  const before = cpuMilliseconds(proxy.pid);
  await sleep(1000);
  expect(cpuMilliseconds(proxy.pid) - before).toBeLessThan(300);
  for (const { socket } of clients) socket.destroy();
  expect(await once(proxy.ports.web!)).toBe('200');
  expect(proxy.stderr()).toBe('');
});

test('memory and descriptors do not grow with requests', async () => {
  const proxy = await start(CONFIG, { server: await serve(ok) });
  const descriptors = readdirSync(`/proc/${proxy.pid}/fd`).length;
  const rounds = async (n: number) => {
    for (let i = 0; i < n; i++)
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const client = new Client(proxy.ports.web!);
          client.socket.write(GET.repeat(20));
          await client.until(() => client.text.split('ok').length > 20);
          client.socket.destroy();
        }),
      );
  };
  await rounds(10);
  const before = residentMegabytes(proxy.pid);
  await rounds(40);
  expect(residentMegabytes(proxy.pid) - before).toBeLessThan(40);
  // Connections to the server are closed after 5 s without use.
  const end = performance.now() + 12_000;
  while (readdirSync(`/proc/${proxy.pid}/fd`).length > descriptors && performance.now() < end)
    await sleep(200);
  expect(readdirSync(`/proc/${proxy.pid}/fd`).length).toBeLessThanOrEqual(descriptors);
}, 60_000);

test('answers that came before a reset reach the client', async () => {
  // Closing with the request's body unread makes the system send a reset after the answer.
  const port = await serve((socket) => {
    socket.pause();
    socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig', () =>
      socket.destroy(),
    );
  });
  const proxy = await start(CONFIG, { server: port });
  for (let i = 0; i < 10; i++) {
    const client = new Client(proxy.ports.web!);
    client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n');
    client.socket.write('x'.repeat(2_000_000));
    await client.until(() => client.text.endsWith('big') || client.closed);
    expect(client.text).toMatch(/^HTTP\/1\.1 413 .*big$/s);
    client.socket.destroy();
  }
});

test('an inherited descriptor that is no socket is refused', async () => {
  const config = CONFIG.replace(/127.0.0.1:.*web}/, 'fd@0');
  const said = await startProxy(config, { ports: { server: await reservePort() } }).then(
    async (proxy) => {
      running.push(proxy);
      expect(await proxy.ended).toBe(1);
      return proxy.stderr();
    },
    (error: ProxyStartError) => error.stderr,
  );
  expect(said).toMatch(/cannot listen on fd@0/);
});

test('the pid file is there while it runs', async () => {
  const proxy = await start(CONFIG.replace('global', 'global\n  pidfile ${dir}/run.pid'), {
    server: await reservePort(),
  });
  expect(readFileSync(join(proxy.folder, 'run.pid'), 'utf8').trim()).toBe(String(proxy.pid));
  expect(existsSync(join(proxy.folder, 'admin.sock'))).toBe(true);
});

/** User and system time; the clock of /proc ticks 100 times a second. */
function cpuMilliseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024;
}
