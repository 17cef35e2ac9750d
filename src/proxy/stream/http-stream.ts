/**
 * One client connection in mode http, and the request it is at (manual, section 1.2). The object lives as long as the
 * connection and is its own transaction: nothing is made per request. Read it from top to bottom in the order things
 * happen: bytes of a request, rules, the request on its way, the answer, the end, the next request.
 */
import { now } from '../../sockets/timers.ts';
import { VERDICT } from '../expressions.ts';
import { OBSERVED, observedStatus } from '../health/observe.ts';
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
import type { Reply } from '../transaction.ts';
import { COOKIE, captureCookie, captureHeaders, SET_COOKIE } from './capture.ts';
import { applyCookie } from './cookie.ts';
import { FormReader } from './form.ts';
import { addForwardFor } from './forward-for.ts';
import { releaseHead, takeHead } from './heads.ts';
import type { BackendPlan, FrontendPlan, Rules } from './plan.ts';
import { builtinReply, type PreparedReply, prepareReply } from './reply.ts';
import { CONNECTION_LINE, HEAD_SLACK, writePrepared, writeRequest, writeResponse } from './serialize.ts';
import { FOR, Stream } from './stream.ts';

/** Where the connection stands. */
const AT = {
  /** Between requests. */
  idle: 0,
  /** Some bytes of a head are here. */
  head: 1,
  /** A request waits: for a tarpit's end, a place in a queue, a connection, a retry, a form's body. */
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

/** Idempotent methods (RFC 9110, section 9.2.2), the usual ones first. */
const REPEATABLE = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'];

const CONNECTION = headerName('connection');
const CONTENT_LENGTH = headerName('content-length');
const TRANSFER_ENCODING = headerName('transfer-encoding');
const UPGRADE = headerName('upgrade');

export class HttpStream extends Stream {
  private readonly requestBody = new Body();
  private readonly responseBody = new Body();
  private at: number = AT.idle;
  /** Bytes of the client that could not be used yet; reading is paused while there are any. */
  private held: Buffer | undefined = undefined;
  /** The request line as it came, in the request's buffer. */
  private lineStart = 0;
  private lineEnd = 0;
  private lineText: string | undefined = undefined;
  /** The connections are kept after this exchange. */
  private keepClient = true;
  private keepServer = true;
  private upgrading = false;
  /** The final response's head was read. */
  private responding = false;
  /** Bytes of this request's body went to a server: it cannot be sent again. */
  private bodySent = false;
  /** Bytes that came with the head, while it is treated. */
  private ahead: Buffer | undefined = undefined;
  private aheadAt = 0;
  private clientEnded = false;
  private serverFinished = false;
  private sentBefore = 0;
  /** What went of the body, while it may be wanted again. */
  private readonly sentBody: Buffer[] = [];
  private sentBodyLength = 0;
  private form: FormReader | undefined = undefined;

  get requestLine(): string {
    this.lineText ??= this.lineEnd > 0 ? this.request.slice(this.lineStart, this.lineEnd) : '<BADREQ>';
    return this.lineText;
  }

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
        if (!this.requestBody.done || this.plan.settings.options.abortonclose) this.clientGone();
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
  private consume(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      const before = at;
      switch (this.at) {
        case AT.idle:
        case AT.head:
          at = this.readHead(bytes, at);
          break;
        case AT.waiting:
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

  private hold(bytes: Buffer, from: number): void {
    this.held = Buffer.from(bytes.subarray(from));
    this.connection.pause();
  }

  /** Takes up what was held back, once the state that held it is over. */
  private resumeHeld(): void {
    const { held } = this;
    if (held === undefined) return;
    this.held = undefined;
    const used = this.consume(held, 0);
    if (this.at >= AT.lingering) return;
    if (used === held.length) return this.connection.resume();
    this.held = held.subarray(used);
    this.connection.pause();
  }

  // ── Reading a request's head ───────────────────────────────────────────────────────────────────────────────

  private readHead(bytes: Buffer, from: number): number {
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

  private startRequest(): void {
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

  private headComplete(): void {
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
    this.startRequestBody();
    this.upgrading = this.wantsUpgrade();
    this.runFrontendRules();
  }

  private startRequestBody(): void {
    const { chunked, contentLength } = this.request;
    if (chunked) this.requestBody.start('chunked');
    else if (contentLength > 0) this.requestBody.start('length', contentLength);
  }

  /** `Upgrade` counts only when `Connection` names it, and each is dropped without the other. */
  private wantsUpgrade(): boolean {
    const { request } = this;
    const named = (request.connectionTokens & TOKEN.upgrade) !== 0;
    if (request.upgrade >= 0 && named && request.minor === 1) return true;
    if (request.upgrade >= 0) request.remove(UPGRADE);
    if (named) dropConnectionToken(request, 'upgrade');
    return isMethod(request, 'CONNECT');
  }

  // ── Rules, and the choice of a backend ─────────────────────────────────────────────────────────────────────

  private runFrontendRules(): void {
    const { plan, request } = this;
    if (plan.monitorUri !== undefined && request.target === plan.monitorUri) return this.answerMonitor();
    if (plan.requestCaptures.length > 0) this.requestCaptures = captureHeaders(request, plan.requestCaptures);
    if (plan.captureCookie !== undefined)
      this.requestCookie = captureCookie(request, COOKIE, plan.captureCookie);
    if (plan.uniqueIdHeader !== undefined) request.set(plan.uniqueIdHeader, this.uniqueId);
    if (!this.applyRules(plan.tcpContent) || !this.applyRules(plan.httpRequest)) return;
    if (plan.stats?.matches(this)) return this.serveStats();

    const backendPlan = this.chooseBackend();
    if (backendPlan === undefined) return this.sendReply(plan.errorReply(503), 'SC');
    this.enterBackend(backendPlan);
    // A `listen` is both sides at once: its rules have run.
    if (backendPlan.settings !== plan.settings) {
      if (!this.applyRules(backendPlan.tcpContent) || !this.applyRules(backendPlan.httpRequest)) return;
      if (backendPlan.stats?.matches(this)) return this.serveStats();
    }
    this.addForwardedHeaders(plan, backendPlan);
    this.assignServer();
  }

  private answerMonitor(): void {
    const failed = this.plan.monitorFail.some((test) => test(this));
    this.sendReply(failed ? this.plan.errorReply(503) : builtinReply(200), 'LR');
  }

  /** True when the transaction goes on. */
  private applyRules(rules: Rules): boolean {
    if (rules === undefined) return true;
    const verdict = rules(this);
    if (verdict === VERDICT.done) {
      this.sendRuleReply(this.reply!);
      return false;
    }
    if (verdict !== VERDICT.close) return true;
    this.countDenied();
    this.termination = 'PR';
    this.endTransaction();
    this.close();
    return false;
  }

  private sendRuleReply(reply: Reply): void {
    if (isDenial(reply)) this.countDenied();
    if (reply.delay !== undefined && reply.delay > 0) {
      this.waitFor(FOR.tarpit, reply.delay);
      return;
    }
    if (reply.close) this.keepClient = false;
    this.sendReply(this.preparedRuleReply(reply), reply.termination ?? 'PR');
  }

  /** A rule that says only a status means that status's error message. */
  private preparedRuleReply(reply: Reply): PreparedReply {
    if (reply.errorPage) return prepareReply(reply, (this.backendPlan ?? this.plan).errorReply(reply.status));
    return prepareReply(reply);
  }

  private countDenied(): void {
    this.frontend.counters.dreq++;
    if (this.backend !== undefined) this.backend.counters.dreq++;
  }

  private addForwardedHeaders(plan: FrontendPlan, backendPlan: BackendPlan): void {
    const forwardFor = backendPlan.forwardFor ?? plan.forwardFor;
    if (forwardFor !== undefined) addForwardFor(this.request, forwardFor, this.client.address);
    const originalTo = backendPlan.originalTo ?? plan.originalTo;
    if (originalTo !== undefined) addForwardFor(this.request, originalTo, this.client.localAddress);
  }

  protected searchFailed(termination: string): void {
    this.sendReply(this.backendPlan!.errorReply(503), termination);
  }

  // ── The request on its way ─────────────────────────────────────────────────────────────────────────────────

  /**
   * `http-reuse` (manual). The safe mode guards a session's first request, which its client would not send again, from
   * a connection that the server is just closing. A request that we can send again ourselves is safe on any.
   */
  protected mayReuse(): boolean {
    const { httpReuse, connection } = this.backendPlan!.settings.options;
    if (connection !== 'keep-alive' || httpReuse === 'never' || this.attempt > 0) return false;
    if (this.server!.settings.sendProxy !== undefined) return false;
    return httpReuse !== 'safe' || this.client.requests > 1 || this.isRepeatable();
  }

  /** No harm is done if the server gets it twice, and nothing of it is gone. */
  private isRepeatable(): boolean {
    if (this.bodySent || !this.requestBody.done) return false;
    return REPEATABLE.some((method) => isMethod(this.request, method));
  }

  protected serverReady(): void {
    const { request, backendPlan } = this;
    const { outlet } = this.link!;
    this.at = AT.exchange;
    if (backendPlan!.cookie !== undefined) applyCookie.toRequest(this, backendPlan!.cookie);
    outlet.cork();
    const room = outlet.room(request.sizeLimit + HEAD_SLACK);
    if (room === undefined) {
      outlet.uncork();
      return this.failExchange(500, 'PR');
    }
    outlet.commit(writeRequest(request, this.connectionToServer(), room.bytes, room.at));
    outlet.uncork();
    this.afterForwardToServer();
    this.resumeHeld();
  }

  private connectionToServer(): Buffer {
    const { minor } = this.request;
    // An upgrade's own field went through as it came.
    if (this.upgrading) return CONNECTION_LINE.none;
    if (this.backendPlan!.settings.options.connection !== 'keep-alive')
      return minor === 1 ? CONNECTION_LINE.close : CONNECTION_LINE.none;
    return minor === 0 ? CONNECTION_LINE.keepAlive : CONNECTION_LINE.none;
  }

  private forwardRequestBody(bytes: Buffer, from: number): number {
    const body = this.requestBody;
    this.bodySent = true;
    const at = body.feed(bytes, from, bytes.length, this.link!.outlet);
    if (this.backendPlan!.retryOn.size > 0) this.rememberBody(bytes, from, at);
    if (body.broken) {
      this.failExchange(400, 'PR');
      return bytes.length;
    }
    this.afterForwardToServer();
    if (body.done) this.finishIfComplete();
    return at;
  }

  /** With `retry-on` a body that fits a buffer is kept until the answer begins. */
  private rememberBody(bytes: Buffer, from: number, to: number): void {
    this.sentBodyLength += to - from;
    if (this.sentBodyLength > this.runtime.bufsize) this.sentBody.length = 0;
    else this.sentBody.push(Buffer.from(bytes.subarray(from, to)));
  }

  private afterForwardToServer(): void {
    const { link } = this;
    if (link === undefined) return;
    if (link.outlet.blocked) this.connection.pause();
    this.armExchange();
  }

  serverDrained(): void {
    this.now = now();
    const { link } = this;
    if (link === undefined) return;
    const empty = link.outlet.drained();
    this.armExchange();
    if (!empty) return;
    if (this.clientEnded && this.at === AT.tunnel) {
      link.finish();
      return this.endTunnelIfOver();
    }
    if (this.held === undefined) this.connection.resume();
    else this.resumeHeld();
  }

  // ── The answer ─────────────────────────────────────────────────────────────────────────────────────────────

  serverData(bytes: Buffer): void {
    this.now = now();
    if (this.at === AT.tunnel) return this.tunnelToClient(bytes, 0);
    if (this.at !== AT.exchange) return;
    if (!this.responding) return this.readResponseHead(bytes);
    const at = this.responseBody.feed(bytes, 0, bytes.length, this.outlet);
    this.afterForwardToClient(bytes.length - at);
  }

  /** Reads up to the final response's head; its body's first bytes leave together with it. */
  private readResponseHead(bytes: Buffer): void {
    const { response, runtime } = this;
    let at = 0;
    while (at < bytes.length) {
      const before = response.used;
      const taken = response.take(bytes, at, runtime.maxrewrite);
      const outcome = parseResponse(response, runtime.maxFields, taken === 0);
      if (outcome === PARSED.more) {
        at += taken;
        continue;
      }
      if (outcome !== PARSED.done) return this.badResponse();
      at += response.end - before;
      if (response.status >= 200 || response.status === 101) return this.startResponse(bytes, at);
      // An interim response goes on to a client that can read it.
      if (this.request.minor === 1) this.forwardInterim();
      response.clear();
    }
    if (this.outlet.broken) return this.clientGone();
    if (this.outlet.blocked) this.link?.pause();
    this.armExchange();
  }

  private forwardInterim(): void {
    this.dropFraming();
    this.outlet.cork();
    this.writeResponseHead(CONNECTION_LINE.none);
    this.outlet.uncork();
  }

  /** 1xx and 204 have no body, whatever their fields say (RFC 9110, section 8.6). */
  private dropFraming(): void {
    this.response.remove(CONTENT_LENGTH);
    this.response.remove(TRANSFER_ENCODING);
  }

  private startResponse(bytes: Buffer, from: number): void {
    const { response, request, outlet } = this;
    if (this.retriesAfter(String(response.status))) return;
    this.times.responseStart = this.now;
    this.responding = true;
    if (response.status === 101) {
      const agreed = this.upgrading && this.requestBody.done && request.upgrade >= 0 && response.upgrade >= 0;
      if (!agreed || (response.connectionTokens & TOKEN.upgrade) === 0) return this.badResponse();
      this.dropFraming();
      return this.startTunnel(bytes, from);
    }
    if (response.status < 300 && isMethod(request, 'CONNECT')) return this.startTunnel(bytes, from);

    this.frameResponse();
    this.noticeServerConnection();
    const { cookie } = this.backendPlan!;
    if (cookie !== undefined) applyCookie.toResponse(this, cookie);
    if (!this.applyResponseRules()) return;
    this.status = response.status;
    this.countStatus(response.status);
    this.observe(observedStatus(response.status));
    if (this.responseBody.kind === 'close' || this.runtime.stopping) this.keepClient = false;

    outlet.cork();
    if (!this.writeResponseHead(this.connectionToClient(this.keepClient, response.minor))) {
      outlet.uncork();
      return this.badResponse();
    }
    const at = this.responseBody.feed(bytes, from, bytes.length, outlet);
    outlet.uncork();
    this.afterForwardToClient(bytes.length - at);
  }

  /** Where the body ends (RFC 9112, section 6.3). */
  private frameResponse(): void {
    const { response, request, responseBody: body } = this;
    const { status } = response;
    if (status === 204) this.dropFraming();
    if (status === 204 || status === 304 || isMethod(request, 'HEAD')) body.start('none');
    else if (response.chunked) {
      body.start('chunked');
      if (request.minor === 1) return;
      // A client of HTTP/1.0 knows no chunks: it gets the bare body and the end of the connection.
      body.decode = true;
      this.keepClient = false;
      response.remove(TRANSFER_ENCODING);
    } else if (response.contentLength >= 0 && !response.hasTransferEncoding)
      body.start('length', response.contentLength);
    else body.start('close');
  }

  private noticeServerConnection(): void {
    const { response } = this;
    const tokens = response.connectionTokens;
    this.keepServer =
      this.backendPlan!.settings.options.connection === 'keep-alive' &&
      !response.ambiguous &&
      !this.upgrading &&
      this.responseBody.kind !== 'close' &&
      (response.minor === 1 ? (tokens & TOKEN.close) === 0 : (tokens & TOKEN.keepAlive) !== 0);
  }

  private applyResponseRules(): boolean {
    const { plan, response } = this;
    const backendPlan = this.backendPlan!;
    const both = backendPlan.settings !== plan.settings;
    if (plan.responseCaptures.length > 0)
      this.responseCaptures = captureHeaders(response, plan.responseCaptures);
    if (plan.captureCookie !== undefined)
      this.responseCookie = captureCookie(response, SET_COOKIE, plan.captureCookie);
    return (
      this.applyResponseRuleSet(backendPlan.httpResponse) &&
      (!both || this.applyResponseRuleSet(plan.httpResponse)) &&
      this.applyResponseRuleSet(backendPlan.httpAfterResponse) &&
      (!both || this.applyResponseRuleSet(plan.httpAfterResponse))
    );
  }

  private applyResponseRuleSet(rules: Rules): boolean {
    if (rules === undefined) return true;
    const verdict = rules(this);
    if (verdict !== VERDICT.done && verdict !== VERDICT.close) return true;
    this.dropLink();
    if (verdict === VERDICT.close || isDenial(this.reply!)) {
      this.frontend.counters.dresp++;
      this.backend!.counters.dresp++;
      this.server!.counters.dresp++;
    }
    if (verdict === VERDICT.done) {
      this.sendReply(this.preparedRuleReply(this.reply!), this.reply!.termination ?? 'PH');
    } else {
      this.termination = 'PH';
      this.endTransaction();
      this.close();
    }
    return false;
  }

  /** Serialises the response's head; false when it does not fit. */
  private writeResponseHead(connection: Buffer): boolean {
    const room = this.outlet.room(this.response.sizeLimit + HEAD_SLACK);
    if (room === undefined) return false;
    this.outlet.commit(writeResponse(this.response, connection, room.bytes, room.at));
    return true;
  }

  /** `Connection` is said only where it differs from what the versions imply. */
  private connectionToClient(keep: boolean, minor: number): Buffer {
    if (!keep) return minor === 1 ? CONNECTION_LINE.close : CONNECTION_LINE.none;
    return minor === 0 || this.request.minor === 0 ? CONNECTION_LINE.keepAlive : CONNECTION_LINE.none;
  }

  /** `left`: bytes of the server that belong to no response. */
  private afterForwardToClient(left: number): void {
    const body = this.responseBody;
    if (body.broken) return this.cutResponse('SD');
    if (left > 0) this.keepServer = false;
    if (this.outlet.broken) return this.clientGone();
    if (body.done) this.finishIfComplete();
    else if (this.outlet.blocked) this.link?.pause();
    if (this.at === AT.exchange) this.armExchange();
  }

  serverEnded(): void {
    this.now = now();
    this.serverFinished = true;
    // A write that failed before was told of a reset, and the system tells that once.
    if (this.at !== AT.tunnel) return this.serverGone(this.link?.outlet.broken ?? false);
    if (!this.outlet.blocked) this.connection.finish();
    this.armTunnel();
    this.endTunnelIfOver();
  }

  protected serverLost(failed: boolean): void {
    if (this.at === AT.tunnel) {
      this.link = undefined;
      this.endTunnel(failed ? 'SD' : '--');
    } else this.serverGone(failed);
  }

  /** The server ended in the middle of an exchange. */
  private serverGone(failed: boolean): void {
    if (this.at !== AT.exchange) return;
    const body = this.responseBody;
    if (!this.responding) return this.noAnswer();
    if (body.done) return this.serverLeftEarly();
    if (body.kind !== 'close' || failed) return this.cutResponse('SD');
    body.done = true;
    this.keepServer = false;
    this.finishIfComplete();
  }

  /** The answer is whole, the request is not: nobody wants the rest of it. */
  private serverLeftEarly(): void {
    if (this.link === undefined) return;
    this.finishServer();
    if (!this.outlet.blocked) this.endExchange();
  }

  /** The server closed without an answer. */
  private noAnswer(): void {
    const stale = this.link!.requests > 1 && this.response.used === 0;
    const link = this.link!;
    this.link = undefined;
    link.abort();
    // A connection from the pool may have been closed by the server just as the request was sent.
    if (stale && this.isRepeatable()) {
      this.at = AT.waiting;
      this.attempt++;
      return this.openLink();
    }
    if (this.response.used === 0 && this.retriesAfter('empty-response')) return;
    this.observe(OBSERVED.closed);
    this.countResponseError();
    this.countServerAbort();
    this.releaseServer();
    if (stale && this.client.requests > 1) {
      // Closing without a word tells the client that it may send again on another connection.
      this.termination = 'SH';
      this.endTransaction();
      return this.close();
    }
    this.sendReply(this.backendPlan!.errorReply(502), 'SH');
  }

  private badResponse(): void {
    if (this.retriesAfter('junk-response')) return;
    this.observe(OBSERVED.invalidHead);
    this.countResponseError();
    this.failExchange(502, 'PH');
  }

  // ── Once more ──────────────────────────────────────────────────────────────────────────────────────────────

  /** `retry-on` (manual): the request goes out again, to another server where that is allowed. */
  private retriesAfter(event: string): boolean {
    const { retryOn, settings } = this.backendPlan!;
    if (!retryOn.has(event) || this.retries >= settings.retries) return false;
    if (this.bodySent && this.sentBody.length === 0) return false;
    const link = this.link;
    this.link = undefined;
    link?.abort();
    this.response.clear();
    if (this.bodySent) {
      this.startRequestBody();
      this.held = Buffer.concat(this.held === undefined ? this.sentBody : [...this.sentBody, this.held]);
      this.connection.pause();
      this.sentBody.length = 0;
      this.sentBodyLength = 0;
      this.bodySent = false;
    }
    this.at = AT.waiting;
    this.tryAgain();
    return true;
  }

  // ── The end of an exchange ─────────────────────────────────────────────────────────────────────────────────

  private finishIfComplete(): void {
    if (this.at !== AT.exchange || !this.responding || !this.responseBody.done) return;
    // A server that answered early still gets the whole request, as long as it listens.
    if (!this.requestBody.done && this.link !== undefined && !this.serverFinished) return;
    this.finishServer();
    if (!this.outlet.blocked) this.endExchange();
  }

  private endExchange(): void {
    this.endTransaction();
    this.goOn(this.keepClient);
  }

  /** To the next request, past what is left of this one; or to the end. */
  private goOn(keep: boolean): void {
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

  private drain(bytes: Buffer, from: number): number {
    const body = this.requestBody;
    const at = body.feed(bytes, from, bytes.length, NOWHERE);
    if (body.broken) this.close();
    else if (body.done) this.nextRequest();
    return at;
  }

  /** The server's part is over: the connection goes back or away. */
  private finishServer(): void {
    const { link } = this;
    if (link === undefined) return;
    this.link = undefined;
    if (!this.requestBody.done) link.abort();
    else if (this.keepServer && !this.serverFinished && !link.outlet.blocked) link.release(this.now);
    else link.discard();
    this.releaseServer();
  }

  private nextRequest(): void {
    this.at = AT.idle;
    this.times.idleStart = this.now;
    const { httpKeepAlive, httpRequest, client } = this.plan.settings.timeouts;
    this.arm(this.now, this.runtime.stopping ? STOP_GRACE_MS : (httpKeepAlive ?? httpRequest ?? client));
    this.resumeHeld();
    // Requests sent ahead of a FIN are served; what was cut short by it is refused.
    if (!this.clientEnded) return;
    if (this.at === AT.idle) this.close();
    else if (this.at === AT.head) this.refuseHead(400, 'CR');
  }

  /** Books and logs; the heads go back to the pool. */
  private endTransaction(): void {
    this.countTransaction(this.outlet.sent - this.sentBefore);
    this.form = undefined;
    releaseHead(this.request);
    releaseHead(this.response);
  }

  private countStatus(status: number): void {
    this.frontend.counters.countStatus(status);
    this.backend?.counters.countStatus(status);
    if (this.responding) this.server?.counters.countStatus(status);
  }

  // ── Answers of our own ─────────────────────────────────────────────────────────────────────────────────────

  /** Sends an answer instead of forwarding, and ends the transaction. */
  private sendReply(reply: PreparedReply, termination: string): void {
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
  private bodyIsHere(): boolean {
    const body = this.requestBody;
    if (body.done) return true;
    const [bytes, at] = this.ahead === undefined ? [this.held, 0] : [this.ahead, this.aheadAt];
    if (bytes === undefined || body.broken) return false;
    if (body.kind === 'length') return bytes.length - at >= body.remaining;
    const probe = body.clone();
    probe.feed(bytes, at, bytes.length, NOWHERE);
    return probe.done;
  }

  private writeReply(reply: PreparedReply, keep: boolean): void {
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

  private hasAfterResponseRules(): boolean {
    return this.plan.httpAfterResponse !== undefined || this.backendPlan?.httpAfterResponse !== undefined;
  }

  /** `http-after-response` sees answers of our own too: they take the way of a server's. */
  private loadReply(reply: PreparedReply): boolean {
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

  /** A fault in the middle: an answer if the client has seen nothing yet, a cut otherwise. */
  private failExchange(status: number, termination: string): void {
    if (this.responding && this.outlet.sent > this.sentBefore) return this.cutResponse(termination);
    if (this.requestBody.broken) this.keepClient = false;
    this.sendReply((this.backendPlan ?? this.plan).errorReply(status), termination);
  }

  /** The response cannot be completed: the client must not take it for whole. */
  private cutResponse(termination: string): void {
    if (this.termination === '--') this.termination = termination;
    this.countServerAbort();
    // With a length or chunks a plain end shows that it was cut; without, only a reset does.
    const { kind, decode } = this.responseBody;
    if (kind === 'close' || decode) this.abandon();
    else {
      this.dropLink();
      this.endTransaction();
      this.close();
    }
  }

  /** What came is no request. The message goes out as the error file has it. */
  private refuseHead(status: number, termination: string): void {
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
  private refuseSilence(status: number, termination: string): void {
    this.startRequest();
    this.refuseHead(status, termination);
  }

  // ── Waiting ────────────────────────────────────────────────────────────────────────────────────────────────

  private waitIsOver(): void {
    if (this.waitingFor === FOR.tarpit)
      this.sendReply(this.preparedRuleReply(this.reply!), this.reply!.termination ?? 'PT');
    else if (this.waitingFor === FOR.form) this.failExchange(408, 'cD');
    else this.searchTimedOut();
  }

  private exchangeTimedOut(): void {
    const toServer = this.link?.outlet.blocked ?? false;
    if (this.outlet.blocked || (!this.requestBody.done && !toServer)) {
      if (this.responding) return this.cutResponse('cD');
      this.keepClient = false;
      return this.failExchange(408, 'cD');
    }
    if (this.responding) return this.cutResponse('sD');
    if (this.retriesAfter('response-timeout')) return;
    this.observe(OBSERVED.readTimeout);
    this.countResponseError();
    this.failExchange(504, 'sH');
  }

  /** Whoever is to act next decides which timeout runs. */
  private armExchange(): void {
    if (this.at === AT.tunnel) return this.armTunnel();
    if (this.at !== AT.exchange) return;
    const onClient = this.outlet.blocked || !this.requestBody.done;
    const { timeouts } = onClient ? this.plan.settings : this.backendPlan!.settings;
    this.arm(this.now, onClient ? timeouts.client : timeouts.server);
  }

  /** What was said has still to get to the client. */
  private armFlush(): void {
    if (this.at < AT.draining) this.armExchange();
    else this.arm(this.now, this.plan.settings.timeouts.client);
  }

  // ── The statistics page ────────────────────────────────────────────────────────────────────────────────────

  private serveStats(): void {
    this.applet = 'STATS';
    if (!this.requestBody.done && isMethod(this.request, 'POST')) {
      this.form = new FormReader();
      this.waitFor(FOR.form, this.plan.settings.timeouts.client);
    } else this.answerStats(undefined);
  }

  private readForm(bytes: Buffer, from: number): number {
    const form = this.form!;
    const at = this.requestBody.feed(bytes, from, bytes.length, form);
    if (this.requestBody.broken || form.tooLong) {
      this.keepClient = false;
      this.failExchange(this.requestBody.broken ? 400 : 413, 'PR');
      return bytes.length;
    }
    if (this.requestBody.done) this.answerStats(form.text);
    return at;
  }

  private answerStats(form: string | undefined): void {
    const reply = (this.backendPlan?.stats ?? this.plan.stats)!.answer(this, form);
    if (reply.close) this.keepClient = false;
    this.sendReply(this.preparedRuleReply(reply), reply.termination ?? 'LR');
  }

  // ── Tunnels ────────────────────────────────────────────────────────────────────────────────────────────────

  private startTunnel(bytes: Buffer, from: number): void {
    const { response } = this;
    this.keepServer = false;
    if (!this.applyResponseRules()) return;
    this.status = response.status;
    this.countStatus(response.status);
    this.at = AT.tunnel;
    this.outlet.cork();
    this.writeResponseHead(CONNECTION_LINE.none);
    if (from < bytes.length) this.outlet.forward(bytes, from, bytes.length);
    this.outlet.uncork();
    this.afterTunnelled();
    this.resumeHeld();
  }

  private tunnelToClient(bytes: Buffer, from: number): void {
    this.outlet.forward(bytes, from, bytes.length);
    this.afterTunnelled();
  }

  private afterTunnelled(): void {
    if (this.outlet.broken) return this.endTunnel('CD');
    if (this.outlet.blocked) this.link?.pause();
    this.armTunnel();
  }

  private armTunnel(): void {
    const back = this.backendPlan!.settings.timeouts;
    const front = this.plan.settings.timeouts;
    const fin = this.serverFinished ? front.clientFin : this.clientEnded ? back.serverFin : undefined;
    this.arm(this.now, fin ?? back.tunnel ?? front.client);
  }

  /** Each side has said its last, and the other has got it. */
  private endTunnelIfOver(): void {
    if (!this.clientEnded || !this.serverFinished) return;
    if (!this.outlet.blocked && !this.link?.outlet.blocked) this.endTunnel('--');
  }

  private endTunnel(termination: string): void {
    if (this.termination === '--') this.termination = termination;
    const { link } = this;
    this.link = undefined;
    // What is still on its way to a side that only closed its own direction arrives before the end.
    if (termination === '--') link?.discard();
    else link?.abort();
    this.releaseServer();
    this.endTransaction();
    this.linger(false);
  }

  // ── Leaving ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The client went away. */
  private clientGone(): void {
    if (this.at === AT.idle || this.at >= AT.draining) return this.close();
    if (this.termination === '--') this.termination = `C${this.abortState()}`;
    this.countClientAbort();
    this.abandon();
  }

  private abortState(): string {
    if (this.at === AT.head) return 'R';
    if (this.at === AT.waiting) return this.waitingFor === FOR.queue ? 'Q' : 'C';
    // HAProxy speaks of data as soon as the request is on its way.
    return 'D';
  }

  /** Breaks off both sides. */
  private abandon(): void {
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
  private linger(unread: boolean): void {
    if (this.at === AT.over) return;
    const { outlet, connection } = this;
    if (outlet.broken || (!unread && !outlet.blocked && this.held === undefined)) return this.close();
    this.at = AT.lingering;
    this.held = undefined;
    connection.resume();
    if (outlet.blocked) this.armFlush();
    else this.finishLingering();
  }

  private finishLingering(): void {
    this.connection.finish();
    if (this.clientEnded) this.close();
    else this.arm(this.now, LINGER_MS);
  }

  private close(): void {
    if (this.at === AT.over) return;
    this.at = AT.over;
    this.held = undefined;
    this.leave();
    this.connection.close();
  }
}

/** Rules that answer without refusing say `LR`. */
function isDenial({ termination = 'PR' }: Reply): boolean {
  return termination !== 'LR';
}

const CRLF = Buffer.from('\r\n');
const NOWHERE: Sink = { forward() {} };
