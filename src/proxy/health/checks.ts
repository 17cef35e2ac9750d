/** Health checks of all servers: when they run, and what their outcomes make of the servers. */
import type { TlsClient, Transport } from '../../sockets/transport.ts';
import type { AlarmClock } from '../alarm.ts';
import type { Backend, LiveProxy, Server } from '../model.ts';
import { countResult, interval } from './counter.ts';
import { followTracks, watchMarks } from './followers.ts';
import { observer } from './observe.ts';
import { STATUSES } from './statuses.ts';
import { type CheckOutcome, compileScript, type Script } from './steps.ts';
import { Walk, type WalkSettings } from './walk.ts';

/**
 * What checks tell: `check` when an outcome differs from the one before or moved the health (what
 * `option log-health-checks` logs), then `up`, `down` or `stopping` when the server changed by it.
 */
export interface CheckEvent {
  readonly kind: 'check' | 'up' | 'down' | 'stopping';
  readonly server: Server;
  /** A keyword of statuses.ts, e.g. `L4CON`, and its description. */
  readonly status: string;
  readonly description: string;
  readonly result: 'passed' | 'conditional' | 'failed';
  /** HTTP status, 0 for none. */
  readonly code: number;
  /** What more is known, e.g. `Connection refused`; may be empty. */
  readonly info: string;
  /** Milliseconds; −1 for a failure that was observed in traffic. */
  readonly duration: number;
}

export interface CheckOptions {
  /** How to speak TLS to a server. */
  readonly tls?: (server: Server) => TlsClient;
  /** [0, 1): spreads checks over time (`spread-checks`). */
  readonly random?: () => number;
}

/** Starts the checks of every server that has them. `stop` abandons those under way. */
export function startChecks(
  proxy: LiveProxy,
  transport: Transport,
  clock: AlarmClock,
  report: (event: CheckEvent) => void,
  options: CheckOptions = {},
): { stop(): void } {
  const checks = proxy.backends
    .filter((backend) => !backend.settings.disabled)
    .flatMap((backend) => checksOf(backend, proxy, transport, clock, report, options));
  const unfollow = [...followTracks(proxy), ...watchMarks(proxy)];
  stagger(checks);
  return {
    stop() {
      for (const check of checks) check.stop();
      for (const end of unfollow) end();
    },
  };
}

function checksOf(
  backend: Backend,
  proxy: LiveProxy,
  transport: Transport,
  clock: AlarmClock,
  report: (event: CheckEvent) => void,
  options: CheckOptions,
): Check[] {
  const { timeouts } = backend.settings;
  const { node, spreadChecks } = proxy.configuration.global;
  const script = compileScript(backend.settings, node ?? 'localhost');
  const tls = options.tls ?? defaultTls;
  return backend.servers
    .filter((server) => server.settings.check)
    .map((server) => {
      const { inter } = server.settings;
      // Configuration manual, `timeout check`: with it, and `timeout connect`, the connection has its own, shorter time.
      const own = timeouts.check !== undefined && timeouts.connect !== undefined;
      const spoken = tls(server);
      const walk: WalkSettings = {
        transport,
        clock,
        tls: () => spoken,
        connectTimeout: own ? Math.min(inter, timeouts.connect!) : inter,
        checkTimeout: timeouts.check,
      };
      return new Check(server, script, walk, report, spreadChecks, options.random ?? Math.random);
    });
}

function defaultTls(server: Server): TlsClient {
  const { checkTls } = server.settings;
  return { serverName: checkTls?.checkSni, verify: checkTls?.verify === 'required' };
}

/** Intervals shorter than this do not draw the others together. */
const SHORT = 1000;

/** First checks are spread over the shortest interval, so that a thousand servers are not asked at once. */
function stagger(checks: readonly Check[]): void {
  const intervals = checks.map((check) => interval(check.server));
  const shortest = Math.min(...intervals.filter((each) => each >= SHORT));
  checks.forEach((check, i) => {
    const window = Number.isFinite(shortest) ? Math.max(shortest, intervals[i]!) : intervals[i]!;
    check.startIn((window * i) / checks.length);
  });
}

