/**
 * What streams of both modes share: the client's facts, the books, and the search for a server: choose one, wait in a
 * queue if it is full, connect, try again, try another.
 */
import { Deadline, now } from '../../sockets/timers.ts';
import type { Connection, Events } from '../../sockets/transport.ts';
import { type Sample, VERDICT, type Verdict } from '../expressions.ts';
import { OBSERVED, type ObservedOutcome } from '../health/observe.ts';
import type { Head } from '../http1/head.ts';
import type { Backend, Counters, Frontend, ListenerState, LiveSession, Server } from '../model.ts';
import type { Reply, Times, Transaction } from '../transaction.ts';
import { ClientFacts } from './client-facts.ts';
import { persistentServer } from './cookie.ts';
import { Outlet } from './outlet.ts';
import type { BackendPlan, ClientStream, FrontendPlan, Runtime, Waiting } from './plan.ts';
import { type ProxiedAddresses, proxyHeader } from './proxy-protocol.ts';
import { ServerLink, type ServerSide } from './server-link.ts';
import type { ServerPool } from './server-pool.ts';
import type { Traced } from './trace.ts';

/** Why a stream waits. */
export const FOR = { nothing: 0, tarpit: 1, queue: 2, connect: 3, retry: 4, form: 5, inspection: 6 } as const;

/** How long a retry of the same server waits at most (manual, `retries`). */
const RETRY_DELAY_MS = 1000;
const EMPTY = Buffer.alloc(0);
let lastId = 0;

