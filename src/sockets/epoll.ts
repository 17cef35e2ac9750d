/**
 * The quick transport: TCP on Linux straight on epoll, without a buffer, an object or a copy made per read. One
 * edge-triggered registration serves a connection for its whole life, so the calls per request are those that move
 * bytes. TLS, unix sockets and other systems go to the transport of bun.ts, and both live in one thread: this loop
 * waits on the runtime's own epoll descriptor too, and gives way whenever that has something to do.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { ProxyError } from '../errors.ts';
import {
  formatIpv4,
  formatSocketAddress,
  readSocketAddress,
  type SocketAddress,
  socketAddress,
} from './address.ts';
import { bunTransport, listenError } from './bun.ts';
import {
  AF,
  EPOLL,
  ERRNO,
  type Libc,
  MSG_QUIET,
  OPTION,
  openLibc,
  SHUT_WR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from './libc.ts';
import { now } from './timers.ts';
import type {
  ConnectAddress,
  Connection,
  Events,
  HasRoom,
  ListenAddress,
  Listener,
  TlsClient,
  TlsServer,
  Transport,
} from './transport.ts';

type Accept = (connection: Connection) => Events;

/** This transport where the system has what it needs, the other one elsewhere. */
export function quickTransport(): Transport {
  const libc = openLibc();
  const runtime = libc && runtimeEpoll();
  if (libc === undefined || runtime === undefined) return bunTransport;
  const loop = new Loop(libc, runtime);
  return {
    listen: (at: ListenAddress, accept: Accept, tls?: TlsServer, hasRoom?: HasRoom): Listener =>
      at.kind === 'unix' || tls !== undefined
        ? bunTransport.listen(at, accept, tls)
        : loop.listen(at, accept, hasRoom ?? (() => true)),
    connect: (to: ConnectAddress, events: Events, tls?: TlsClient, serverName?: string): Connection =>
      to.kind === 'unix' || tls !== undefined
        ? bunTransport.connect(to, events, tls, serverName)
        : loop.connect(to, events),
    prepare: bunTransport.prepare,
  };
}

/** Longest time away from the runtime's own loop: its timers are late by as much. */
const TURN_MS = 10;
const MAX_EVENTS = 512;
/** What one read may bring. */
const READ_BYTES = 524288;
/** Reads of one connection before others get their turn. */
const READS = 4;
const ACCEPTS = 64;
/** How long a listener that cannot accept leaves off. */
const PAUSE_MS = 100;
const BACKLOG = 4096;
/** epoll_event is packed on x64 only. */
const EVENT_WORDS = process.arch === 'x64' ? 3 : 4;
const DATA_WORD = process.arch === 'x64' ? 1 : 2;

/** What the loop knows by descriptor. */
interface Source {
  readonly generation: number;
  /** 0: there may be more to read. */
  ready(events: number): void;
  /** Its owner failed. */
  fault(): void;
}

class Loop {
  readonly libc: Libc;
  /** All reads go here: bytes are valid during the call only. */
  readonly readAddress: number;
  /** Views of the read buffer by length, made when first needed. */
  readonly #views: Buffer[] = [];
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #epoll: number;
  readonly #runtime: number;
  readonly #sources: (Source | undefined)[] = [];
  readonly #events = new Int32Array(MAX_EVENTS * EVENT_WORDS);
  readonly #eventsAddress: number;
  readonly #control = new Int32Array(EVENT_WORDS);
  readonly #controlAddress: number;
  /** Connections with bytes left to read that had to wait for others, or were resumed. */
  #again: QuickConnection[] = [];
  #generation = 0;
  #started = false;

