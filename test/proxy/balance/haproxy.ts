import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type RunningProxy, startProxy } from '../../support/proxy.ts';
import type { Ask } from './backend.ts';

/**
 * HAProxy with some backends, asked which server it takes. All servers are one origin: HAProxy names its choice in the
 * response. Requests that are `held` keep their server until they are released.
 */
export class Oracle {
  readonly #proxy: RunningProxy;
  readonly #origin: Server;
  readonly #connections = new Set<Socket>();

  /** Lines of each backend by its name; `@` in a server's address stands for the origin. */
  static async start(backends: Readonly<Record<string, readonly string[]>>): Promise<Oracle> {
    const origin = createServer({ noDelay: true }, answer);
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    const address = `127.0.0.1:${(origin.address() as AddressInfo).port}`;
    const sections = Object.entries(backends).map(([name, lines]) =>
      [`backend ${name}`, 'http-response set-header x-server %s', ...lines]
        .join('\n ')
        .replaceAll('@', address),
    );
    const proxy = await startProxy([COMMON, ...sections, ''].join('\n'), { engine: 'haproxy' });
    return new Oracle(proxy, origin);
  }

  private constructor(proxy: RunningProxy, origin: Server) {
    this.#proxy = proxy;
    this.#origin = origin;
  }

  async pick(backend: string, ask: Ask = {}): Promise<string> {
    const { server, release } = await this.hold(backend, ask);
    await release();
    return server;
  }

  async picks(count: number, backend: string, ask?: Ask): Promise<string> {
    const names: string[] = [];
    for (let i = 0; i < count; i++) names.push(await this.pick(backend, ask));
    return names.join(' ');
  }

  async hold(backend: string, ask: Ask): Promise<{ server: string; release(): Promise<void> }> {
    const socket = connect({
      port: this.#proxy.ports.http!,
      host: '127.0.0.1',
      localAddress: ask.from,
      noDelay: true,
    });
    this.#connections.add(socket);
    const headers = [`x-backend: ${backend}`, ...(ask.headers ?? [])];
    socket.write(
      `GET ${ask.target ?? '/'} HTTP/1.1\r\n${headers.map((h) => `${h}\r\n`).join('')}transfer-encoding: chunked\r\n\r\n`,
      'latin1',
    );
    const head = await readUntil(socket, '\r\n\r\n');
    const server = /^x-server: (.*)\r$/im.exec(head)?.[1];
    if (server === undefined) throw new Error(`HAProxy chose no server:\n${head}`);
    const release = async () => {
      socket.write('0\r\n\r\n');
      await readUntil(socket, '0\r\n\r\n');
      socket.destroy();
      this.#connections.delete(socket);
    };
    return { server, release };
  }

  /** To the runtime socket; HAProxy answers nothing when all is well. */
  async command(text: string): Promise<void> {
    const socket = connect(join(this.#proxy.folder, 'admin.sock'));
    socket.end(`${text}\n`);
    let reply = '';
    for await (const part of socket) reply += part;
    if (reply.trim() !== '') throw new Error(`'${text}': ${reply.trim()}`);
  }

  async stop(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await this.#proxy.stop();
    this.#origin.close();
  }
}

const COMMON = `global
 nbthread 1
 stats socket \${dir}/admin.sock mode 600 level admin
defaults
 mode http
 option http-server-close
 option http-no-delay
 timeout connect 5s
 timeout client 20s
 timeout server 20s
 timeout queue 5s
frontend f
 bind 127.0.0.1:\${port:http}
 use_backend %[req.hdr(x-backend)]
`;

/** Answers as soon as the head is there, and ends when the request does. */
function answer(socket: Socket): void {
  let seen = '';
  let begun = false;
  socket.setEncoding('latin1').on('error', () => {});
  socket.on('data', (part: string) => {
    seen += part;
    if (!begun && seen.includes('\r\n\r\n')) {
      begun = true;
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    }
    if (seen.endsWith('0\r\n\r\n')) socket.end('0\r\n\r\n');
  });
}

function readUntil(socket: Socket, end: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (part: Buffer): void => {
      text += part.toString('latin1');
      if (!text.includes(end)) return;
      stop();
      resolve(text);
    };
    const onEnd = (): void => {
      stop();
      reject(new Error(`HAProxy closed after '${text}'`));
    };
    const stop = (): void => {
      socket.off('data', onData).off('close', onEnd).off('error', onEnd);
    };
    socket.on('data', onData).on('close', onEnd).on('error', onEnd);
  });
}
