/** Connections on Bun's sockets: the real transport. Only this file and `datagram.ts` know Bun. */
import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { ProxyError } from '../errors.ts';
import {
  acceptsClient,
  acceptsServer,
  connectOptions,
  type HandshakeError,
  keepSession,
  listenOptions,
  resumeSession,
  stateOf,
  type TlsSocket,
} from './bun-tls.ts';
import type {
  ConnectAddress,
  Connection,
  Events,
  HandshakeEnd,
  ListenAddress,
  Listener,
  TlsClient,
  TlsServer,
  Transport,
} from './transport.ts';

type BunSocket = Bun.Socket<BunConnection>;
type Accept = (connection: Connection) => Events;

export const bunTransport: Transport = { listen, connect, prepare };

function listen(at: ListenAddress, accept: Accept, tls?: TlsServer): Listener {
  const options: Record<string, unknown> = {
    ...(tls === undefined ? { socket: acceptingHandlers(accept) } : secureOptions(accept, tls)),
    allowHalfOpen: true,
  };
  const path = at.kind === 'unix' && !at.path.startsWith('\0') ? at.path : undefined; // of a file
  if (at.kind === 'unix') {
    options.unix = path === undefined ? at.path : besideSocket(path);
  } else if (at.kind === 'fd') {
    options.fd = at.fd;
  } else {
    Object.assign(options, {
      hostname: at.host,
      port: at.port,
      reusePort: !at.alone,
      ipv6Only: at.v6only ?? false,
    });
  }
  try {
    const listener = Bun.listen(options as never) as Bun.TCPSocketListener & { fd: number };
    if (at.kind === 'unix' && path !== undefined) {
      if (at.mode !== undefined) chmodSync(options.unix as string, at.mode);
      renameSync(options.unix as string, path);
    }
    const file = path && fileAt(path);
    return {
      port: listener.port ?? 0,
      fd: listener.fd,
      stop: () => {
        listener.stop();
        // A successor that took over has its own socket there by now.
        if (path && fileAt(path) === file) rmSync(path, { force: true });
      },
    };
  } catch (error) {
    throw listenError(at, error as NodeJS.ErrnoException);
  }
}

function connect(to: ConnectAddress, events: Events, tls?: TlsClient, serverName?: string): Connection {
  const connection = tls
    ? new SecureClient(events, tls, serverName ?? tls.serverName)
    : new BunConnection(events);
  const where = to.kind === 'unix' ? { unix: to.path } : { hostname: to.host, port: to.port };
  Bun.connect({
    ...where,
    socket: connection instanceof SecureClient ? secureConnectingHandlers : connectingHandlers,
    data: connection,
    allowHalfOpen: true,
    ...(connection instanceof SecureClient && {
      tls: connectOptions(connection.rules, connection.serverName),
    }),
  } as never).catch((error: NodeJS.ErrnoException) => connection.failed(error.code ?? error.message));
  return connection;
}

