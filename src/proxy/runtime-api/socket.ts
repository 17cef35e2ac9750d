/** The runtime socket: `stats socket`, on a path or a port. */
import type { Connection, Events, ListenAddress, Listener, Transport } from '../../sockets/transport.ts';
import type { AlarmClock } from '../alarm.ts';
import type { LiveProxy } from '../model.ts';
import type { StatsSocket } from '../settings.ts';
import type { Session } from './command.ts';
import { newSession, runCommand } from './session.ts';

/**
 * Listens on every socket.
 *
 * @throws {ProxyError} what `transport.listen` throws; sockets opened before are closed again
 */
export function serveRuntimeSocket(
  transport: Transport,
  settings: { readonly statsSockets: readonly StatsSocket[]; readonly statsTimeout: number },
  proxy: LiveProxy,
  clock: AlarmClock,
): { readonly listeners: readonly Listener[]; stop(): void } {
  const listeners: Listener[] = [];
  const talks = new Set<Talk>();
  const stop = (): void => {
    for (const listener of listeners) listener.stop();
    for (const talk of talks) talk.end();
  };
  try {
    for (const socket of settings.statsSockets) {
      const accept = (connection: Connection): Events => {
        const session = newSession(socket.level);
        const talk: Talk = new Talk(connection, session, proxy, clock, settings.statsTimeout, () =>
          talks.delete(talk),
        );
        talks.add(talk);
        return talk;
      };
      listeners.push(transport.listen(listenAddress(socket), accept));
    }
  } catch (error) {
    stop();
    throw error;
  }
  return { listeners, stop };
}

function listenAddress({ endpoint, mode }: StatsSocket): ListenAddress {
  return endpoint.kind === 'unix' ? { ...endpoint, mode } : endpoint;
}

/** Bytes of a line, as HAProxy's buffer bounds it. */
const LONGEST_LINE = 16384;

/** One connection: lines in, answers out. Without `prompt` it ends after the first line. */
class Talk implements Events {
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #proxy: LiveProxy;
  readonly #clock: AlarmClock;
  readonly #timeout: number;
  readonly #gone: () => void;
  #input = '';
  #output = Buffer.alloc(0);
  #closing = false;
  #cancelTimer: () => void = () => {};

  constructor(
    connection: Connection,
    session: Session,
    proxy: LiveProxy,
    clock: AlarmClock,
    timeout: number,
    gone: () => void,
  ) {
    this.#connection = connection;
    this.#session = session;
    this.#proxy = proxy;
    this.#clock = clock;
    this.#timeout = timeout;
    this.#gone = gone;
    this.#arm();
  }

  opened(): void {}

  data(bytes: Buffer): void {
    if (this.#closing) return;
    this.#arm();
    this.#input += bytes.toString('utf8');
    this.#readLines();
  }

  drained(): void {
    this.#arm();
    this.#flush();
  }

  /** The peer sends no more; what it asked for is still answered. A line without its end is none. */
  ended(): void {
    this.#closing = true;
    this.#flush();
  }

  closed(): void {
    this.#leave();
  }

  end(): void {
    this.#leave();
    this.#connection.close();
  }

  #readLines(): void {
    while (!this.#closing) {
      const end = this.#input.indexOf('\n');
      if (end < 0) break;
      const line = this.#input.slice(0, end);
      this.#input = this.#input.slice(end + 1);
      this.#output = Buffer.concat([this.#output, Buffer.from(runCommand(line, this.#session, this.#proxy))]);
      if (this.#session.over || !this.#session.interactive) this.#closing = true;
    }
    if (this.#input.length > LONGEST_LINE) this.#closing = true;
    this.#flush();
  }

  #flush(): void {
    if (this.#output.length > 0) {
      const taken = this.#connection.write(this.#output, 0, this.#output.length);
      if (taken > 0) this.#output = this.#output.subarray(taken);
      if (taken < 0) this.#output = Buffer.alloc(0);
    }
    if (this.#closing && this.#output.length === 0) this.end();
  }

  #arm(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(this.#session.timeout ?? this.#timeout, () => this.end());
  }

  #leave(): void {
    this.#cancelTimer();
    this.#gone();
  }
}