class Check {
  readonly server: Server;
  readonly #script: Script;
  readonly #settings: WalkSettings;
  readonly #report: (event: CheckEvent) => void;
  /** Percent. */
  readonly #spread: number;
  readonly #random: () => number;
  #walk: Walk | undefined;
  #startedAt = 0;
  #dueAt = Infinity;
  #cancel: () => void = () => {};

  constructor(
    server: Server,
    script: Script,
    settings: WalkSettings,
    report: (event: CheckEvent) => void,
    spread: number,
    random: () => number,
  ) {
    this.server = server;
    this.#script = script;
    this.#settings = settings;
    this.#report = report;
    this.#spread = spread;
    this.#random = random;
    server.observe = observer(server, (info, fatal) => this.#observed(info, fatal));
  }

  startIn(ms: number): void {
    this.#cancel();
    this.#dueAt = this.#settings.clock.now() + ms;
    this.#cancel = this.#settings.clock.after(ms, () => this.#start());
  }

  stop(): void {
    this.#cancel();
    this.#walk?.abandon();
    this.server.check.running = false;
    this.server.observe = undefined;
  }

  #start(): void {
    const { server } = this;
    if (!server.check.enabled || server.admin === 'maint') {
      this.startIn(interval(server));
      return;
    }
    server.check.running = true;
    this.#startedAt = this.#settings.clock.now();
    this.#walk = new Walk(server, this.#script, this.#settings, (outcome) => this.#finished(outcome));
  }

  #finished(outcome: CheckOutcome): void {
    const { server } = this;
    const { clock } = this.#settings;
    this.#walk = undefined;
    server.check.running = false;
    // Switched off or put into maintenance meanwhile: what it found does not matter any more.
    if (server.check.enabled && server.admin !== 'maint')
      this.#apply(outcome, Math.round(clock.now() - this.#startedAt));
    const every = interval(server);
    const spread = (every * this.#spread) / 100;
    this.startIn(every + spread - 2 * spread * this.#random());
  }

  #apply(outcome: CheckOutcome, duration: number): void {
    const { server } = this;
    const { check } = server;
    const row = STATUSES.get(outcome.status)!;
    const result = row.result as CheckEvent['result'];
    const news = check.status !== outcome.status;
    Object.assign(check, { status: outcome.status, code: outcome.code, duration, description: outcome.info });
    const moved = countResult(server, result);
    const { status, code, info } = outcome;
    const event = { server, status, description: row.description, result, code, info, duration };
    if (news || moved) this.#report({ kind: 'check', ...event });
    const turned = turn(server, result);
    if (turned !== undefined) this.#report({ kind: turned, ...event });
  }

  /** Enough errors in real traffic: counts as a failed check, and brings the next one closer. */
  #observed(info: string, asFailure: boolean): void {
    const { server } = this;
    const soon = server.settings.fastInter ?? server.settings.inter;
    if (asFailure) this.#apply({ status: 'HANA', code: 0, info }, -1);
    if (this.#walk === undefined && this.#dueAt > this.#settings.clock.now() + soon) this.startIn(soon);
  }
}

/** Brings the server's state in line with its health; returns what changed. */
function turn(server: Server, result: CheckEvent['result']): 'up' | 'down' | 'stopping' | undefined {
  const before = `${server.up}${server.stopping}`;
  if (result === 'failed') {
    if (server.health > 0) return undefined;
    server.setUp(false);
  } else {
    if (server.health < server.settings.rise) return undefined;
    if (result === 'conditional') server.setStopping();
    else server.setUp(true);
  }
  if (before === `${server.up}${server.stopping}`) return undefined;
  return server.up ? (server.stopping ? 'stopping' : 'up') : 'down';
}
