import { vi } from 'vitest';
import { compileConfiguration } from '../../../src/proxy/compile.ts';
import { type Backend, type LiveProxy, ProcessCounters, type Server } from '../../../src/proxy/model.ts';
import { Acceptor } from '../../../src/proxy/stream/acceptor.ts';
import { MemoryTransport } from '../../../src/sockets/memory.ts';
import { Clock } from '../../../src/sockets/timers.ts';
import type { Connection, Events } from '../../../src/sockets/transport.ts';
import { load } from '../keywords/load.ts';

const DEFAULTS = `defaults
 mode http
 timeout connect 2s
 timeout client 10s
 timeout server 5s
 timeout http-request 3s
 timeout http-keep-alive 4s
 timeout queue 6s
`;

/**
 * A proxy between clients and servers that all live in this test: connections are in memory, time stands still until
 * `wait` moves it. A frontend binds `:80`; servers are `127.0.0.1:<port>`, and play what `serve` says.
 */
export class Scene {
  readonly network: MemoryTransport;
  readonly proxy: LiveProxy;
  /** One line a transaction: `backend/server status termination retries`. */
  readonly log: string[] = [];
  readonly #clock: Clock;

  constructor(configuration: string, options: { capacity?: number; piece?: number } = {}) {
    vi.useFakeTimers({
      toFake: ['performance', 'Date', 'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'],
    });
    const loaded = load(`${DEFAULTS}${configuration}\n`);
    if (loaded.diagnostics.some((d) => d.severity === 'error')) throw new Error(loaded.rendered);
    this.network = new MemoryTransport({ automatic: false, ...options });
    this.#clock = new Clock();
    const totals = new ProcessCounters();
    const compiled = compileConfiguration(loaded.configuration, {
      running: () => this.proxy,
      logger: () => (tx) => {
        const where = `${tx.backend?.name ?? '-'}/${tx.server?.name ?? '-'}`;
        this.log.push(`${where} ${tx.status} ${tx.termination} ${tx.redispatched ? '+' : ''}${tx.retries}`);
      },
      serverTls: () => undefined,
    });
    const acceptor = new Acceptor({
      proxy: undefined as never,
      transport: this.network,
      clock: this.#clock,
      totals,
      bufsize: 16_384,
      maxrewrite: 1024,
      maxFields: 101,
      stopping: false,
    });
    this.proxy = {
      configuration: loaded.configuration,
      frontends: compiled.frontends.map((plan) => plan.frontend),
      backends: compiled.backends.map((plan) => plan.backend),
      startedAt: Date.now(),
      maxconn: 1000,
      hardMaxconn: 1000,
      stopping: false,
      sessions: () => acceptor.streams,
      totals,
    };
    Object.assign(acceptor.runtime, { proxy: this.proxy });
    for (const { servers } of this.proxy.backends)
      for (const server of servers) server.setAddress(server.settings.host, server.port);
    for (const plan of compiled.frontends)
      for (const bind of plan.settings.binds) {
        const { port } = bind.endpoint as { port: number };
        const listener = { id: 1, name: 'sock-1', bind };
        this.network.listen({ kind: 'tcp', host: '0.0.0.0', port }, acceptor.acceptOn(plan, listener));
      }
  }

  backend(name: string): Backend {
    return this.proxy.backends.find((backend) => backend.name === name)!;
  }

  server(name: string): Server {
    return this.proxy.backends.flatMap((backend) => backend.servers).find((server) => server.name === name)!;
  }

  /** Everybody who connects to that port of a server; with `answer`, each of their requests gets it. */
  serve(port: number, answer?: string): Peer[] {
    const peers: Peer[] = [];
    this.network.listen({ kind: 'tcp', host: '127.0.0.1', port }, () => {
      const peer = new Peer(this, answer);
      peers.push(peer);
      return peer;
    });
    return peers;
  }

  /** A client that has connected, and sent this. */
  client(text = ''): Peer {
    const peer = new Peer(this);
    this.network.connect({ kind: 'tcp', host: '127.0.0.1', port: 80 }, peer);
    this.network.settle();
    if (text !== '') peer.send(text);
    return peer;
  }

  wait(ms: number): void {
    vi.advanceTimersByTime(ms);
    this.network.settle();
  }

  end(): void {
    this.#clock.stop();
    vi.useRealTimers();
  }
}

/** A client or a server. */
export class Peer implements Events {
  text = '';
  /** How the other side left: `FIN`, `closed`, `reset`. */
  left = '';
  connection!: Connection;
  readonly #scene: Scene;
  readonly #answer: string | undefined;

  constructor(scene: Scene, answer?: string) {
    this.#scene = scene;
    this.#answer = answer;
  }

  send(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    const taken = this.connection.write(bytes, 0, bytes.length);
    if (taken !== bytes.length) throw new Error(`only ${taken} of ${bytes.length} bytes were taken`);
    this.#scene.network.settle();
  }

  finish(): void {
    this.connection.finish();
    this.#scene.network.settle();
  }

  close(): void {
    this.connection.close();
    this.#scene.network.settle();
  }

  reset(): void {
    this.connection.reset();
    this.#scene.network.settle();
  }

  /** What came since the last call. */
  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  /** Statuses of the responses so far. */
  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((found) => Number(found[1]));
  }

  opened(connection: Connection): void {
    this.connection = connection;
  }

  data(bytes: Buffer): void {
    const text = bytes.toString('latin1');
    this.text += text;
    if (this.#answer === undefined) return;
    const answer = Buffer.from(this.#answer.repeat(text.split('\r\n\r\n').length - 1), 'latin1');
    this.connection.write(answer, 0, answer.length);
  }

  drained(): void {}

  ended(): void {
    this.left ||= 'FIN';
  }

  closed(failed: boolean): void {
    this.left = failed ? 'reset' : 'closed';
  }
}
