import type { AlarmClock } from '../../../src/proxy/alarm.ts';
import {
  Backend,
  type Frontend,
  type LiveProxy,
  type LiveSession,
  ProcessCounters,
  Server,
} from '../../../src/proxy/model.ts';
import type { Configuration, ProxySettings, ServerSettings } from '../../../src/proxy/settings.ts';
import type { ConnectAddress, Connection, Events, Transport } from '../../../src/sockets/transport.ts';

/** Time that stands still until a test moves it. */
export class FakeClock implements AlarmClock {
  #now = 0;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (let steps = 0; steps < 10_000; steps++) {
      const next = this.#timers.filter((t) => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#now = next.at;
      next.run();
    }
    this.#now = until;
  }

  get waiting(): number {
    return this.#timers.length;
  }
}

/** What a pretended server does: with a connection, and with the bytes that come. */
export interface Script {
  refuse?: string;
  silent?: boolean;
  greet?: string;
  answer?: (bytes: string) => string | undefined;
  /** End the connection after answering (or at once when there is no answer), or break it. */
  after?: 'end' | 'reset';
}

/** Servers by `host:port`; answers in the same turn. Keeps what they received. */
export class FakeTransport implements Transport {
  readonly servers = new Map<string, Script>();
  readonly received: { to: string; at: number; bytes: string }[] = [];
  readonly connects: { to: string; at: number }[] = [];
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  listen(): never {
    throw new Error('nothing listens here');
  }

  connect(to: ConnectAddress, events: Events): Connection {
    const name = to.kind === 'tcp' ? `${to.host}:${to.port}` : to.path;
    this.connects.push({ to: name, at: this.#clock.now() });
    const script = this.servers.get(name) ?? { refuse: 'ECONNREFUSED' };
    let gone = false;
    const finish = (): void => {
      if (script.after === 'end') events.ended();
      if (script.after === 'reset') events.closed(true, 'ECONNRESET');
    };
    const connection = {
      events,
      write: (bytes: Uint8Array, offset: number, length: number): number => {
        const text = Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
        this.received.push({ to: name, at: this.#clock.now(), bytes: text });
        this.#clock.after(0, () => {
          if (gone) return;
          const answer = script.answer?.(text);
          if (answer !== undefined) events.data(Buffer.from(answer, 'latin1'));
          if (!gone) finish();
        });
        return length;
      },
      reset: (): void => {
        gone = true;
      },
    } as unknown as Connection;
    this.#clock.after(0, () => {
      if (gone || script.silent) return;
      if (script.refuse !== undefined) {
        events.closed(true, script.refuse);
        return;
      }
      events.opened(connection);
      if (script.greet !== undefined && !gone) events.data(Buffer.from(script.greet, 'latin1'));
      if (script.answer === undefined && !gone) finish();
    });
    return connection;
  }
}

export function serverSettings(name: string, more: Partial<ServerSettings> = {}): ServerSettings {
  return {
    name,
    place: { file: 'test.cfg', line: 1, column: 1 },
    endpoint: { kind: 'tcp', host: '127.0.0.1', port: 80 },
    host: '127.0.0.1',
    port: 80,
    id: 1,
    check: true,
    inter: 2000,
    rise: 2,
    fall: 3,
    weight: 1,
    backup: false,
    disabled: false,
    initAddr: [],
    ...more,
  };
}

export function proxySettings(name: string, more: Partial<ProxySettings> = {}): ProxySettings {
  return {
    kind: 'backend',
    name,
    place: { file: 'test.cfg', line: 1, column: 1 },
    id: 2,
    mode: 'http',
    disabled: false,
    binds: [],
    servers: [],
    timeouts: {},
    options: { allbackups: false },
    balance: { algorithm: 'roundrobin', args: [] },
    check: { type: 'tcp', disableOn404: false, sendState: false, tcpSteps: [] },
    stats: undefined,
    ...more,
  } as unknown as ProxySettings;
}

export function backendOf(settings: ProxySettings, servers: readonly ServerSettings[]): Backend {
  return new Backend(
    settings,
    servers.map((each, i) => {
      const server = new Server({ ...each, id: i + 1 });
      server.address = each.host;
      return server;
    }),
  );
}

/** A process with these frontends and backends; sessions as given. */
export function proxyOf(
  parts: { frontends?: Frontend[]; backends?: Backend[]; sessions?: LiveSession[] },
  global: Partial<Configuration['global']> = {},
): LiveProxy {
  return {
    configuration: {
      global: { spreadChecks: 0, statsSockets: [], statsTimeout: 10_000, ...global },
      proxies: [
        ...new Set([...(parts.frontends ?? []), ...(parts.backends ?? [])].map((each) => each.settings)),
      ],
    } as unknown as Configuration,
    frontends: parts.frontends ?? [],
    backends: parts.backends ?? [],
    startedAt: Date.now() - 65_000,
    maxconn: 1000,
    hardMaxconn: 2000,
    stopping: false,
    sessions: () => parts.sessions ?? [],
    totals: new ProcessCounters(),
  };
}
