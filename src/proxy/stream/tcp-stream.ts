/**
 * One connection in mode tcp: bytes both ways, each direction closed on its own. Content rules may look at the first
 * bytes before a server is chosen (manual, `tcp-request content`, `tcp-request inspect-delay`).
 */
import { now } from '../../sockets/timers.ts';
import { VERDICT } from '../expressions.ts';
import type { Rules } from './plan.ts';
import { FOR, Stream } from './stream.ts';

const AT = { inspecting: 0, searching: 1, relaying: 2, over: 3 } as const;

export class TcpStream extends Stream {
  readonly requestLine = '';
  private at: number = AT.inspecting;
  /** Bytes of the client that wait for the server's connection. */
  private held: Buffer | undefined = undefined;
  private clientFinished = false;
  private serverFinished = false;

  protected start(): void {
    this.client.requests = 1;
    this.times.requestStart = this.now;
    this.runtime.trace?.began(this);
    if (this.plan.tcpContent === undefined) this.chooseServer();
    else this.inspect();
  }

  data(bytes: Buffer): void {
    this.now = now();
    this.bytesIn += bytes.length;
    if (this.at === AT.relaying) {
      const { outlet } = this.link!;
      outlet.forward(bytes, 0, bytes.length);
      if (outlet.broken) return this.serverLost(true);
      if (outlet.blocked) this.connection.pause();
      this.armRelay();
      return;
    }
    this.held = this.held === undefined ? Buffer.from(bytes) : Buffer.concat([this.held, bytes]);
    if (this.at === AT.inspecting) this.inspect();
    else if (this.held.length >= this.runtime.bufsize) this.connection.pause();
  }

  drained(): void {
    this.now = now();
    const empty = this.outlet.drained();
    if (this.outlet.broken) return this.closed();
    this.armRelay();
    if (!empty) return;
    if (this.serverFinished) this.connection.finish();
    this.link?.resume();
    this.endIfBothFinished();
  }

  ended(): void {
    this.now = now();
    this.clientFinished = true;
    if (this.at === AT.inspecting) this.inspect();
    if (this.at !== AT.relaying) return;
    if (!this.link!.outlet.blocked) this.link!.finish();
    this.armRelay();
    this.endIfBothFinished();
  }

  closed(): void {
    this.now = now();
    if (this.at === AT.over) return;
    this.countClientAbort();
    this.end(this.at === AT.relaying ? 'CD' : this.waitingFor === FOR.queue ? 'CQ' : 'CC', true);
  }

  override expired(nowMs: number): void {
    this.now = nowMs;
    if (this.at === AT.inspecting) {
      if (this.waitingFor === FOR.inspection) this.inspect(true);
      else this.end('cD', false);
    } else if (this.at === AT.searching) this.searchTimedOut();
    else if (this.at === AT.relaying)
      this.end(this.outlet.blocked || this.serverFinished ? 'cD' : 'sD', true);
  }

  /** A relay has no idle moment of its own: a soft stop waits for its end. */
  closeIfIdle(): void {}

  shutdown(): void {
    this.now = now();
    if (this.at !== AT.over) this.end('K-', true);
  }

  // ── Content rules ──────────────────────────────────────────────────────────────────────────────────────────

  /** Runs the rules on what is here; `final`: nothing more is waited for. */
  private inspect(final = false): void {
    const { inspectDelay } = this.plan.settings;
    this.inspecting = !final && !this.clientFinished && inspectDelay !== undefined && !this.heldIsFull;
    if (!this.passes(this.plan.tcpContent)) return;
    this.chooseServer();
  }

  /** True when the rules let it through; waits, or ends, otherwise. */
  private passes(rules: Rules): boolean {
    if (rules === undefined) return true;
    this.payload = this.held ?? EMPTY;
    this.payloadLength = this.payload.length;
    this.incomplete = false;
    const verdict = rules(this);
    if (verdict === VERDICT.wait || (this.incomplete && this.inspecting)) {
      if (this.waitingFor !== FOR.inspection) {
        this.waitFor(FOR.inspection, this.plan.settings.inspectDelay);
      }
      return false;
    }
    this.waitingFor = FOR.nothing;
    if (verdict === VERDICT.next || verdict === VERDICT.stop) return true;
    this.frontend.counters.dreq++;
    this.end('PR', false);
    return false;
  }

