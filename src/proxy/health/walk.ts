import type { ConnectAddress, Connection, Events, TlsClient, Transport } from '../../sockets/transport.ts';
import type { AlarmClock } from '../alarm.ts';
import type { Server } from '../model.ts';
import type { CheckOutcome, Script, Step } from './steps.ts';

export interface WalkSettings {
  readonly transport: Transport;
  readonly clock: AlarmClock;
  readonly tls: (server: Server) => TlsClient;
  /** Milliseconds for the connection, and for all after it; without the latter the former covers everything. */
  readonly connectTimeout: number;
  readonly checkTimeout: number | undefined;
}

/** Bytes of an answer that are kept: HAProxy's buffer bounds them alike. */
const KEPT = 16384;

/** Runs the steps of one check against a server; calls `done` exactly once, unless it is abandoned. */
export class Walk implements Events {
  readonly #server: Server;
  readonly #script: Script;
  readonly #settings: WalkSettings;
  readonly #done: (outcome: CheckOutcome) => void;
  #at = 0;
  #connection: Connection | undefined;
  #connecting = false;
  #secure = false;
  #received = Buffer.alloc(0);
  #unsent = Buffer.alloc(0);
  #ended = false;
  #over = false;
  #cancelTimer: () => void = () => {};

  constructor(server: Server, script: Script, settings: WalkSettings, done: (outcome: CheckOutcome) => void) {
    this.#server = server;
    this.#script = script;
    this.#settings = settings;
    this.#done = done;
    this.#go();
  }

  /** Ends it without an outcome. */
  abandon(): void {
    this.#over = true;
    this.#leave();
  }

  opened(connection: Connection): void {
    if (this.#over) return;
    this.#connection = connection;
    this.#connecting = false;
    if (this.#settings.checkTimeout !== undefined) this.#arm(this.#settings.checkTimeout);
    const step = this.#step as Extract<Step, { kind: 'connect' }>;
    if (step.sendProxy ?? this.#sendsProxy) this.#send(PROXY_HEADERS[this.#server.settings.sendProxy ?? 1]);
    this.#at++;
    this.#go();
  }

  data(bytes: Buffer): void {
    if (this.#over) return;
    const room = KEPT - this.#received.length;
    this.#received = Buffer.concat([this.#received, bytes.subarray(0, room)]);
    if (bytes.length >= room) this.#ended = true;
    this.#go();
  }

  drained(): void {
    this.#flush();
  }

  ended(): void {
    this.#ended = true;
    this.#go();
  }

  closed(failed: boolean, reason?: string): void {
    this.#connection = undefined;
    if (this.#connecting) this.#finish(this.#refusal(reason));
    else if (failed) this.#finish({ status: 'SOCKERR', code: 0, info: explain(reason) + this.#where });
    else this.ended();
  }

  get #step(): Step | undefined {
    return this.#script.steps[this.#at];
  }

  get #where(): string {
    return this.#step?.where ?? '';
  }

  /** Walks on as far as the bytes at hand allow. */
  #go(): void {
    while (!this.#over && !this.#connecting) {
      const step = this.#step;
      if (step === undefined) {
        this.#finish(this.#passed);
        return;
      }
      if (step.kind === 'connect') {
        this.#connect(step);
        continue;
      }
      if (step.kind === 'send') {
        this.#received = Buffer.alloc(0);
        this.#send(step.bytes(this.#server));
        this.#at++;
        continue;
      }
      const verdict = step.judge(this.#received, this.#ended, this.#server);
      if (verdict === undefined) return;
      if (verdict === 'next') this.#at++;
      else this.#finish(verdict);
    }
  }

  #connect(step: Extract<Step, { kind: 'connect' }>): void {
    this.#leave();
    this.#ended = false;
    this.#received = Buffer.alloc(0);
    this.#unsent = Buffer.alloc(0);
    this.#connecting = true;
    this.#secure = step.ssl ?? this.#server.settings.checkTls !== undefined;
    const to = checkAddress(this.#server, step.port);
    if (to === undefined) {
      this.#finish({ status: 'L4CON', code: 0, info: `No address or port to check${step.where}` });
      return;
    }
    this.#arm(this.#settings.connectTimeout);
    const tls = this.#secure ? this.#settings.tls(this.#server) : undefined;
    const connection = this.#settings.transport.connect(to, this, tls);
    if (!this.#over) this.#connection = connection;
  }

  /** Where the traffic goes, the check begins as the traffic does (configuration manual, `check-send-proxy`). */
  get #sendsProxy(): boolean {
    const { settings, check } = this.#server;
    const elsewhere = check.address !== undefined || check.port !== undefined;
    return settings.checkSendProxy ?? (settings.sendProxy !== undefined && !elsewhere);
  }

  #send(bytes: Buffer): void {
    this.#unsent = Buffer.concat([this.#unsent, bytes]);
    this.#flush();
  }

  #flush(): void {
    if (this.#over || this.#connection === undefined || this.#unsent.length === 0) return;
    const taken = this.#connection.write(this.#unsent, 0, this.#unsent.length);
    if (taken > 0) this.#unsent = this.#unsent.subarray(taken);
  }

  #arm(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#settings.clock.after(ms, () => this.#timedOut());
  }

  #timedOut(): void {
    const step = this.#step;
    const status = this.#connecting
      ? this.#secure
        ? 'L6TOUT'
        : 'L4TOUT'
      : step?.kind === 'expect'
        ? step.timeout
        : 'L7TOUT';
    this.#finish({ status, code: 0, info: this.#where });
  }

  /** Over TLS what is no error of the system is a handshake that failed. */
  #refusal(reason: string | undefined): CheckOutcome {
    if (this.#secure && (reason === undefined || REASONS[reason] === undefined))
      return { status: 'L6RSP', code: 0, info: `SSL handshake failure${this.#where}` };
    return { status: 'L4CON', code: 0, info: explain(reason) + this.#where };
  }

  /** A plain TCP check over TLS has passed a layer more. */
  get #passed(): CheckOutcome {
    const { passed } = this.#script;
    return this.#secure && passed.status === 'L4OK' ? { ...passed, status: 'L6OK' } : passed;
  }

  #finish(outcome: CheckOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#leave();
    this.#done(outcome);
  }

  #leave(): void {
    this.#cancelTimer();
    // A reset where the system can: no socket of a check is left in TIME_WAIT, as with HAProxy.
    this.#connection?.reset();
    this.#connection = undefined;
  }
}

/** Where checks of a server go; undefined when its address or port is not known. */
function checkAddress(server: Server, stepPort: number | undefined): ConnectAddress | undefined {
  const { endpoint } = server.settings;
  if (endpoint.kind === 'unix' && server.check.address === undefined)
    return { kind: 'unix', path: endpoint.path };
  const host = server.check.address ?? server.address;
  const port = stepPort ?? server.check.port ?? server.port;
  return host === undefined || port === 0 ? undefined : { kind: 'tcp', host, port };
}

/** A check speaks for the proxy itself: no addresses (PROXY protocol, `UNKNOWN` and `LOCAL`). */
const PROXY_HEADERS = {
  1: Buffer.from('PROXY UNKNOWN\r\n'),
  2: Buffer.from('\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', 'latin1'),
} as const;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EPIPE: 'Broken pipe',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ETIMEDOUT: 'Connection timed out',
  EACCES: 'Permission denied',
  ENOENT: 'No such file or directory',
};

/** The system's words for its error code, as HAProxy reports them. */
function explain(reason: string | undefined): string {
  return reason === undefined ? '' : (REASONS[reason] ?? reason);
}
