/** One connection to a server. It belongs to one stream at a time and goes back to the server's pool in between. */
import { Deadline } from '../../sockets/timers.ts';
import type { ConnectAddress, Connection, Events } from '../../sockets/transport.ts';
import type { Server } from '../model.ts';
import { Outlet } from './outlet.ts';
import type { Runtime } from './plan.ts';
import type { ServerPool } from './server-pool.ts';

/** What a stream is told about its server's side. */
export interface ServerSide {
  serverOpened(): void;
  serverData(bytes: Buffer): void;
  serverDrained(): void;
  serverEnded(): void;
  serverClosed(failed: boolean, reason: string | undefined): void;
}

export class ServerLink extends Deadline implements Events {
  readonly pool: ServerPool;
  readonly outlet = new Outlet();
  /** The stream it works for; undefined while it waits in the pool. */
  owner: ServerSide | undefined;
  /** Requests it has carried, the present one included. */
  requests = 0;
  /** The name in its handshake. */
  serverName: string | undefined;
  readonly #runtime: Runtime;
  #connection!: Connection;
  #paused = false;

  constructor(runtime: Runtime, pool: ServerPool) {
    super();
    this.#runtime = runtime;
    this.pool = pool;
  }

  /** `port`: for servers that are used on the port the client came in on. */
  open(server: Server, port: number, owner: ServerSide, serverName?: string): void {
    this.serverName = serverName;
    this.owner = owner;
    this.requests = 1;
    server.counters.connect++;
    const { endpoint } = server.settings;
    const to: ConnectAddress =
      endpoint.kind === 'unix'
        ? { kind: 'unix', path: endpoint.path }
        : { kind: 'tcp', host: server.address!, port };
    this.#connection = this.#runtime.transport.connect(to, this, this.pool.tls, serverName);
  }

  /** It was carried over from the pool to a new stream. */
  reuse(owner: ServerSide): void {
    this.#runtime.clock.drop(this);
    this.owner = owner;
    this.requests++;
    this.outlet.attach(this.#connection);
  }

  /** The exchange is over and both sides stand at a message's end. */
  release(nowMs: number): void {
    this.owner = undefined;
    if (this.#paused) this.resume();
    if (this.#runtime.stopping || !this.pool.keep(this)) this.discard();
    else this.#runtime.clock.arm(this, nowMs + this.pool.purgeMs);
  }

  /** Closes it, whatever it was doing. */
  discard(): void {
    this.owner = undefined;
    this.#runtime.clock.drop(this);
    this.#connection.close();
  }

  /** Breaks it off, so that the server sees that its answer was not wanted. */
  abort(): void {
    this.owner = undefined;
    this.#runtime.clock.drop(this);
    this.#connection.reset();
  }

  get fd(): number {
    return this.#connection?.fd ?? -1;
  }

  finish(): void {
    this.#connection.finish();
  }

  pause(): void {
    this.#paused = true;
    this.#connection.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#connection.resume();
  }

  override expired(): void {
    if (this.owner !== undefined) return;
    this.pool.remove(this);
    this.discard();
  }

  opened(connection: Connection): void {
    this.#connection = connection;
    this.outlet.attach(connection);
    this.owner?.serverOpened();
  }

  data(bytes: Buffer): void {
    if (this.owner !== undefined) this.owner.serverData(bytes);
    else this.expired(); // It speaks without having been asked.
  }

  drained(): void {
    this.owner?.serverDrained();
  }

  ended(): void {
    if (this.owner !== undefined) this.owner.serverEnded();
    else this.expired();
  }

  closed(failed: boolean, reason?: string): void {
    this.#runtime.clock.drop(this);
    const owner = this.owner;
    this.owner = undefined;
    if (owner !== undefined) owner.serverClosed(failed, reason);
    else this.pool.remove(this);
  }
}