  constructor(libc: Libc, runtime: number) {
    this.libc = libc;
    this.#runtime = runtime;
    this.#epoll = libc.epoll_create1(0x80000);
    this.readAddress = libc.address(this.#readBuffer);
    this.#eventsAddress = libc.address(this.#events as unknown as Uint8Array);
    this.#controlAddress = libc.address(this.#control as unknown as Uint8Array);
    this.#watch(runtime, EPOLL.in, -1);
  }

  listen(at: Exclude<ListenAddress, { kind: 'unix' }>, accept: Accept, hasRoom: HasRoom): Listener {
    const fd = at.kind === 'fd' ? this.#inherit(at) : this.#bind(at);
    const listener = new QuickListener(this, fd, accept, hasRoom);
    this.add(listener.fd, listener, EPOLL.in);
    return listener;
  }

  connect(to: Exclude<ConnectAddress, { kind: 'unix' }>, events: Events): Connection {
    const { libc } = this;
    const family = isIPv6(to.host) ? AF.inet6 : AF.inet;
    const fd = libc.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return failedConnection(events, ERRNO[libc.errno()] ?? 'EMFILE');
    const address = socketAddress(to.host, to.port);
    if (libc.connect(fd, address as never, address.length) < 0) {
      const code = libc.errno();
      if (ERRNO[code] !== 'EINPROGRESS') {
        libc.close(fd);
        return failedConnection(events, ERRNO[code] ?? `errno ${code}`);
      }
    }
    const connection = new QuickConnection(this, fd, events, false);
    this.addConnection(connection);
    return connection;
  }

  add(fd: number, source: Source, events: number): void {
    this.#sources[fd] = source;
    this.#watch(fd, events, source.generation);
    if (!this.#started) this.#start();
  }

  addConnection(connection: QuickConnection): void {
    this.add(connection.fd, connection, EPOLL.in | EPOLL.out | EPOLL.rdhup | EPOLL.edge | 0);
  }

  /** The system forgets a descriptor's registration when it is closed. */
  forget(fd: number): void {
    this.#sources[fd] = undefined;
  }

  nextGeneration(): number {
    this.#generation = (this.#generation + 1) | 0;
    return this.#generation;
  }

  readLater(connection: QuickConnection): void {
    this.#again.push(connection);
  }

  view(length: number): Buffer {
    if (length > 8192) return this.#readBuffer.subarray(0, length);
    return (this.#views[length] ??= this.#readBuffer.subarray(0, length));
  }

  setOption(fd: number, [level, name]: readonly [number, number], value: number): void {
    optionValue[0] = value;
    this.libc.setsockopt(fd, level, name, optionValue as never, 4);
  }

  #watch(fd: number, events: number, generation: number): void {
    const control = this.#control;
    control[0] = events;
    control[DATA_WORD] = fd;
    control[DATA_WORD + 1] = generation;
    this.libc.epoll_ctl(this.#epoll, EPOLL.ctlAdd, fd, this.#controlAddress as never);
  }

  unwatch(fd: number): void {
    this.libc.epoll_ctl(this.#epoll, EPOLL.ctlDel, fd, this.#controlAddress as never);
  }

  #start(): void {
    this.#started = true;
    setImmediate(this.#turn);
  }

  /** Runs until the runtime's loop has something to do or its timers may be due. */
  readonly #turn = (): void => {
    const { libc } = this;
    const epoll = this.#epoll;
    const eventsAddress = this.#eventsAddress;
    const until = now() + TURN_MS;
    let left: number = TURN_MS;
    let giveWay = false;
    do {
      const wait = this.#again.length > 0 ? 0 : Math.max(0, Math.ceil(left));
      const count = libc.epoll_wait(epoll, eventsAddress as never, MAX_EVENTS, wait);
      for (let i = 0; i < count; i++) {
        const at = i * EVENT_WORDS;
        const fd = this.#events[at + DATA_WORD]!;
        if (fd === this.#runtime) giveWay = true;
        else {
          const source = this.#sources[fd];
          // An event of this batch may be for a descriptor that was closed, or closed and given out again.
          if (source !== undefined && source.generation === this.#events[at + DATA_WORD + 1])
            this.#serve(source, this.#events[at]!);
        }
      }
      if (this.#again.length > 0) this.#readAgain();
      left = until - now();
    } while (!giveWay && left > 0);
    setImmediate(this.#turn);
  };

  /** A fault of ours ends one connection, not all of them. */
  #serve(source: Source, events: number): void {
    try {
      source.ready(events);
    } catch (error) {
      process.stderr.write(`internal error: ${(error as Error).stack}\n`);
      source.fault();
    }
  }

  #readAgain(): void {
    const connections = this.#again;
    this.#again = [];
    for (const connection of connections) this.#serve(connection, 0);
  }

  #bind(at: Extract<ListenAddress, { kind: 'tcp' }>): number {
    const { libc } = this;
    const v6 = isIPv6(at.host);
    const fd = libc.socket(v6 ? AF.inet6 : AF.inet, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) throw this.#listenError(at);
    this.setOption(fd, OPTION.reuseAddress, 1);
    if (!at.alone) this.setOption(fd, OPTION.reusePort, 1);
    if (v6) this.setOption(fd, OPTION.v6only, at.v6only ? 1 : 0);
    const address = socketAddress(at.host, at.port);
    if (libc.bind(fd, address as never, address.length) < 0 || libc.listen(fd, BACKLOG) < 0) {
      const error = this.#listenError(at);
      libc.close(fd);
      throw error;
    }
    return fd;
  }

  #inherit(at: Extract<ListenAddress, { kind: 'fd' }>): number {
    if (this.libc.listen(at.fd, BACKLOG) < 0) throw this.#listenError(at);
    return at.fd;
  }

  #listenError(at: ListenAddress): ProxyError {
    const code = ERRNO[this.libc.errno()] ?? 'EUNKNOWN';
    return listenError(at, Object.assign(new Error(code), { code }));
  }
}

const optionValue = new Int32Array(2);

class QuickListener implements Listener, Source {
  readonly fd: number;
  readonly generation: number;
  readonly #loop: Loop;
  readonly #accept: Accept;
  readonly #hasRoom: HasRoom;
  #asleep = false;
  #pausing: ReturnType<typeof setTimeout> | undefined;

  constructor(loop: Loop, fd: number, accept: Accept, hasRoom: HasRoom) {
    this.#loop = loop;
    this.fd = fd;
    this.generation = loop.nextGeneration();
    this.#accept = accept;
    this.#hasRoom = hasRoom;
    // O_NONBLOCK on an inherited socket; accepted ones inherit TCP_NODELAY from the listening one.
    loop.libc.fcntl(fd, 4, SOCK_NONBLOCK);
    loop.setOption(fd, OPTION.noDelay, 1);
  }

  get port(): number {
    return formatSocketAddress((bytes, length) =>
      this.#loop.libc.getsockname(this.fd, bytes as never, length as never),
    ).port;
  }

  /** Whom the system has let in already is served: closing the socket would break those connections off. */
  stop(): void {
    for (let i = 0; i < BACKLOG && this.#acceptOne(); i++);
    clearTimeout(this.#pausing);
    this.#loop.forget(this.fd);
    this.#loop.libc.close(this.fd);
  }

  ready(): void {
    for (let i = 0; i < ACCEPTS; i++) {
      if (!this.#hasRoom()) return this.#sleep();
      if (!this.#acceptOne()) return;
    }
  }

  wake(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#loop.add(this.fd, this, EPOLL.in);
  }

  fault(): void {}

  /** Who comes now waits in the system's queue, without a descriptor of ours. */
  #sleep(): void {
    this.#asleep = true;
    this.#loop.unwatch(this.fd);
  }

  /** False when no more is waiting. */
  #acceptOne(): boolean {
    const { libc } = this.#loop;
    peerLength[0] = PEER_BYTES;
    const fd = libc.accept4(this.fd, peerBytes as never, peerLength as never, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      const code = ERRNO[libc.errno()];
      if (code === 'ECONNABORTED') return true;
      if (code !== 'EAGAIN') this.#pause();
      return false;
    }
    const connection = new QuickConnection(this.#loop, fd, undefined as never, true);
    connection.keepPeer(peerBytes);
    connection.events = this.#accept(connection);
    this.#loop.addConnection(connection);
    connection.events.opened(connection);
    return true;
  }

  /** Out of descriptors or memory: the waiting connection would wake the loop again and again. */
  #pause(): void {
    this.#loop.unwatch(this.fd);
    this.#asleep = true;
    this.#pausing = setTimeout(() => this.wake(), PAUSE_MS);
  }
}

class QuickConnection implements Connection, Source {
  events: Events;
  readonly fd: number;
  readonly generation: number;
  readonly #loop: Loop;
  #open: boolean;
  #over = false;
  #paused = false;
  /** Something may be there to read: an edge came, or the last read filled the buffer. */
  #readable = false;
  #blocked = false;
  #ended = false;
  #finished = false;
  #wrote = false;
  /** Accepted connections have it from their listener. */
  #noDelay: boolean;
  /** −1: not told at the accept. */
  #peerPort = -1;
  #peerIpv4 = 0;
  #peerAddress: SocketAddress | undefined = undefined;
  #localSide: SocketAddress | undefined = undefined;

  constructor(loop: Loop, fd: number, events: Events, open: boolean) {
    this.#loop = loop;
    this.fd = fd;
    this.generation = loop.nextGeneration();
    this.events = events;
    this.#open = open;
    this.#noDelay = open;
  }

  fault(): void {
    try {
      this.#broken('EFAULT');
    } catch {
      // Its owner cannot even take leave.
    }
  }

  ready(events: number): void {
    if (events === 0) return this.#readMore();
    if (!this.#open) {
      if ((events & (EPOLL.err | EPOLL.hup)) !== 0) return this.#fail();
      if ((events & EPOLL.out) === 0) return;
      this.#open = true;
      this.events.opened(this);
      if (this.#over) return;
    }
    // What came before a reset is read first; the read that follows it tells the error.
    const unread = (events & EPOLL.in) !== 0 && !this.#paused && !this.#ended;
    if ((events & EPOLL.err) !== 0 && !unread) return this.#fail();
    if ((events & EPOLL.out) !== 0 && this.#blocked) {
      this.#blocked = false;
      this.events.drained();
      if (this.#over) return;
    }
    if ((events & (EPOLL.in | EPOLL.rdhup | EPOLL.hup)) !== 0) {
      this.#readable = true;
      if (!this.#paused) this.#read((events & (EPOLL.rdhup | EPOLL.hup)) !== 0);
    }
  }

  #readMore(): void {
    if (!this.#over && !this.#paused && this.#readable) this.#read(true);
  }

  /** `toEnd`: the peer's FIN is there, so a short read is not the last one. */
  #read(toEnd: boolean): void {
    const loop = this.#loop;
    for (let i = 0; i < READS; i++) {
      const length = loop.libc.recv(this.fd, loop.readAddress as never, READ_BYTES, MSG_QUIET) as number;
      if (length > 0) {
        if (length < READ_BYTES && !toEnd) {
          this.#readable = false;
          this.events.data(loop.view(length));
          return;
        }
        this.events.data(loop.view(length));
        if (this.#over || this.#paused) return;
      } else if (length === 0) {
        this.#readable = false;
        return this.#end();
      } else {
        const code = loop.libc.errno();
        this.#readable = false;
        if (ERRNO[code] !== 'EAGAIN') this.#broken(ERRNO[code] ?? `errno ${code}`);
        return;
      }
    }
    loop.readLater(this);
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#over) return -1;
    if (!this.#open) {
      this.#blocked = true;
      return 0;
    }
    const { libc } = this.#loop;
    // Only a second piece could be held back for the first one's acknowledgement: many connections have none.
    if (!this.#noDelay && this.#wrote) {
      this.#loop.setOption(this.fd, OPTION.noDelay, 1);
      this.#noDelay = true;
    }
    this.#wrote = true;
    const sent = libc.send(this.fd, (addressOf(libc, bytes) + offset) as never, length, MSG_QUIET) as number;
    if (sent === length) return sent;
    if (sent < 0) {
      if (ERRNO[libc.errno()] !== 'EAGAIN') return -1;
      this.#blocked = true;
      return 0;
    }
    this.#blocked = true;
    return sent;
  }

  finish(): void {
    if (this.#over || this.#finished) return;
    this.#finished = true;
    this.#loop.libc.shutdown(this.fd, SHUT_WR);
    if (this.#ended) queueMicrotask(() => this.#bothEnded());
  }

  close(): void {
    this.#release();
  }

  reset(): void {
    if (this.#over) return;
    linger[0] = 1;
    linger[1] = 0;
    const [level, name] = OPTION.linger;
    this.#loop.libc.setsockopt(this.fd, level, name, linger as never, 8);
    this.#release();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#readable && !this.#over) this.#loop.readLater(this);
  }

  get remoteAddress(): string {
    return this.#peer.host;
  }

  get remotePort(): number {
    return this.#peer.port;
  }

  get localAddress(): string {
    return this.#local.host;
  }

  get localPort(): number {
    return this.#local.port;
  }

  /** The system tells it with the accept; once the peer has gone it would not any more. */
  keepPeer(bytes: Buffer): void {
    const family = bytes[0]!;
    if (family === AF.inet) {
      this.#peerPort = (bytes[2]! << 8) | bytes[3]!;
      this.#peerIpv4 = bytes.readUInt32BE(4);
    } else this.#peerAddress = readSocketAddress(bytes);
  }

  get #peer(): SocketAddress {
    if (this.#peerAddress !== undefined) return this.#peerAddress;
    const known = this.#peerPort >= 0;
    this.#peerAddress = known
      ? { host: formatIpv4(this.#peerIpv4), port: this.#peerPort }
      : formatSocketAddress((bytes, length) =>
          this.#loop.libc.getpeername(this.fd, bytes as never, length as never),
        );
    return this.#peerAddress;
  }

  get #local(): SocketAddress {
    this.#localSide ??= formatSocketAddress((bytes, length) =>
      this.#loop.libc.getsockname(this.fd, bytes as never, length as never),
    );
    return this.#localSide;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.events.ended();
    this.#bothEnded();
  }

  /** Both directions are closed: nothing can follow. */
  #bothEnded(): void {
    if (this.#over || !this.#ended || !this.#finished) return;
    this.#rememberAddresses();
    this.#release();
    this.events.closed(false);
  }

  /** The system reports an error for the socket; it says which once. */
  #fail(): void {
    const [level, name] = OPTION.error;
    optionLength[0] = 4;
    this.#loop.libc.getsockopt(this.fd, level, name, optionValue as never, optionLength as never);
    const code = optionValue[0]!;
    // A connection that was ended by both sides hangs up without an error.
    if (code === 0 && this.#open) return this.#read(true);
    this.#broken(ERRNO[code] ?? `errno ${code}`);
  }

  #broken(reason: string): void {
    if (this.#over) return;
    this.#rememberAddresses();
    this.#release();
    this.events.closed(true, reason);
  }

  /** The owner may want to log them when the descriptor is gone. */
  #rememberAddresses(): void {
    void this.#peer;
    void this.#local;
  }

  #release(): void {
    if (this.#over) return;
    this.#over = true;
    this.#loop.forget(this.fd);
    this.#loop.libc.close(this.fd);
  }
}

const PEER_BYTES = 32;
const peerBytes = Buffer.alloc(PEER_BYTES);
const peerLength = new Int32Array(1);
const linger = new Int32Array(2);
const optionLength = new Int32Array(1);

/** The same few buffers are written from again and again. */
let lastBytes: Uint8Array | undefined;
let lastAddress = 0;

function addressOf(libc: Libc, bytes: Uint8Array): number {
  if (bytes === lastBytes) return lastAddress;
  lastBytes = bytes;
  lastAddress = libc.address(bytes);
  return lastAddress;
}

/** A connection that could not even be tried. */
function failedConnection(events: Events, reason: string): Connection {
  queueMicrotask(() => events.closed(true, reason));
  return {
    events,
    write: () => -1,
    finish() {},
    close() {},
    reset() {},
    pause() {},
    resume() {},
    remoteAddress: '',
    remotePort: 0,
    localAddress: '',
    localPort: 0,
  };
}

/** The descriptor of the runtime's own epoll: the only one there is before ours. */
function runtimeEpoll(): number | undefined {
  const found = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === 'anon_inode:[eventpoll]');
  return found.length === 1 ? Number(found[0]) : undefined;
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
