/**
 * The client's side of mode http: one connection, the request it is at, and the answers that the proxy makes itself.
 * The object lives as long as the connection and is its own transaction: nothing is made per request. Read it in the
 * order things happen: bytes of a request, its head, an answer, the next request, the end. What becomes of a request
 * that is forwarded stands in http-stream.ts.
 */
import { now } from '../../sockets/timers.ts';
import { Body, type Sink } from '../http1/body.ts';
import { headerName } from '../http1/head.ts';
import {
  dropConnectionToken,
  exceedsReserve,
  isMethod,
  PARSED,
  parseRequest,
  parseResponse,
  TOKEN,
} from '../http1/parse.ts';
import { type BodyAhead, readAhead } from './body-ahead.ts';
import type { FormReader } from './form.ts';
import { releaseHead, takeHead } from './heads.ts';
import type { PreparedReply } from './reply.ts';
import { CONNECTION_LINE, HEAD_SLACK, writePrepared, writeResponse } from './serialize.ts';
import { FOR, Stream } from './stream.ts';

/** Where the connection stands. */
export const AT = {
  /** Between requests. */
  idle: 0,
  /** Some bytes of a head are here. */
  head: 1,
  /** A request waits: for its body, a tarpit's end, a place in a queue, a connection, a retry, a form. */
  waiting: 2,
  /** Request and response are on their way. */
  exchange: 3,
  /** After 101, or 2xx to CONNECT: bytes both ways until both ends are closed. */
  tunnel: 4,
  /** The request was answered before its body had come: the rest of that is thrown away. */
  draining: 5,
  /** An answer of our own is on its way to a client that reads slowly; its next request waits until it is out. */
  flushing: 6,
  /** All was said; the client's last bytes are thrown away until it closes. */
  lingering: 7,
  over: 8,
} as const;

const LINGER_MS = 1000;
/** How long an idle connection may still bring a request when the process stops: it may be on its way already. */
const STOP_GRACE_MS = 500;

const CONNECTION = headerName('connection');
const UPGRADE = headerName('upgrade');
const CRLF = Buffer.from('\r\n');
const EMPTY = Buffer.alloc(0);
const NOWHERE: Sink = { forward() {} };

export abstract class HttpConnection extends Stream {
  protected readonly requestBody = new Body();
  protected readonly responseBody = new Body();
  protected at: number = AT.idle;
  /**
   * Bytes of the client that could not be used yet; reading is paused while there are any, unless it is the body that
   * is waited for.
   */
  protected held: Buffer | undefined = undefined;
  /** The request line as it came, in the request's buffer. */
  protected lineStart = 0;
  protected lineEnd = 0;
  protected lineText: string | undefined = undefined;
  /** The connections are kept after this exchange. */
  protected keepClient = true;
  protected keepServer = true;
  protected upgrading = false;
  /** The final response's head was read. */
  protected responding = false;
  /** Bytes of this request's body went to a server: it cannot be sent again. */
  protected bodySent = false;
  /** Bytes that came with the head, while it is treated. */
  protected ahead: Buffer | undefined = undefined;
  protected aheadAt = 0;
  protected clientEnded = false;
  protected serverFinished = false;
  protected sentBefore = 0;
  /** What went of the body, while it may be wanted again. */
  protected readonly sentBody: Buffer[] = [];
  protected sentBodyLength = 0;
  protected form: FormReader | undefined = undefined;
  /** What is here of a body that is waited for. */
  protected gathered: BodyAhead | undefined = undefined;

  get requestLine(): string {
    this.lineText ??= this.lineEnd > 0 ? this.request.slice(this.lineStart, this.lineEnd) : '<BADREQ>';
    return this.lineText;
  }

  /** The body as far as it is here and was not sent on yet, without the framing of chunks. */
  get body(): Buffer {
    const [bytes, at] = this.unused;
    if (bytes === undefined || this.requestBody.done || this.bodySent) return EMPTY;
    return readAhead(this.requestBody, bytes, at);
  }