  private get heldIsFull(): boolean {
    return this.held !== undefined && this.held.length >= this.runtime.bufsize;
  }

  // ── A server ───────────────────────────────────────────────────────────────────────────────────────────────

  private chooseServer(): void {
    const plan = this.chooseBackend();
    this.times.requestEnd = this.now;
    if (plan === undefined) return this.end('SC', false);
    this.at = AT.searching;
    this.enterBackend(plan);
    this.inspecting = false;
    if (plan.settings !== this.plan.settings && !this.passes(plan.tcpContent)) return;
    this.assignServer();
  }

  protected redirects(): boolean {
    return false;
  }

  protected mayReuse(): boolean {
    return false;
  }

  protected searchFailed(termination: string): void {
    this.end(termination, false);
  }

  protected serverReady(): void {
    this.at = AT.relaying;
    this.times.responseStart = this.now;
    const { held, link } = this;
    this.held = undefined;
    if (held !== undefined) {
      link!.outlet.forward(held, 0, held.length);
      this.connection.resume();
    }
    if (this.clientFinished) link!.finish();
    this.armRelay();
  }

  // ── Both ways ──────────────────────────────────────────────────────────────────────────────────────────────

  serverData(bytes: Buffer): void {
    this.now = now();
    if (this.serverRefused(bytes)) return this.end('PD', true);
    this.outlet.forward(bytes, 0, bytes.length);
    if (this.outlet.broken) return this.closed();
    if (this.outlet.blocked) this.link?.pause();
    this.armRelay();
  }

  serverDrained(): void {
    this.now = now();
    const { link } = this;
    if (link === undefined) return;
    const empty = link.outlet.drained();
    this.armRelay();
    if (!empty) return;
    this.connection.resume();
    if (this.clientFinished) link.finish();
    this.endIfBothFinished();
  }

  serverEnded(): void {
    this.now = now();
    // A write that failed before was told of a reset, and the system tells that once.
    if (this.link?.outlet.broken) return this.serverLost(true);
    this.serverFinished = true;
    if (!this.outlet.blocked) this.connection.finish();
    this.armRelay();
    this.endIfBothFinished();
  }

  protected serverLost(failed: boolean): void {
    if (this.at !== AT.relaying) return;
    if (failed) this.countServerAbort();
    this.end(failed ? 'SD' : '--', failed);
  }

  private endIfBothFinished(): void {
    if (!this.clientFinished || !this.serverFinished) return;
    if (this.outlet.blocked || this.link?.outlet.blocked) return;
    this.end('--', false);
  }

  /** After one side's FIN the other one's `-fin` timeout rules, where it is set (manual, `timeout client-fin`). */
  private armRelay(): void {
    if (this.at !== AT.relaying) return;
    const back = this.backendPlan!.settings.timeouts;
    const front = this.plan.settings.timeouts;
    const tunnel = back.tunnel ?? shorter(front.client, back.server);
    const fin = this.serverFinished ? front.clientFin : this.clientFinished ? back.serverFin : undefined;
    this.arm(this.now, fin ?? tunnel);
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────

  private end(termination: string, abrupt: boolean): void {
    if (this.waitingFor === FOR.queue) this.leaveQueue();
    this.waitingFor = FOR.nothing;
    this.at = AT.over;
    this.termination = termination;
    const { link } = this;
    this.link = undefined;
    if (abrupt) link?.abort();
    else link?.discard();
    this.countTransaction(this.outlet.sent);
    this.leave();
    if (abrupt) this.connection.reset();
    else this.connection.close();
  }
}

const EMPTY = Buffer.alloc(0);

function shorter(a: number | undefined, b: number | undefined): number | undefined {
  if (!a) return b;
  return b ? Math.min(a, b) : a;
}