export abstract class Stream
  extends Deadline
  implements Transaction, Events, ServerSide, Waiting, ClientStream, LiveSession, Traced
{
  readonly frontend: Frontend;
  client!: ClientFacts;
  backend: Backend | undefined = undefined;
  server: Server | undefined = undefined;
  request!: Head;
  response!: Head;
  vars: Map<string, Sample> | undefined = undefined;
  payload: Uint8Array = EMPTY;
  payloadLength = 0;
  inspecting = false;
  incomplete = false;
  reply: Reply | undefined = undefined;
  logLevel: number | undefined = undefined;
  readonly times: Times = {
    idleStart: -1,
    requestStart: -1,
    requestEnd: -1,
    queueEnd: -1,
    connected: -1,
    responseStart: -1,
    end: -1,
  };
  requestCaptures: (string | undefined)[] | undefined = undefined;
  responseCaptures: (string | undefined)[] | undefined = undefined;
  requestCookie: string | undefined = undefined;
  responseCookie: string | undefined = undefined;
  /** Value of the persistence cookie as the client sent it. */
  persistence: string | undefined = undefined;
  traceId = -1;
  serverQueue = 0;
  backendQueue = 0;
  applet: string | undefined = undefined;
  bytesOut = 0;
  bytesIn = 0;
  status = -1;
  retries = 0;
  redispatched = false;
  termination = '--';
  user: string | undefined = undefined;

  protected readonly runtime: Runtime;
  protected readonly plan: FrontendPlan;
  protected readonly listener: ListenerState;
  /** Towards the client. */
  protected readonly outlet = new Outlet();
  protected connection!: Connection;
  protected backendPlan: BackendPlan | undefined = undefined;
  protected link: ServerLink | undefined = undefined;
  protected waitingFor: number = FOR.nothing;
  /** How many connections were tried. */
  protected attempt = 0;
  /** Monotonic and wall time, read once an event. */
  protected now = 0;
  protected wall = 0;
  private pool: ServerPool | undefined = undefined;
  private countedOn: Server | undefined = undefined;
  private serverInspected = false;
  private queuedAt: Counters | undefined = undefined;
  /** The server was not chosen by the policy. */
  private bound = false;
  private sessionId: string | undefined = undefined;
  private uniqueIdText: string | undefined = undefined;

  constructor(runtime: Runtime, plan: FrontendPlan, listener: ListenerState) {
    super();
    this.runtime = runtime;
    this.plan = plan;
    this.listener = listener;
    this.frontend = plan.frontend;
  }

  abstract readonly requestLine: string;
  abstract data(bytes: Buffer): void;
  abstract drained(): void;
  abstract ended(): void;
  abstract closed(failed: boolean, reason?: string): void;
  abstract serverData(bytes: Buffer): void;
  abstract serverDrained(): void;
  abstract serverEnded(): void;
  abstract closeIfIdle(): void;
  abstract shutdown(): void;
  /** The server's connection stands. */
  protected abstract serverReady(): void;
  /** The server's connection broke while it was in use. */
  protected abstract serverLost(failed: boolean): void;
  /** No server can be had. */
  protected abstract searchFailed(termination: string): void;

  get uniqueId(): string {
    this.uniqueIdText ??= this.plan.uniqueId?.(this) ?? '';
    return this.uniqueIdText;
  }

  get id(): string {
    this.sessionId ??= `0x${(++lastId).toString(16)}`;
    return this.sessionId;
  }

  get descriptors(): Traced['descriptors'] {
    return { listener: this.listener.id, client: this.connection.fd ?? -1, server: this.link?.fd ?? -1 };
  }

  get protocol(): string {
    if (this.listener.bind.endpoint.kind === 'unix') return 'unix_stream';
    return this.client.address.includes(':') ? 'tcpv6' : 'tcpv4';
  }

  get source(): string {
    return `${this.client.address}:${this.client.port}`;
  }

  get startedAt(): number {
    return this.client.acceptedAt;
  }

  /** `announced`: the addresses that a PROXY protocol header told. */
  opened(connection: Connection, announced?: ProxiedAddresses): void {
    this.now = now();
    this.wall = Date.now();
    this.connection = connection;
    this.outlet.attach(connection);
    this.client = new ClientFacts(connection, this.listener, this.listener.bind.ssl !== undefined, this.wall);
    if (announced !== undefined) this.client.override(announced);
    this.times.idleStart = this.now;
    if (this.passesConnectionRules()) this.start();
    else {
      connection.events = NOBODY;
      this.leave();
      connection.reset();
    }
  }

  /** The connection stands and was let in. */
  protected abstract start(): void;

  /** `tcp-request connection` and `tcp-request session`, before anything is read. */
  private passesConnectionRules(): boolean {
    const { tcpConnection, tcpSession, frontend } = this.plan;
    if (isRefusal(tcpConnection?.(this))) {
      frontend.counters.dcon++;
      return false;
    }
    if (isRefusal(tcpSession?.(this))) {
      frontend.counters.dses++;
      return false;
    }
    return true;
  }

  /** Forgets the transaction before, for the next one on the same connection. */
  protected resetTransaction(): void {
    this.backend = undefined;
    this.server = undefined;
    this.vars = undefined;
    this.reply = undefined;
    this.logLevel = undefined;
    this.requestCaptures = undefined;
    this.responseCaptures = undefined;
    this.requestCookie = undefined;
    this.responseCookie = undefined;
    this.persistence = undefined;
    this.serverInspected = false;
    this.serverQueue = 0;
    this.backendQueue = 0;
    this.applet = undefined;
    this.status = -1;
    this.retries = 0;
    this.redispatched = false;
    this.termination = '--';
    this.user = undefined;
    this.backendPlan = undefined;
    this.pool = undefined;
    this.uniqueIdText = undefined;
    this.attempt = 0;
    const { times } = this;
    times.requestEnd = -1;
    times.queueEnd = -1;
    times.connected = -1;
    times.responseStart = -1;
    times.end = -1;
  }

  protected chooseBackend(): BackendPlan | undefined {
    const { useBackend, defaultBackend } = this.plan;
    for (let i = 0; i < useBackend.length; i++) {
      const rule = useBackend[i]!;
      if (rule.test === undefined || rule.test(this)) {
        const chosen = rule.backend(this);
        if (chosen !== undefined) return chosen;
      }
    }
    return defaultBackend;
  }

  protected enterBackend(plan: BackendPlan): void {
    this.backendPlan = plan;
    this.backend = plan.backend;
    plan.backend.counters.open();
    plan.backend.counters.rate.add(this.wall);
  }

  // ── A server ───────────────────────────────────────────────────────────────────────────────────────────────

  protected assignServer(): void {
    const plan = this.backendPlan!;
    const bound = this.boundServer(plan);
    this.bound = bound !== undefined;
    if (bound !== undefined) return this.useOrWait(plan, bound);
    const { policy, isFull } = plan;
    const server = policy.pick(this, isFull);
    if (server !== undefined) this.useOrWait(plan, server);
    else if (plan.backend.usable.length > 0) this.waitInQueue(plan.queue, plan.backend.counters);
    else this.searchFailed('SC');
  }

  /** This server and no other, unless too many wait for it already (manual, `maxqueue`). */
  private useOrWait(plan: BackendPlan, server: Server): void {
    const pool = plan.pools.get(server)!;
    const { maxqueue } = server.settings;
    if (!pool.full) this.useServer(server);
    else if (!maxqueue || pool.queue.length < maxqueue) this.waitInQueue(pool.queue, server.counters);
    else {
      const other = plan.policy.pick(this, (s) => s === server || plan.isFull(s));
      if (other !== undefined && !plan.isFull(other)) this.useServer(other);
      else this.waitInQueue(plan.queue, plan.backend.counters);
    }
  }

  /** The server that a rule or the client's cookie names, while it can serve; `option persist` does not ask that. */
  private boundServer(plan: BackendPlan): Server | undefined {
    for (let i = 0; i < plan.useServer.length; i++) {
      const rule = plan.useServer[i]!;
      if (rule.test !== undefined && !rule.test(this)) continue;
      const server = rule.server(this);
      if (server !== undefined && mayStickTo(server, plan)) return server;
    }
    const server = plan.cookie && persistentServer(this, plan.cookie);
    return server !== undefined && mayStickTo(server, plan) ? server : undefined;
  }

  /** `counters`: of the server that is waited for, or of the backend. */
  private waitInQueue(queue: Waiting[], counters: Counters): void {
    const { settings, backend } = this.backendPlan!;
    queue.push(this);
    this.queuedAt = counters;
    if (counters === backend.counters) this.backendQueue = queue.length;
    else this.serverQueue = queue.length;
    if (++counters.qcur > counters.qmax) counters.qmax = counters.qcur;
    this.waitFor(FOR.queue, settings.timeouts.queue ?? settings.timeouts.connect);
  }

  offer(server: Server): boolean {
    if (this.waitingFor !== FOR.queue) return false;
    this.now = now();
    this.countOutOfQueue();
    this.useServer(server);
    return true;
  }

  /** The server whose queue it stood in went away: whoever takes its place, or none. */
  searchAnew(): void {
    if (this.waitingFor !== FOR.queue) return;
    this.now = now();
    this.countOutOfQueue();
    this.assignServer();
  }

  protected leaveQueue(): void {
    const plan = this.backendPlan!;
    this.countOutOfQueue();
    for (const queue of [plan.queue, ...[...plan.pools.values()].map((pool) => pool.queue)]) {
      const i = queue.indexOf(this);
      if (i >= 0) queue.splice(i, 1);
    }
  }

  private countOutOfQueue(): void {
    this.queuedAt!.qcur--;
    this.queuedAt = undefined;
  }

  private useServer(server: Server): void {
    const plan = this.backendPlan!;
    this.server = server;
    this.pool = plan.pools.get(server)!;
    this.times.queueEnd = this.now;
    if (this.countedOn !== server) this.countOn(server);
    if (server.settings.redir !== undefined && this.redirects(server.settings.redir)) return;
    const link = this.mayReuse() ? this.pool.take(this) : undefined;
    if (link === undefined) {
      this.openLink();
      return;
    }
    this.link = link;
    link.reuse(this);
    this.times.connected = this.now;
    this.waitingFor = FOR.nothing;
    this.serverReady();
  }

  private countOn(server: Server): void {
    this.releaseServer();
    this.countedOn = server;
    const { counters } = server;
    counters.open();
    counters.rate.add(this.wall);
    counters.lbtot++;
    counters.lastSession = Math.trunc(this.wall / 1000);
    const backend = server.backend.counters;
    backend.lbtot++;
    backend.lastSession = counters.lastSession;
    this.backendPlan!.policy.loadChanged?.(server);
  }

  /** Gives the place on the server back, to the stream that has waited longest for one. */
  protected releaseServer(): void {
    const server = this.countedOn;
    if (server === undefined) return;
    this.countedOn = undefined;
    server.counters.close();
    const plan = this.backendPlan!;
    plan.policy.loadChanged?.(server);
    const pool = plan.pools.get(server)!;
    if (pool.queue.length > 0 || plan.queue.length > 0) serveQueues(plan, pool);
  }

  /** The client was sent to the server's own address (manual, `redir`). */
  protected abstract redirects(prefix: string): boolean;

  // ── A connection to it ─────────────────────────────────────────────────────────────────────────────────────

  /** Whether a connection that another request has used will do. */
  protected abstract mayReuse(): boolean;

  protected openLink(): void {
    const { settings } = this.backendPlan!;
    const server = this.server!;
    const link = new ServerLink(this.runtime, this.pool!);
    this.link = link;
    this.waitFor(FOR.connect, settings.timeouts.connect);
    link.open(server, server.port || this.client.localPort, this, this.pool!.serverName?.(this));
  }

  serverOpened(): void {
    this.now = now();
    this.times.connected = this.now;
    this.waitingFor = FOR.nothing;
    this.observe(OBSERVED.connected);
    const { sendProxy } = this.server!.settings;
    if (sendProxy !== undefined) {
      const header = proxyHeader(sendProxy, this.client);
      this.link!.outlet.forward(header, 0, header.length);
    }
    this.serverReady();
  }

  serverClosed(failed: boolean, reason: string | undefined): void {
    this.now = now();
    if (this.waitingFor === FOR.connect) this.connectFailed(reason);
    else this.serverLost(failed);
  }

  /** Again to the same server after a moment, or to another one at once (manual, `retries` and `option redispatch`). */
  private connectFailed(reason: string | undefined): void {
    const { settings, retryOn } = this.backendPlan!;
    const server = this.server!;
    this.link = undefined;
    this.attempt++;
    this.observe(OBSERVED.notConnected);
    if (this.retries >= settings.retries || !retryOn.has('conn-failure')) {
      server.counters.econ++;
      this.backend!.counters.econ++;
      this.searchFailed(reason === 'ETIMEDOUT' ? 'sC' : 'SC');
      return;
    }
    this.countRetry();
    const other = this.redispatchDue() ? this.otherServer(server) : undefined;
    if (other !== undefined) this.redispatch(other);
    else this.waitFor(FOR.retry, Math.min(settings.timeouts.connect ?? RETRY_DELAY_MS, RETRY_DELAY_MS));
  }

  /** The same request once more, at once. */
  protected tryAgain(): void {
    this.attempt++;
    this.countRetry();
    const other = this.redispatchDue() ? this.otherServer(this.server!) : undefined;
    if (other !== undefined) this.redispatch(other);
    else this.openLink();
  }

  private countRetry(): void {
    this.retries++;
    this.server!.counters.wretr++;
    this.backend!.counters.wretr++;
  }

  private redispatch(to: Server): void {
    this.redispatched = true;
    this.server!.counters.wredis++;
    this.backend!.counters.wredis++;
    this.useServer(to);
  }

  /**
   * Whether the next try may go elsewhere. Where it does not matter which server is taken it always may; otherwise
   * −1 is only the last retry, n every n-th. A server that is down meanwhile is not tried again.
   */
  private redispatchDue(): boolean {
    const { settings, takesTurns } = this.backendPlan!;
    const { redispatch, retries } = settings;
    if (redispatch === 0) return false;
    if (takesTurns && !this.bound) return true;
    if (!this.server!.usableForSticky) return true;
    return redispatch < 0 ? this.retries === retries : this.retries % redispatch === 0;
  }

  private otherServer(than: Server): Server | undefined {
    const { policy, isFull } = this.backendPlan!;
    const refuses = (server: Server) => server === than || isFull(server);
    const other = policy.pick(this, refuses);
    return other === undefined || refuses(other) ? undefined : other;
  }

  protected dropLink(): void {
    const link = this.link;
    if (link === undefined) return;
    this.link = undefined;
    link.abort();
    this.releaseServer();
  }

  /** `tcp-response content` rules, run once on what the server says first. True: its answer must not pass. */
  protected serverRefused(bytes: Buffer): boolean {
    const rules = this.backendPlan!.tcpResponse;
    if (rules === undefined || this.serverInspected) return false;
    this.serverInspected = true;
    this.inspecting = false;
    this.payload = bytes;
    this.payloadLength = bytes.length;
    const refused = isRefusal(rules(this));
    this.payload = EMPTY;
    this.payloadLength = 0;
    if (!refused) return false;
    this.frontend.counters.dresp++;
    this.backend!.counters.dresp++;
    this.server!.counters.dresp++;
    return true;
  }

  protected observe(outcome: ObservedOutcome): void {
    this.server?.observe?.(outcome);
  }

  // ── Waiting ────────────────────────────────────────────────────────────────────────────────────────────────

  protected waitFor(what: number, ms: number | undefined): void {
    this.waitingFor = what;
    this.arm(this.now, ms);
  }

  /** What becomes of a wait for a server when its time is over. */
  protected searchTimedOut(): void {
    if (this.waitingFor === FOR.queue) {
      this.leaveQueue();
      this.searchFailed('sQ');
    } else if (this.waitingFor === FOR.connect) {
      this.link?.abort();
      this.connectFailed('ETIMEDOUT');
    } else if (this.server!.usableForSticky || this.backendPlan!.settings.redispatch === 0) this.openLink();
    else this.connectAgainElsewhere();
  }

  /** The server was marked down while a retry waited for it. */
  private connectAgainElsewhere(): void {
    const other = this.otherServer(this.server!);
    if (other === undefined) this.openLink();
    else this.redispatch(other);
  }

  protected arm(from: number, ms: number | undefined): void {
    this.runtime.clock.arm(this, ms === undefined || ms === 0 ? Infinity : from + ms);
  }

  // ── The books ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Counts what went through and logs it. `sent`: bytes to the client in this transaction. */
  protected countTransaction(sent: number): void {
    const { times } = this;
    times.end = this.now;
    this.bytesOut = sent;
    const front = this.frontend.counters;
    front.bin += this.bytesIn;
    front.bout += sent;
    if (this.backend !== undefined) {
      const back = this.backend.counters;
      back.bin += this.bytesIn;
      back.bout += sent;
      this.countTimes(back);
      back.close();
    }
    if (this.server !== undefined) {
      const { counters } = this.server;
      counters.bin += this.bytesIn;
      counters.bout += sent;
      this.countTimes(counters);
    }
    this.runtime.trace?.ended(this);
    this.releaseServer();
    this.plan.log(this);
    this.bytesIn = 0;
  }

  private countTimes(counters: Server['counters']): void {
    const { times } = this;
    if (times.queueEnd < 0) return;
    counters.qtime.add(times.queueEnd - times.requestEnd);
    if (times.connected >= 0) counters.ctime.add(times.connected - times.queueEnd);
    if (times.responseStart >= 0) counters.rtime.add(times.responseStart - times.connected);
    counters.ttime.add(times.end - times.requestStart);
  }

  protected countClientAbort(): void {
    this.frontend.counters.cliAbrt++;
    if (this.backend !== undefined) this.backend.counters.cliAbrt++;
    if (this.server !== undefined) this.server.counters.cliAbrt++;
  }

  protected countServerAbort(): void {
    if (this.server === undefined) return;
    this.server.counters.srvAbrt++;
    this.backend!.counters.srvAbrt++;
  }

  protected countResponseError(): void {
    this.server!.counters.eresp++;
    this.backend!.counters.eresp++;
  }

  /** The connection is not counted any more. */
  protected leave(): void {
    this.runtime.clock.drop(this);
    this.frontend.counters.close();
    this.runtime.left(this);
  }
}

function mayStickTo(server: Server, { settings }: BackendPlan): boolean {
  return server.usableForSticky || settings.options.persist;
}

/** Bytes may be at hand of a connection that was refused. */
const NOBODY: Events = { opened() {}, data() {}, drained() {}, ended() {}, closed() {} };

function isRefusal(verdict: Verdict | undefined): boolean {
  return verdict === VERDICT.close || verdict === VERDICT.done;
}

/** Hands the places that are free on a server to those who wait: first for this server, then for any. */
export function serveQueues(plan: BackendPlan, pool: ServerPool): void {
  while (!pool.full) {
    const next = pool.queue.shift() ?? (pool.server.usable ? plan.queue.shift() : undefined);
    if (next === undefined) return;
    next.offer(pool.server);
  }
}