  /** The request's head is here: what becomes of it. */
  protected abstract treatRequest(): void;
  /** More of a body that is waited for: the request goes on when that is enough. */
  protected abstract gatherBody(bytes: Buffer, from: number): void;
  protected abstract readForm(bytes: Buffer, from: number): number;
  protected abstract forwardRequestBody(bytes: Buffer, from: number): number;
  protected abstract afterForwardToServer(): void;
  protected abstract finishIfComplete(): void;
  protected abstract waitIsOver(): void;
  protected abstract exchangeTimedOut(): void;
  /** Whoever is to act next decides which timeout runs. */
  protected abstract armExchange(): void;
  protected abstract armTunnel(): void;
  protected abstract endTunnelIfOver(): void;
  protected abstract endTunnel(termination: string): void;

  // ── The client's connection ────────────────────────────────────────────────────────────────────────────────

  protected start(): void {
    const { httpRequest, client } = this.plan.settings.timeouts;
    this.arm(this.now, httpRequest ?? client);
  }

  data(bytes: Buffer): void {
    this.now = now();
    this.bytesIn += bytes.length;
    if (this.held !== undefined) {
      this.held = Buffer.concat([this.held, bytes]);
      if (this.gathered !== undefined) this.resumeHeld();
      return;
    }
    const used = this.consume(bytes, 0);
    if (used < bytes.length && this.at < AT.lingering) this.hold(bytes, used);
  }

  drained(): void {
    this.now = now();
    const { outlet } = this;
    if (!outlet.drained()) return this.armFlush();
    if (outlet.broken) return this.clientGone();
    if (this.at === AT.lingering) return this.finishLingering();
    if (this.at === AT.flushing) return this.goOn(true);
    if (this.at === AT.tunnel && this.serverFinished) {
      this.connection.finish();
      this.armExchange();
      return this.endTunnelIfOver();
    }
    this.link?.resume();
    this.armExchange();
    this.finishIfComplete();
  }

  /** The client sends no more. It may still be waiting for an answer. */
  ended(): void {
    this.now = now();
    this.clientEnded = true;
    switch (this.at) {
      case AT.idle:
        if (this.client.requests === 0 && !this.plan.settings.options.httpIgnoreProbes)
          this.refuseSilence(400, 'CR');
        else this.close();
        break;
      case AT.head:
        this.refuseHead(400, 'CR');
        break;
      case AT.waiting:
      case AT.exchange:
        // A request cut short cannot be completed any more; a complete one is answered.
        if (!this.requestIsHere() || this.plan.settings.options.abortonclose) this.clientGone();
        break;
      case AT.tunnel:
        if (!this.link!.outlet.blocked) this.link!.finish();
        this.armTunnel();
        this.endTunnelIfOver();
        break;
      case AT.draining:
        this.close();
        break;
      case AT.lingering:
        if (!this.outlet.blocked) this.close();
        break;
    }
  }

  closed(): void {
    if (this.at <= AT.head) return this.ended();
    this.now = now();
    if (this.at !== AT.over) this.clientGone();
  }

  override expired(nowMs: number): void {
    this.now = nowMs;
    switch (this.at) {
      case AT.idle:
        if (
          this.client.requests === 0 &&
          !this.plan.settings.options.httpIgnoreProbes &&
          !this.runtime.stopping
        )
          this.refuseSilence(408, 'cR');
        else this.close();
        break;
      case AT.head:
        this.refuseHead(408, 'cR');
        break;
      case AT.waiting:
        this.waitIsOver();
        break;
      case AT.exchange:
        this.exchangeTimedOut();
        break;
      case AT.tunnel:
        this.endTunnel(this.clientEnded && !this.serverFinished ? 'sD' : 'cD');
        break;
      case AT.draining:
      case AT.flushing:
      case AT.lingering:
        this.close();
        break;
    }
  }

  closeIfIdle(): void {
    if (this.at !== AT.idle) return;
    this.now = now();
    if (this.deadline > this.now + STOP_GRACE_MS) this.arm(this.now, STOP_GRACE_MS);
  }

  shutdown(): void {
    this.now = now();
    if (this.termination === '--') this.termination = 'K-';
    if (this.at === AT.idle || this.at >= AT.draining) this.close();
    else this.abandon();
  }

