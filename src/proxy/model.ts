/**
 * The proxy at run time: frontends, backends, servers, and their counters. The statistics page, the runtime socket,
 * the policies and the health checks all read and change these objects and nothing else.
 */
import type { ObservedOutcome } from './health/observe.ts';
import type { BindSettings, Configuration, ProxySettings, ServerSettings } from './settings.ts';

/** Events a second over the last second, as HAProxy counts them: the previous second weighs in by what is left of it. */
export class Rate {
  #second = 0;
  #current = 0;
  #previous = 0;
  max = 0;

  add(nowMs: number): void {
    const second = Math.trunc(nowMs / 1000);
    if (second !== this.#second) this.#turn(second);
    if (++this.#current > this.max) this.max = this.#current;
  }

  read(nowMs: number): number {
    const second = Math.trunc(nowMs / 1000);
    if (second !== this.#second) this.#turn(second);
    return this.#current + Math.floor(this.#previous * (1 - (nowMs % 1000) / 1000));
  }

  clear(): void {
    this.#current = 0;
    this.#previous = 0;
    this.max = 0;
  }

  #turn(second: number): void {
    this.#previous = second === this.#second + 1 ? this.#current : 0;
    this.#current = 0;
    this.#second = second;
  }
}

/** Plain numbers, named as the columns of the statistics CSV (management manual, section 9.1). */
export class Counters {
  /** Current, highest and total sessions. */
  scur = 0;
  smax = 0;
  stot = 0;
  bin = 0;
  bout = 0;
  dreq = 0;
  dresp = 0;
  ereq = 0;
  econ = 0;
  eresp = 0;
  /** Connections and sessions that tcp-request rules denied, answers made by the proxy itself, failed header edits. */
  dcon = 0;
  dses = 0;
  intercepted = 0;
  wrew = 0;
  /** Internal errors. */
  eint = 0;
  wretr = 0;
  wredis = 0;
  qcur = 0;
  qmax = 0;
  lbtot = 0;
  hrsp1xx = 0;
  hrsp2xx = 0;
  hrsp3xx = 0;
  hrsp4xx = 0;
  hrsp5xx = 0;
  hrspOther = 0;
  reqTot = 0;
  cliAbrt = 0;
  srvAbrt = 0;
  connTot = 0;
  /** Connections opened to the server and taken again from its pool. */
  connect = 0;
  reuse = 0;
  /** Wall clock of the last session, seconds; −1 for never. */
  lastSession = -1;
  readonly rate = new Rate();
  readonly requestRate = new Rate();
  readonly connRate = new Rate();
  /** Times of the last 1024 requests, as sliding averages: queue, connect, response, total. */
  readonly qtime = new Average();
  readonly ctime = new Average();
  readonly rtime = new Average();
  readonly ttime = new Average();

  open(): void {
    this.stot++;
    if (++this.scur > this.smax) this.smax = this.scur;
  }

  close(): void {
    this.scur--;
  }

  /** `clear counters`: the highest values start over from the present ones. */
  clearMax(): void {
    this.smax = this.scur;
    this.qmax = this.qcur;
    for (const each of this.#series) each.max = 0;
  }

  /** `clear counters all`: everything but what is going on now. */
  clear(): void {
    const { scur, qcur } = this;
    for (const each of this.#series) each.clear();
    for (const name of Object.keys(this) as (keyof this)[])
      if (typeof this[name] === 'number') (this as Record<keyof this, unknown>)[name] = 0;
    Object.assign(this, { scur, qcur, smax: scur, qmax: qcur, lastSession: -1 });
  }

  get #series(): readonly { max: number; clear(): void }[] {
    const { rate, requestRate, connRate, qtime, ctime, rtime, ttime } = this;
    return [rate, requestRate, connRate, qtime, ctime, rtime, ttime];
  }

  countStatus(status: number): void {
    if (status >= 600 || status < 100) this.hrspOther++;
    else if (status >= 500) this.hrsp5xx++;
    else if (status >= 400) this.hrsp4xx++;
    else if (status >= 300) this.hrsp3xx++;
    else if (status >= 200) this.hrsp2xx++;
    else this.hrsp1xx++;
  }
}

/** Average over about the last 1024 values, and the highest one. */
class Average {
  #sum = 0;
  #count = 0;
  max = 0;

  add(value: number): void {
    if (value > this.max) this.max = value;
    if (this.#count < 1024) this.#count++;
    else this.#sum -= this.#sum / 1024;
    this.#sum += value;
  }

  clear(): void {
    this.#sum = 0;
    this.#count = 0;
    this.max = 0;
  }

  get value(): number {
    return this.#count === 0 ? 0 : Math.round(this.#sum / this.#count);
  }
}

export class Frontend {
  readonly settings: ProxySettings;
  readonly listeners: ListenerState[] = [];
  readonly counters = new Counters();
  /** Told of each change of state: whoever listens for it pauses, resumes or stops (`STOP` is for good). */
  readonly watchers: ((frontend: Frontend) => void)[] = [];
  state: FrontendState = 'OPEN';
  maxconn: number;
  /** What it was at the start, before `set maxconn frontend`. */
  readonly initialMaxconn: number;

  constructor(settings: ProxySettings, maxconn: number) {
    this.settings = settings;
    this.maxconn = maxconn;
    this.initialMaxconn = maxconn;
  }

  get name(): string {
    return this.settings.name;
  }

  setState(state: FrontendState): void {
    if (state === this.state || this.state === 'STOP') return;
    this.state = state;
    for (const watch of this.watchers) watch(this);
  }
}

export type FrontendState = 'OPEN' | 'PAUSED' | 'STOP';

export interface ListenerState {
  readonly id: number;
  readonly name: string;
  readonly bind: BindSettings;
  /** With `option socket-stats` only: then the statistics show a row for it. */
  readonly counters?: Counters;
}

/** What changed on a server: by a check (`up`, `down`, `stopping`), by an administrator (the rest). */
export type ServerChange =
  | 'up'
  | 'down'
  | 'stopping'
  | 'ready'
  | 'drain'
  | 'maint'
  | 'weight'
  | 'address'
  | 'maxconn';

/** Called on each change of a server's state or weight: policies rebuild what they precomputed. */
export type ServerWatcher = (server: Server, change: ServerChange) => void;

export class Backend {
  readonly settings: ProxySettings;
  readonly servers: Server[];
  readonly counters = new Counters();
  readonly watchers: ServerWatcher[] = [];
  /** Wall clock (ms) of the last change between up and down, and the milliseconds spent down before it. */
  changedAt = Date.now();
  downtime = 0;
  /** Times the backend lost its last usable server. */
  downs = 0;
  wasUp = true;

  constructor(settings: ProxySettings, servers: Server[]) {
    this.settings = settings;
    this.servers = servers;
    for (const server of servers) server.backend = this;
  }

  get name(): string {
    return this.settings.name;
  }

  /** Active servers that take new requests, else backup ones. */
  get usable(): Server[] {
    const active = this.servers.filter((s) => !s.settings.backup && s.usable);
    if (active.length > 0) return active;
    const backups = this.servers.filter((s) => s.settings.backup && s.usable);
    return this.settings.options.allbackups ? backups : backups.slice(0, 1);
  }

  get up(): boolean {
    return this.servers.length === 0 || this.servers.some((s) => s.usable);
  }

  serverChanged(server: Server, change: ServerChange): void {
    const up = this.up;
    if (up !== this.wasUp) {
      const now = Date.now();
      if (up) this.downtime += now - this.changedAt;
      else this.downs++;
      this.changedAt = now;
      this.wasUp = up;
    }
    for (const watch of this.watchers) watch(server, change);
  }
}

/** What an administrator asked for, over what the checks say. */
export type AdminState = 'ready' | 'drain' | 'maint';

export class Server {
  readonly settings: ServerSettings;
  backend!: Backend;
  readonly counters = new Counters();
  /** Address in use: resolved at start, changed by `set server … addr`. Undefined: the name could not be resolved. */
  address: string | undefined;
  port: number;
  /** What the checks say. A server without checks is always up. */
  up = true;
  admin: AdminState = 'ready';
  /** The checks asked for no new sessions (404 with `disable-on-404`). */
  stopping = false;
  /** Where it stands between rise and fall: 0 … rise + fall − 1, up when ≥ rise (as HAProxy counts). */
  health: number;
  /** Configured weight, changed by `set server … weight`; 0 is out of rotation, sticky sessions aside. */
  weight: number;
  /** Sixteenths of its weight that count: fewer while it comes up slowly (`slowstart`). */
  warmth = 16;
  /** Configured limit, changed by `set maxconn server`; undefined is none. */
  maxconn: number | undefined;
  changedAt = Date.now();
  downtime = 0;
  check: CheckState;
  /** Connections of its pool that wait for a request. */
  idle = 0;
  /** Takes what became of an attempt to use the server; set by the checks where `observe` is configured. */
  observe: ((outcome: ObservedOutcome) => void) | undefined = undefined;
  readonly cookie: string | undefined;

  constructor(settings: ServerSettings) {
    this.settings = settings;
    this.port = settings.port ?? 0;
    this.weight = settings.weight;
    this.maxconn = settings.maxconn;
    this.health = settings.disabled ? 0 : settings.rise;
    this.admin = settings.disabled ? 'maint' : 'ready';
    this.cookie = settings.cookie;
    this.check = {
      enabled: settings.check,
      running: false,
      status: 'INI',
      code: 0,
      duration: -1,
      description: '',
      failures: 0,
      downs: 0,
      address: settings.checkAddr,
      port: settings.checkPort,
      consecutiveErrors: 0,
      observedFailures: 0,
    };
  }

  get name(): string {
    return this.settings.name;
  }

  /** Takes new requests that are not bound to it. */
  get usable(): boolean {
    return (
      this.up && this.admin === 'ready' && !this.stopping && this.weight > 0 && this.address !== undefined
    );
  }

  /** Takes requests that are bound to it (cookie, stick table): draining does not matter. */
  get usableForSticky(): boolean {
    return this.up && this.admin !== 'maint' && this.address !== undefined;
  }

  /** Sets what the checks say and keeps the books; tells the backend when something changed. */
  setUp(up: boolean): void {
    if (up === this.up && !this.stopping) return;
    const wasUp = this.up;
    this.up = up;
    this.stopping = false;
    if (wasUp && !up) this.check.downs++;
    this.#changed(up ? 'up' : 'down', wasUp !== up);
  }

  /** Up for those who are bound to it, no one else: `disable-on-404`, `set server … health stopping`. */
  setStopping(): void {
    if (this.stopping) return;
    const wasUp = this.up;
    this.up = true;
    this.stopping = true;
    this.#changed('stopping', !wasUp);
  }

  /** Leaving maintenance, it is up until its first failed check, as in HAProxy. */
  setAdmin(admin: AdminState): void {
    if (admin === this.admin) return;
    const wasDown = this.isDown;
    if (this.admin === 'maint') {
      this.health = this.settings.rise;
      this.up = true;
      this.stopping = false;
    }
    if (admin === 'maint') this.health = 0;
    this.admin = admin;
    this.#changed(admin, wasDown !== this.isDown);
  }

  setWeight(weight: number): void {
    if (weight === this.weight) return;
    this.weight = weight;
    this.backend.serverChanged(this, 'weight');
  }

  setAddress(address: string, port: number): void {
    if (address === this.address && port === this.port) return;
    this.address = address;
    this.port = port;
    this.backend.serverChanged(this, 'address');
  }

  setMaxconn(maxconn: number | undefined): void {
    if (maxconn === this.maxconn) return;
    this.maxconn = maxconn;
    this.backend.serverChanged(this, 'maxconn');
  }

  /** Neither up nor stopping, for the books: checks say so, or an administrator does. */
  get isDown(): boolean {
    return !this.up || this.admin === 'maint';
  }

  /** Milliseconds down since the start, the present spell included. */
  downtimeAt(nowMs: number): number {
    return this.downtime + (this.isDown ? Math.max(0, nowMs - this.changedAt) : 0);
  }

  #changed(change: ServerChange, turned: boolean): void {
    if (turned) {
      const now = Date.now();
      if (!this.isDown) this.downtime += now - this.changedAt;
      this.changedAt = now;
    }
    this.backend.serverChanged(this, change);
  }
}

/** The last health check of a server, named as in the statistics CSV. */
export interface CheckState {
  /** Configured, and not switched off by `disable health`. Maintenance pauses it besides. */
  enabled: boolean;
  /** One is under way. */
  running: boolean;
  /** `UNK INI SOCKERR L4OK L4TOUT L4CON L6OK L6TOUT L6RSP L7TOUT L7RSP L7OK L7OKC L7STS PROCERR …`. */
  status: string;
  /** HTTP status of the answer, 0 for none. */
  code: number;
  /** Milliseconds, −1 before the first one ended. */
  duration: number;
  description: string;
  /** Failed checks while up (`chkfail`) and changes to down (`chkdown`). */
  failures: number;
  downs: number;
  /** Where to check, when not where the server is: `addr`, `port`, `set server … check-port`. */
  address: string | undefined;
  port: number | undefined;
  /** `observe`: errors of real traffic in a row, and how often they passed the limit (`hanafail`). */
  consecutiveErrors: number;
  observedFailures: number;
}

/** Everything that lives in one process. */
export interface LiveProxy {
  readonly configuration: Configuration;
  readonly frontends: readonly Frontend[];
  readonly backends: readonly Backend[];
  /** Wall clock, milliseconds. */
  readonly startedAt: number;
  /** Limit of connections to the whole process, changed by `set maxconn global` up to `hardMaxconn`. */
  maxconn: number;
  readonly hardMaxconn: number;
  /** The process was told to finish its work and end. */
  stopping: boolean;
  /** Everything that is connected now, for `show sess` and `shutdown sessions`. */
  sessions(): Iterable<LiveSession>;
  /** Process-wide figures for `show info`. */
  readonly totals: ProcessCounters;
}

/** A client's connection, as the runtime socket sees it. */
export interface LiveSession {
  /** Unlike any other's, hexadecimal. */
  readonly id: string;
  /** `tcpv4`, `tcpv6`, `unix_stream`. */
  readonly protocol: string;
  readonly source: string;
  readonly frontend: Frontend;
  readonly backend: Backend | undefined;
  readonly server: Server | undefined;
  /** Wall clock, milliseconds. */
  readonly startedAt: number;
  shutdown(): void;
}

export class ProcessCounters {
  connections = 0;
  maxConnections = 0;
  cumulativeConnections = 0;
  cumulativeRequests = 0;
  /** Log lines that could not be sent. */
  droppedLogs = 0;
  readonly connectionRate = new Rate();
  readonly sessionRate = new Rate();
  readonly requestRate = new Rate();
}