function prepare(tls: TlsClient): void {
  stateOf(tls);
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
    const socket = this.socket as unknown as TlsSocket | undefined;
    const cipher = socket?.getCipher?.()?.name;
    if (socket === undefined || !cipher) return undefined;
    return {
      sni: socket.getServername() || undefined,
      alpn: socket.alpnProtocol || undefined,
      version: socket.getTLSVersion(),
      cipher,
    };
  }

  opened(socket: BunSocket): void {
    if (this.begin(socket)) this.events.opened(this);
  }

  /** False when it was given up while it was still being made. */
  protected begin(socket: BunSocket): boolean {
    this.socket = socket;
    if (this.#over) socket.terminate();
    return !this.#over;
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

/** A connection to a server in TLS: it opens once the handshake is over and the server's certificate is good. */
class SecureClient extends BunConnection {
  readonly rules: TlsClient;
  readonly serverName: string | undefined;
  #shaken = false;

  constructor(events: Events, rules: TlsClient, serverName: string | undefined) {
    super(events);
    this.rules = rules;
    this.serverName = serverName;
  }

  connected(socket: BunSocket): void {
    if (this.begin(socket)) resumeSession(this.rules, this.serverName, socket as never);
  }

  shaken(socket: BunSocket, error: HandshakeError): void {
    if (this.#shaken) return;
    this.#shaken = true;
    if (acceptsServer(this.rules, this.serverName, socket as never, error)) this.opened(socket);
    else this.#refuse();
  }

  override ended(): void {
    if (this.#shaken) super.ended();
    else this.#refuse();
  }

  override closed(error: unknown): void {
    if (this.#shaken) super.closed(error);
    else this.failed(HANDSHAKE_FAILED);
  }

  #refuse(): void {
    const { socket } = this;
    this.failed(HANDSHAKE_FAILED);
    socket?.terminate();
  }
}

/** A client that speaks TLS. Nobody hears of it before its handshake is over. */
class Guest extends BunConnection {
  readonly #openedAt = Date.now();
  readonly #tls: TlsServer;
  // The owner may want to log them when the socket is gone.
  readonly #remoteAddress = super.remoteAddress;
  readonly #remotePort = super.remotePort;
  #isRefused = false;

  constructor(socket: Bun.Socket<Guest>, tls: TlsServer) {
    super(NOBODY, socket as never);
    this.#tls = tls;
  }

  override get remoteAddress(): string {
    return this.#remoteAddress;
  }

  override get remotePort(): number {
    return this.#remotePort;
  }

  override ended(): void {
    if (this.events === NOBODY) this.refuse('closed');
    else super.ended();
  }

  override closed(error: unknown): void {
    if (this.events === NOBODY) this.refuse('closed');
    else super.closed(error);
  }

  refuse(how: HandshakeEnd): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    this.reset();
    this.#tls.refused?.(this, how, this.#openedAt);
  }
}

/** The reason of a handshake that failed, whatever was wrong. */
const HANDSHAKE_FAILED = 'EPROTO';

/** Hears of connections that are still shaking hands. */
const NOBODY: Events = { opened() {}, data() {}, drained() {}, ended() {}, closed() {} };

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

const secureConnectingHandlers = {
  ...connectingHandlers,
  open: (socket: Bun.Socket<SecureClient>) => socket.data.connected(socket as never),
  handshake: (socket: Bun.Socket<SecureClient>, _ok: boolean, error: HandshakeError) =>
    socket.data.shaken(socket as never, error),
  session: ({ data }: Bun.Socket<SecureClient>, session: Buffer) =>
    keepSession(data.rules, data.serverName, session),
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

/** What `Bun.listen` takes for TLS: a connection is one only after its handshake. */
function secureOptions(accept: Accept, tls: TlsServer) {
  const { tls: options, serverName } = listenOptions(tls);
  const seconds = Math.ceil((tls.handshakeTimeoutMs ?? 0) / 1000);
  return {
    tls: options,
    socket: {
      ...commonHandlers,
      ...(serverName && { serverName: (_data: unknown, name: string) => serverName(name) }),
      open(socket: Bun.Socket<Guest>): void {
        socket.data = new Guest(socket, tls);
        socket.timeout(seconds);
      },
      handshake(socket: Bun.Socket<Guest>, ok: boolean, error: HandshakeError): void {
        const guest = socket.data;
        if (guest.events !== NOBODY) return;
        socket.timeout(0);
        if (!acceptsClient(tls, socket as never, ok, error)) {
          guest.refuse(!ok && error?.code === 'ECONNRESET' ? 'closed' : 'failed');
          return;
        }
        guest.events = accept(guest);
        guest.events.opened(guest);
      },
      timeout: (socket: Bun.Socket<Guest>) => socket.data.refuse('timeout'),
    },
  };
}

/** `::ffff:127.0.0.1` is how a dual-stack listener shows an IPv4 peer. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** Which file a path leads to, as one value. */
function fileAt(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}:${found.ctimeMs}`;
}

/**
 * Where to listen before the socket is moved to its path: the one that a predecessor has there answers until then, and
 * one that a killed process left is in nobody's way. What is no socket stays, so listening fails.
 */
function besideSocket(path: string): string {
  const there = lstatSync(path, { throwIfNoEntry: false });
  return there && !there.isSocket() ? path : `${path}.${process.pid}`;
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
