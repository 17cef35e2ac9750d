/** Connections on Bun's sockets: the real transport. Only this file and `datagram.ts` know Bun. */
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { ProxyError } from '../errors.ts';
import type {
  ConnectAddress,
  Connection,
  Events,
  ListenAddress,
  Listener,
  TlsClient,
  TlsServer,
  Transport,
} from './transport.ts';

type BunSocket = Bun.Socket<BunConnection>;
type Accept = (connection: Connection) => Events;

export const bunTransport: Transport = { listen, connect };

function listen(at: ListenAddress, accept: Accept, tls?: TlsServer): Listener {
  const options: Record<string, unknown> = {
    socket: acceptingHandlers(accept),
    allowHalfOpen: true,
    ...(tls && { tls: tlsServerOptions(tls) }),
  };
  if (at.kind === 'unix') {
    removeStaleSocket(at.path);
    options.unix = at.path;
  } else if (at.kind === 'fd') {
    options.fd = at.fd;
  } else {
    Object.assign(options, {
      hostname: at.host,
      port: at.port,
      reusePort: true,
      ipv6Only: at.v6only ?? false,
    });
  }
  try {
    const listener = Bun.listen(options as never) as Bun.TCPSocketListener & { fd: number };
    if (at.kind === 'unix' && at.mode !== undefined) chmodSync(at.path, at.mode);
    return {
      port: listener.port ?? 0,
      fd: listener.fd,
      stop: () => {
        listener.stop();
        if (at.kind === 'unix') rmSync(at.path, { force: true });
      },
    };
  } catch (error) {
    throw listenError(at, error as NodeJS.ErrnoException);
  }
}

function connect(to: ConnectAddress, events: Events, tls?: TlsClient): Connection {
  const connection = new BunConnection(events);
  const where = to.kind === 'unix' ? { unix: to.path } : { hostname: to.host, port: to.port };
  Bun.connect({
    ...where,
    socket: connectingHandlers,
    data: connection,
    allowHalfOpen: true,
    ...(tls && { tls: tlsClientOptions(tls) }),
  } as never).catch((error: NodeJS.ErrnoException) => connection.failed(error.code ?? error.message));
  return connection;
}

class BunConnection implements Connection {
  events: Events;
  socket: BunSocket | undefined;
  /** The owner gave it up, or it is gone: nothing is reported any more. */
  #over = false;

  constructor(events: Events, socket?: BunSocket) {
    this.events = events;
    this.socket = socket;
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (this.socket === undefined) return this.#over ? -1 : 0;
    return this.socket.write(bytes, offset, length);
  }

  finish(): void {
    this.socket?.shutdown();
  }

  close(): void {
    this.#over = true;
    (this.socket as BunSocket & { close(): void })?.close();
  }

  reset(): void {
    this.#over = true;
    this.socket?.terminate();
  }

  pause(): void {
    this.socket?.pause();
  }

  resume(): void {
    this.socket?.resume();
  }

  get remoteAddress(): string {
    return plainAddress(this.socket?.remoteAddress);
  }

  get remotePort(): number {
    return (this.socket as { remotePort?: number })?.remotePort ?? 0;
  }

  get localAddress(): string {
    return plainAddress((this.socket as { localAddress?: string })?.localAddress);
  }

  get localPort(): number {
    return this.socket?.localPort ?? 0;
  }

  get tls(): Connection['tls'] {
    const socket = this.socket;
    if (socket === undefined || !('alpnProtocol' in socket)) return undefined;
    return {
      sni: socket.getServername()?.toString() || undefined,
      alpn: socket.alpnProtocol || undefined,
      version: socket.getTLSVersion() || undefined,
      cipher: socket.getCipher()?.name,
    };
  }

  opened(socket: BunSocket): void {
    this.socket = socket;
    // Given up while the connection was still being made.
    if (this.#over) socket.terminate();
    else this.events.opened(this);
  }

  received(bytes: Buffer): void {
    if (!this.#over) this.events.data(bytes);
  }

  drained(): void {
    if (!this.#over) this.events.drained();
  }

  ended(): void {
    if (!this.#over) this.events.ended();
  }

  failed(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.socket = undefined;
    this.events.closed(true, reason);
  }

  closed(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.socket = undefined;
    this.events.closed(error !== undefined && error !== null, (error as NodeJS.ErrnoException)?.code);
  }
}

const commonHandlers = {
  binaryType: 'buffer' as const,
  data: (socket: BunSocket, bytes: Buffer) => socket.data.received(bytes),
  drain: (socket: BunSocket) => socket.data.drained(),
  end: (socket: BunSocket) => socket.data.ended(),
  close: (socket: BunSocket, error?: unknown) => socket.data?.closed(error),
  error: (socket: BunSocket, error: NodeJS.ErrnoException) =>
    socket.data?.failed(error.code ?? error.message),
};

const connectingHandlers = {
  ...commonHandlers,
  open: (socket: BunSocket) => socket.data.opened(socket),
  connectError: (socket: BunSocket, error: NodeJS.ErrnoException) =>
    socket.data.failed(error.code ?? error.message),
};

function acceptingHandlers(accept: Accept) {
  return {
    ...commonHandlers,
    open(socket: BunSocket): void {
      const connection = new BunConnection(undefined as never, socket);
      socket.data = connection;
      connection.events = accept(connection);
      connection.events.opened(connection);
    },
  };
}

/** `::ffff:127.0.0.1` is how a dual-stack listener shows an IPv4 peer. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function tlsServerOptions(tls: TlsServer) {
  return {
    cert: tls.cert,
    key: tls.key,
    ca: tls.ca,
    requestCert: tls.requestCert,
    rejectUnauthorized: tls.rejectUnauthorized,
    ALPNProtocols: tls.alpn?.join(','),
    ciphers: tls.ciphers,
  };
}

function tlsClientOptions(tls: TlsClient) {
  return { serverName: tls.serverName, ca: tls.ca, rejectUnauthorized: tls.verify };
}

/** A socket file left by a killed process would make every later start fail; anything else at that path is kept. */
function removeStaleSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) rmSync(path);
  } catch {
    // Nothing there.
  }
}

export function listenError(at: ListenAddress, error: NodeJS.ErrnoException): ProxyError {
  const where = at.kind === 'tcp' ? `${at.host}:${at.port}` : at.kind === 'unix' ? at.path : `fd@${at.fd}`;
  const { code = '', message } = error;
  if (code === 'EADDRINUSE')
    return new ProxyError(`cannot listen on ${where}: the address is in use`, {
      code: 'listen.in-use',
      hint: 'stop what listens there, or hand over with -sf <pid>',
      cause: error,
    });
  if (code === 'EACCES')
    return new ProxyError(`cannot listen on ${where}: permission denied`, {
      code: 'listen.denied',
      hint: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
      cause: error,
    });
  return new ProxyError(`cannot listen on ${where}: ${message || code}`, {
    code: 'listen.failed',
    cause: error,
  });
}