  /** Uses bytes from `from` on as far as it can now; returns where it stopped. */
  protected consume(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      const before = at;
      switch (this.at) {
        case AT.idle:
        case AT.head:
          at = this.readHead(bytes, at);
          break;
        case AT.waiting:
          if (this.gathered !== undefined) {
            this.gatherBody(bytes, at);
            if (this.gathered !== undefined) return at;
            continue;
          }
          if (this.form === undefined) return at;
          at = this.readForm(bytes, at);
          break;
        case AT.exchange:
          if (this.requestBody.done || this.link === undefined) return at;
          at = this.forwardRequestBody(bytes, at);
          break;
        case AT.tunnel:
          this.link!.outlet.forward(bytes, at, bytes.length);
          this.afterForwardToServer();
          return bytes.length;
        case AT.draining:
          at = this.drain(bytes, at);
          break;
        case AT.flushing:
          return at;
        default:
          return bytes.length;
      }
      if (at === before) return at;
    }
    return at;
  }

  protected hold(bytes: Buffer, from: number): void {
    this.held = Buffer.from(bytes.subarray(from));
    if (this.gathered === undefined) this.connection.pause();
  }

  /** Takes up what was held back, once the state that held it is over. */
  protected resumeHeld(): void {
    const { held } = this;
    if (held === undefined) return;
    this.held = undefined;
    const used = this.consume(held, 0);
    if (this.at >= AT.lingering) return;
    if (used === held.length) return this.connection.resume();
    this.held = held.subarray(used);
    if (this.gathered === undefined) this.connection.pause();
    else this.connection.resume();
  }

  // ── Reading a request's head ───────────────────────────────────────────────────────────────────────────────

  protected readHead(bytes: Buffer, from: number): number {
    if (this.at === AT.idle) this.startRequest();
    const { request } = this;
    const before = request.used;
    const taken = request.take(bytes, from, 0);
    const outcome = parseRequest(request, this.runtime.maxFields, taken === 0);
    if (outcome === PARSED.more) return from + taken;
    if (outcome !== PARSED.done || exceedsReserve(request, this.runtime.maxrewrite)) {
      this.refuseHead(outcome === PARSED.done ? 431 : outcome, 'PR');
      return bytes.length;
    }
    const next = from + request.end - before;
    this.ahead = bytes;
    this.aheadAt = next;
    this.headComplete();
    this.ahead = undefined;
    return next;
  }

  protected startRequest(): void {
    this.at = AT.head;
    this.resetTransaction();
    this.request = takeHead(this.runtime);
    this.response = takeHead(this.runtime);
    this.lineText = undefined;
    this.lineEnd = 0;
    this.keepServer = true;
    this.upgrading = false;
    this.responding = false;
    this.bodySent = false;
    this.sentBody.length = 0;
    this.sentBodyLength = 0;
    this.serverFinished = false;
    this.sentBefore = this.outlet.sent;
    this.requestBody.start('none');
    this.responseBody.start('none');
    this.client.requests++;
    this.times.requestStart = this.now;
    const { httpRequest, client } = this.plan.settings.timeouts;
    // The first request's time runs from the accept on.
    this.arm(this.client.requests === 1 ? this.times.idleStart : this.now, httpRequest ?? client);
  }

  protected headComplete(): void {
    const { request, runtime } = this;
    const { counters } = this.frontend;
    this.times.requestEnd = this.now;
    this.wall = Date.now();
    this.at = AT.waiting;
    this.waitingFor = FOR.nothing;
    this.lineStart = request.methodStart;
    this.lineEnd = request.targetEnd + ' HTTP/1.1'.length;
    counters.reqTot++;
    counters.requestRate.add(this.wall);
    runtime.totals.cumulativeRequests++;
    runtime.totals.requestRate.add(this.wall);

    this.keepClient =
      this.plan.settings.options.connection !== 'close' &&
      !runtime.stopping &&
      !request.ambiguous &&
      (request.minor === 1
        ? (request.connectionTokens & TOKEN.close) === 0
        : (request.connectionTokens & TOKEN.keepAlive) !== 0);
    runtime.trace?.began(this);
    this.startRequestBody();
    this.upgrading = this.wantsUpgrade();
    this.treatRequest();
  }

  protected startRequestBody(): void {
    const { chunked, contentLength } = this.request;
    if (chunked) this.requestBody.start('chunked');
    else if (contentLength > 0) this.requestBody.start('length', contentLength);
  }

  /** `Upgrade` counts only when `Connection` names it, and each is dropped without the other. */
  protected wantsUpgrade(): boolean {
    const { request } = this;
    const named = (request.connectionTokens & TOKEN.upgrade) !== 0;
    if (request.upgrade >= 0 && named && request.minor === 1) return true;
    if (request.upgrade >= 0) request.remove(UPGRADE);
    if (named) dropConnectionToken(request, 'upgrade');
    return isMethod(request, 'CONNECT');
  }

  // ── Answers of our own ─────────────────────────────────────────────────────────────────────────────────────

  /** Sends an answer instead of forwarding, and ends the transaction. */
  protected sendReply(reply: PreparedReply, termination: string): void {
    if (this.termination === '--') this.termination = termination;
    this.dropLink();
    this.responding = false;
    this.at = AT.exchange;
    this.status = reply.status;
    this.countStatus(reply.status);
    if (this.termination === 'LR') this.frontend.counters.intercepted++;
    const keep = this.keepClient && reply.framed && this.bodyIsHere();
    this.writeReply(reply, keep);
    this.endTransaction();
    this.goOn(keep);
  }

  /** What is left of the request's body has arrived: skipping it takes no waiting. */
  protected bodyIsHere(): boolean {
    const body = this.requestBody;
    if (body.done) return true;
    const [bytes, at] = this.unused;
    if (bytes === undefined || body.broken) return false;
    if (body.kind === 'length') return bytes.length - at >= body.remaining;
    const probe = body.clone();
    probe.feed(bytes, at, bytes.length, NOWHERE);
    return probe.done;
  }

  /** Bytes of the client that came and were not used, and where they begin. */
  private get unused(): [bytes: Buffer | undefined, at: number] {
    return this.ahead === undefined ? [this.held, 0] : [this.ahead, this.aheadAt];
  }

  /** Nothing of the request is still to come. */
  private requestIsHere(): boolean {
    return this.requestBody.done || (this.at === AT.waiting && this.bodyIsHere());
  }

  protected writeReply(reply: PreparedReply, keep: boolean): void {
    const { outlet } = this;
    const line = this.connectionToClient(keep, reply.modern ? 1 : 0);
    outlet.cork();
    const room = outlet.room(reply.head.length + HEAD_SLACK);
    if (this.hasAfterResponseRules() && this.loadReply(reply)) this.writeResponseHead(line);
    else if (room !== undefined) outlet.commit(writePrepared(reply.head, line, room.bytes, room.at));
    if (reply.body.length > 0 && !isMethod(this.request, 'HEAD'))
      outlet.forward(reply.body, 0, reply.body.length);
    outlet.uncork();
  }

  protected hasAfterResponseRules(): boolean {
    return this.plan.httpAfterResponse !== undefined || this.backendPlan?.httpAfterResponse !== undefined;
  }

  /** `http-after-response` sees answers of our own too: they take the way of a server's. */
  protected loadReply(reply: PreparedReply): boolean {
    const { response, plan, backendPlan } = this;
    response.clear();
    const bytes = Buffer.concat([reply.head, CRLF]);
    for (let at = 0; at < bytes.length; ) {
      const taken = response.take(bytes, at, 0);
      if (taken === 0) return false;
      at += taken;
    }
    if (parseResponse(response, this.runtime.maxFields, true) !== PARSED.done) return false;
    response.remove(CONNECTION);
    if (backendPlan !== undefined && backendPlan.settings !== plan.settings)
      backendPlan.httpAfterResponse?.(this);
    plan.httpAfterResponse?.(this);
    return true;
  }

  /** Serialises the response's head; false when it does not fit. */
  protected writeResponseHead(connection: Buffer): boolean {
    const room = this.outlet.room(this.response.sizeLimit + HEAD_SLACK);
    if (room === undefined) return false;
    this.outlet.commit(writeResponse(this.response, connection, room.bytes, room.at));
    return true;
  }

  /** `Connection` is said only where it differs from what the versions imply. */
  protected connectionToClient(keep: boolean, minor: number): Buffer {
    if (!keep) return minor === 1 ? CONNECTION_LINE.close : CONNECTION_LINE.none;
    return minor === 0 || this.request.minor === 0 ? CONNECTION_LINE.keepAlive : CONNECTION_LINE.none;
  }

  /** What came is no request. The message goes out as the error file has it. */
  protected refuseHead(status: number, termination: string): void {
    const { counters } = this.frontend;
    const { raw } = this.plan.errorReply(status);
    counters.ereq++;
    counters.countStatus(status);
    this.lineEnd = 0;
    this.termination = termination;
    this.status = status;
    this.outlet.forward(raw, 0, raw.length);
    this.endTransaction();
    this.linger(true);
  }

  /** Nothing came at all: a browser's spare connection, or a probe. */
  protected refuseSilence(status: number, termination: string): void {
    this.startRequest();
    this.refuseHead(status, termination);
  }

  /** To the next request, past what is left of this one; or to the end. */
  protected goOn(keep: boolean): void {
    if (!keep || this.outlet.broken) return this.linger(!this.requestBody.done);
    if (this.outlet.blocked) {
      this.at = AT.flushing;
      return this.armFlush();
    }
    if (this.requestBody.done) return this.nextRequest();
    this.at = AT.draining;
    this.arm(this.now, this.plan.settings.timeouts.client);
    if (this.held === undefined) this.connection.resume();
    else this.resumeHeld();
  }

  protected drain(bytes: Buffer, from: number): number {
    const body = this.requestBody;
    const at = body.feed(bytes, from, bytes.length, NOWHERE);
    if (body.broken) this.close();
    else if (body.done) this.nextRequest();
    return at;
  }

  /** What was said has still to get to the client. */
  protected armFlush(): void {
    if (this.at < AT.draining) this.armExchange();
    else this.arm(this.now, this.plan.settings.timeouts.client);
  }

  protected nextRequest(): void {
    this.at = AT.idle;
    this.times.idleStart = this.now;
    const { httpKeepAlive, httpRequest, client } = this.plan.settings.timeouts;
    this.arm(this.now, this.runtime.stopping ? STOP_GRACE_MS : (httpKeepAlive ?? httpRequest ?? client));
    this.resumeHeld();
    // Requests sent ahead of a FIN are served; what was cut short by it is refused.
    if (!this.clientEnded) return;
    if (this.at === AT.idle) this.close();
    else if (this.at === AT.head) this.refuseHead(400, 'CR');
    else if (this.gathered !== undefined) this.clientGone();
  }

  /** Books and logs; the heads go back to the pool. */
  protected endTransaction(): void {
    this.countTransaction(this.outlet.sent - this.sentBefore);
    this.form = undefined;
    this.gathered = undefined;
    releaseHead(this.request);
    releaseHead(this.response);
  }

  protected countStatus(status: number): void {
    this.frontend.counters.countStatus(status);
    this.backend?.counters.countStatus(status);
    if (this.responding) this.server?.counters.countStatus(status);
  }

  // ── Leaving ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The client went away. */
  protected clientGone(): void {
    if (this.at === AT.idle || this.at >= AT.draining) return this.close();
    if (this.termination === '--') this.termination = `C${this.abortState()}`;
    if (this.gathered !== undefined) this.times.requestEnd = this.now;
    this.countClientAbort();
    this.abandon();
  }

  protected abortState(): string {
    if (this.at === AT.head || this.gathered !== undefined) return 'R';
    if (this.at === AT.waiting) return this.waitingFor === FOR.queue ? 'Q' : 'C';
    // HAProxy speaks of data as soon as the request is on its way.
    return 'D';
  }

  /** Breaks off both sides. */
  protected abandon(): void {
    if (this.at === AT.waiting && this.waitingFor === FOR.queue) this.leaveQueue();
    this.waitingFor = FOR.nothing;
    this.dropLink();
    this.endTransaction();
    this.at = AT.over;
    this.leave();
    this.connection.reset();
  }

  /**
   * Ends the connection so that the client gets all that was written: closing with its bytes unread would send a
   * reset that may overtake the answer (RFC 9112, section 9.6).
   */
  protected linger(unread: boolean): void {
    if (this.at === AT.over) return;
    const { outlet, connection } = this;
    if (outlet.broken || (!unread && !outlet.blocked && this.held === undefined)) return this.close();
    this.at = AT.lingering;
    this.held = undefined;
    connection.resume();
    if (outlet.blocked) this.armFlush();
    else this.finishLingering();
  }

  protected finishLingering(): void {
    this.connection.finish();
    if (this.clientEnded) this.close();
    else this.arm(this.now, LINGER_MS);
  }

  protected close(): void {
    if (this.at === AT.over) return;
    this.at = AT.over;
    this.held = undefined;
    this.leave();
    this.connection.close();
  }
}
