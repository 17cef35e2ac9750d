/** Connections to one server: those that are busy, and those that wait for another request. */
import type { TlsClient } from '../../sockets/transport.ts';
import type { Server } from '../model.ts';
import type { Transaction } from '../transaction.ts';
import type { Waiting } from './plan.ts';
import type { ServerLink } from './server-link.ts';

/** Unused connections are closed after this long when `pool-purge-delay` does not say otherwise. */
const PURGE_MS = 5000;

export class ServerPool {
  readonly server: Server;
  /** Last in, first out: the ones at the bottom grow old and are closed. */
  readonly idle: ServerLink[] = [];
  /** Streams bound to this very server that wait for a place on it. */
  readonly queue: Waiting[] = [];
  readonly purgeMs: number;
  readonly maxIdle: number;

  /** How it is spoken to in TLS; undefined in the clear. */
  readonly tls: TlsClient | undefined;
  /** The name in a connection's handshake; a request goes only over a connection that was made for its name. */
  readonly serverName: ((tx: Transaction) => string | undefined) | undefined;

  readonly #fullconn: () => number;

  /** `fullconn`: connections of the backend at which it counts as fully loaded. */
  constructor(
    server: Server,
    fullconn: () => number,
    tls?: TlsClient,
    serverName?: (tx: Transaction) => string | undefined,
  ) {
    this.server = server;
    this.#fullconn = fullconn;
    this.tls = tls;
    this.serverName = serverName;
    this.purgeMs = server.settings.poolPurgeDelay ?? PURGE_MS;
    this.maxIdle = server.settings.poolMaxConn ?? Infinity;
  }

  /** No further request may be sent now. */
  get full(): boolean {
    const { maxconn, counters } = this.server;
    return maxconn !== undefined && maxconn > 0 && counters.scur >= this.#limit(maxconn);
  }

  /** With `minconn` the limit grows with the backend's load, up to maxconn at `fullconn` (manual, `minconn`). */
  #limit(maxconn: number): number {
    const { minconn } = this.server.settings;
    if (!minconn || minconn >= maxconn) return maxconn;
    const { scur } = this.server.backend.counters;
    const full = this.#fullconn();
    return scur >= full ? maxconn : Math.max(minconn, Math.floor((maxconn * scur) / full));
  }

  /** A connection that waits, or undefined. */
  take(tx: Transaction): ServerLink | undefined {
    const link = this.serverName === undefined ? this.idle.pop() : this.#takeFor(this.serverName(tx));
    if (link !== undefined) this.server.counters.reuse++;
    return link;
  }

  /** Keeps a connection for later; false when there are enough. */
  keep(link: ServerLink): boolean {
    if (this.idle.length >= this.maxIdle || !this.server.up || this.server.admin === 'maint') return false;
    this.idle.push(link);
    return true;
  }

  remove(link: ServerLink): void {
    const i = this.idle.lastIndexOf(link);
    if (i >= 0) this.idle.splice(i, 1);
  }

  #takeFor(serverName: string | undefined): ServerLink | undefined {
    const i = this.idle.findLastIndex((link) => link.serverName === serverName);
    return i < 0 ? undefined : this.idle.splice(i, 1)[0];
  }

  closeIdle(): void {
    for (const link of this.idle.splice(0)) link.discard();
  }
}
