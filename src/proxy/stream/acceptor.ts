/** What happens when a client connects: limits, connection rules, and a stream of the frontend's mode. */
import type { Connection, Events, HasRoom } from '../../sockets/transport.ts';
import type { ListenerState } from '../model.ts';
import { HttpStream } from './http-stream.ts';
import type { FrontendPlan, Runtime } from './plan.ts';
import { ProxyHeaderReader } from './proxy-protocol.ts';
import type { Stream } from './stream.ts';
import { TcpStream } from './tcp-stream.ts';

export class Acceptor {
  /** Streams that live, for a soft stop and `show sess`. */
  readonly streams = new Set<Stream>();
  readonly runtime: Runtime;
  /** Listeners that may sleep because there was no room. */
  readonly wakers: (() => void)[] = [];
  #full = false;
  /** Connections over a limit that could not be left to the system: not read from until another one ends. */
  #waiting: Waiting[] = [];
  /** Connections that are still to tell their PROXY protocol header: they have a place but no stream. */
  readonly #reading = new Map<FrontendPlan, number>();

  constructor(runtime: Omit<Runtime, 'left'>) {
    this.runtime = { ...runtime, left: (stream) => this.#left(stream as Stream) };
  }

  /** For `Transport.listen`. */
  acceptOn(plan: FrontendPlan, listener: ListenerState): (connection: Connection) => Events {
    return (connection) => {
      if (!this.#hasRoom(plan)) {
        const waiting = new Waiting(connection, plan, listener, this.#forget);
        this.#waiting.push(waiting);
        return waiting;
      }
      return listener.bind.acceptProxy ? this.#readProxyHeader(plan, listener) : this.#admit(plan, listener);
    };
  }

  /** For `Transport.listen`: whether another connection may be accepted now. */
  roomFor(plan: FrontendPlan): HasRoom {
    return () => {
      if (this.#hasRoom(plan)) return true;
      this.#full = true;
      return false;
    };
  }

  #readProxyHeader(plan: FrontendPlan, listener: ListenerState): Events {
    const { client } = plan.settings.timeouts;
    this.#countReading(plan, 1);
    return new ProxyHeaderReader(this.runtime, client, (connection, addresses) => {
      this.#countReading(plan, -1);
      if (connection === undefined) return this.#roomAgain();
      const stream = this.#admit(plan, listener);
      connection.events = stream;
      stream.opened(connection, addresses);
    });
  }

  /** The process is stopping: connections without a request under way end now. */
  closeIdle(): void {
    for (const stream of [...this.streams]) stream.closeIfIdle();
  }

  shutdownAll(): void {
    for (const stream of [...this.streams]) stream.shutdown();
  }

  #countReading(plan: FrontendPlan, change: number): void {
    this.#reading.set(plan, (this.#reading.get(plan) ?? 0) + change);
  }

  #hasRoom(plan: FrontendPlan): boolean {
    const { totals, proxy } = this.runtime;
    const { counters, maxconn } = plan.frontend;
    return counters.scur + (this.#reading.get(plan) ?? 0) < maxconn && totals.connections < proxy.maxconn;
  }

  #admit(plan: FrontendPlan, listener: ListenerState): Stream {
    const { totals } = this.runtime;
    const { counters } = plan.frontend;
    const wall = Date.now();
    counters.open();
    counters.connTot++;
    counters.rate.add(wall);
    counters.connRate.add(wall);
    totals.cumulativeConnections++;
    totals.connectionRate.add(wall);
    totals.sessionRate.add(wall);
    if (++totals.connections > totals.maxConnections) totals.maxConnections = totals.connections;
    const Mode = plan.settings.mode === 'http' ? HttpStream : TcpStream;
    const stream = new Mode(this.runtime, plan, listener);
    this.streams.add(stream);
    return stream;
  }

  #left(stream: Stream): void {
    if (!this.streams.delete(stream)) return;
    this.runtime.totals.connections--;
    this.#roomAgain();
  }

  #roomAgain(): void {
    if (this.#waiting.length > 0) this.#admitWaiting();
    if (!this.#full) return;
    this.#full = false;
    for (const wake of this.wakers) wake();
  }

  #admitWaiting(): void {
    const i = this.#waiting.findIndex(({ plan }) => this.#hasRoom(plan));
    if (i < 0) return;
    const [{ connection, plan, listener, hasEnded }] = this.#waiting.splice(i, 1) as [Waiting];
    const events = listener.bind.acceptProxy
      ? this.#readProxyHeader(plan, listener)
      : this.#admit(plan, listener);
    connection.events = events;
    events.opened(connection);
    connection.resume();
    if (hasEnded) connection.events.ended();
  }

  readonly #forget = (waiting: Waiting): void => {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
  };
}

/** A connection that was not let in yet. */
class Waiting implements Events {
  readonly connection: Connection;
  readonly plan: FrontendPlan;
  readonly listener: ListenerState;
  hasEnded = false;
  readonly #forget: (waiting: Waiting) => void;

  constructor(
    connection: Connection,
    plan: FrontendPlan,
    listener: ListenerState,
    forget: (waiting: Waiting) => void,
  ) {
    this.connection = connection;
    this.plan = plan;
    this.listener = listener;
    this.#forget = forget;
  }

  opened(connection: Connection): void {
    connection.pause();
  }

  data(): void {}

  drained(): void {}

  ended(): void {
    this.hasEnded = true;
  }

  closed(): void {
    this.#forget(this);
  }
}
