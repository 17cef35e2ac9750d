/**
 * Connections within this process, for tests: no system, no ports, no waiting. What happens is put in line and told
 * one after the other, never within the call that caused it, as with real sockets; `settle` runs the line to its end.
 */
import { ProxyError } from '../errors.ts';
import type { ConnectAddress, Connection, Events, ListenAddress, Listener, Transport } from './transport.ts';

type Accept = (connection: Connection) => Events;

export interface MemoryOptions {
  /** Bytes on their way in one direction before `write` takes no more. */
  readonly capacity?: number;
  /** Longest piece that `data` is given. */
  readonly piece?: number;
  /** Run the line by itself after the present call; without it only `settle` does. Default: true. */
  readonly automatic?: boolean;
}

export class MemoryTransport implements Transport {
  readonly capacity: number;
  readonly piece: number;
  readonly #automatic: boolean;
  readonly #listeners = new Map<string, Accept>();
  #line: (() => void)[] = [];
  #scheduled = false;
  #lastPort = 40_000;

  constructor({ capacity = 65_536, piece = 65_536, automatic = true }: MemoryOptions = {}) {
    this.capacity = capacity;
    this.piece = piece;
    this.#automatic = automatic;
  }

  listen(at: ListenAddress, accept: Accept): Listener {
    if (at.kind === 'fd')
      throw new ProxyError(`cannot listen on fd@${at.fd}: no descriptors in memory`, {
        code: 'listen.failed',
      });
    const port = at.kind === 'tcp' ? at.port || this.newPort() : 0;
    const key = at.kind === 'tcp' ? `${at.host}:${port}` : at.path;
    // Whoever comes later to the path of a Unix socket has it.
    if (at.kind === 'tcp' && this.#listeners.has(key))
      throw new ProxyError(`cannot listen on ${key}: the address is in use`, { code: 'listen.in-use' });
    this.#listeners.set(key, accept);
    return { port, fd: -1, stop: () => this.#listeners.get(key) === accept && this.#listeners.delete(key) };
  }

  connect(to: ConnectAddress, events: Events): Connection {
    const client = new MemoryConnection(this);
    client.events = events;
    const remote = to.kind === 'tcp' ? { address: to.host, port: to.port } : { address: '', port: 0 };
    const local = to.kind === 'tcp' ? { address: to.host, port: this.newPort() } : remote;
    client.between(local, remote);
    this.later(() => {
      if (client.isOver) return;
      const accept = this.#acceptor(to);
      if (accept === undefined) return client.breaks(to.kind === 'unix' ? 'ENOENT' : 'ECONNREFUSED');
      const server = new MemoryConnection(this);
      server.between(remote, local);
      server.peer = client;
      client.peer = server;
      server.events = accept(server);
      this.later(() => client.opens());
      server.opens();
    });
    return client;
  }

  /** Runs everything that is due, and what follows from it, and returns. */
  settle(): void {
    for (let steps = 0; this.#line.length > 0; steps++) {
      if (steps === 1_000_000) throw new Error('the connections never come to rest');
      this.#line.shift()!();
    }
  }

  /** Puts something in line. */
  later(run: () => void): void {
    this.#line.push(run);
    if (!this.#automatic || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.settle();
    });
  }

  newPort(): number {
    return ++this.#lastPort;
  }

  #acceptor(to: ConnectAddress): Accept | undefined {
    if (to.kind === 'unix') return this.#listeners.get(to.path);
    const { host, port } = to;
    return (
      this.#listeners.get(`${host}:${port}`) ??
      this.#listeners.get(`${host.includes(':') ? '::' : '0.0.0.0'}:${port}`)
    );
  }
}

interface Side {
  readonly address: string;
  readonly port: number;
}

class MemoryConnection implements Connection {
  events!: Events;
  peer: MemoryConnection | undefined;
  isOver = false;
  readonly #network: MemoryTransport;
  #local!: Side;
  #remote!: Side;
  #open = false;
  #paused = false;
  /** On their way to this side. */
  #arrived: Buffer[] = [];
  #arrivedBytes = 0;
  /** The peer's FIN is behind them. */
  #finComes = false;
  #finTold = false;
  #finished = false;
  /** A write of this side was cut short. */
  #blocked = false;

  constructor(network: MemoryTransport) {
    this.#network = network;
  }

  between(local: Side, remote: Side): void {
    this.#local = local;
    this.#remote = remote;
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (this.isOver || this.#finished) return -1;
    const { peer } = this;
    if (!this.#open || peer === undefined) {
      this.#blocked = true;
      return 0;
    }
    // The peer closed: what is sent now is answered with a reset.
    if (peer.isOver) {
      this.#network.later(() => this.breaks('ECONNRESET'));
      return length;
    }
    const taken = Math.min(length, this.#network.capacity - peer.#arrivedBytes);
    if (taken < length) this.#blocked = true;
    if (taken > 0) peer.#receive(Buffer.from(bytes.subarray(offset, offset + taken)));
    return taken;
  }

  finish(): void {
    if (this.isOver || this.#finished) return;
    this.#finished = true;
    this.peer?.receiveFin();
    this.#endIfBothFinished();
  }

  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    // Unread bytes make the system reset instead, and so does a connection that is not made yet.
    if (!this.#open || this.#arrivedBytes > 0) this.#breakPeer();
    else if (!this.#finished) this.peer?.receiveFin();
  }

  reset(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#breakPeer();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#network.later(() => this.#deliver());
  }

  get remoteAddress(): string {
    return this.#remote.address;
  }

  get remotePort(): number {
    return this.#remote.port;
  }

  get localAddress(): string {
    return this.#local.address;
  }

  get localPort(): number {
    return this.#local.port;
  }

  opens(): void {
    if (this.isOver) return;
    this.#open = true;
    this.events.opened(this);
    this.drainLater();
    this.#network.later(() => this.#deliver());
  }

  breaks(reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#arrived = [];
    this.events.closed(true, reason);
  }

  #breakPeer(): void {
    const { peer } = this;
    if (peer !== undefined) this.#network.later(() => peer.breaks('ECONNRESET'));
  }

  #receive(bytes: Buffer): void {
    this.#arrived.push(bytes);
    this.#arrivedBytes += bytes.length;
    this.#network.later(() => this.#deliver());
  }

  receiveFin(): void {
    this.#finComes = true;
    this.#network.later(() => this.#deliver());
  }

  /** One piece at a time, in a buffer that is good for the call only; the FIN after all of them. */
  #deliver(): void {
    if (this.isOver || this.#paused || !this.#open) return;
    const first = this.#arrived[0];
    if (first === undefined) return this.#deliverFin();
    const bytes = Buffer.from(first.subarray(0, this.#network.piece));
    if (bytes.length === first.length) this.#arrived.shift();
    else this.#arrived[0] = first.subarray(bytes.length);
    this.#arrivedBytes -= bytes.length;
    this.peer?.drainLater();
    this.events.data(bytes);
    bytes.fill(0xdd);
    this.#network.later(() => this.#deliver());
  }

  #deliverFin(): void {
    if (!this.#finComes || this.#finTold) return;
    this.#finTold = true;
    this.events.ended();
    this.#endIfBothFinished();
  }

  drainLater(): void {
    if (this.#blocked) this.#network.later(() => this.#drain());
  }

  #drain(): void {
    if (this.isOver || !this.#blocked || !this.#open) return;
    this.#blocked = false;
    this.events.drained();
  }

  #endIfBothFinished(): void {
    if (!this.#finished || !this.#finTold) return;
    this.#network.later(() => {
      if (this.isOver) return;
      this.isOver = true;
      this.events.closed(false);
    });
  }
}
