/**
 * Mode http from the rules on (manual, section 1.2): the choice of a backend, the request on its way, the answer, another
 * try, tunnels, and the statistics page. The client's side of it is http-connection.ts.
 */
import { now } from '../../sockets/timers.ts';
import { pathAndQueryOf } from '../acl/target.ts';
import { VERDICT } from '../expressions.ts';
import { OBSERVED, observedStatus } from '../health/observe.ts';
import { headerName } from '../http1/head.ts';
import { isMethod, PARSED, parseResponse, TOKEN } from '../http1/parse.ts';
import type { ProxySettings } from '../settings.ts';
import type { Reply } from '../transaction.ts';
import { BodyAhead } from './body-ahead.ts';
import { COOKIE, captureCookie, captureHeaders, SET_COOKIE } from './capture.ts';
import { applyCookie } from './cookie.ts';
import { FormReader } from './form.ts';
import { addForwardFor } from './forward-for.ts';
import { AT, HttpConnection } from './http-connection.ts';
import type { BackendPlan, FrontendPlan, Rules } from './plan.ts';
import { builtinReply, type PreparedReply, prepareReply } from './reply.ts';
import { CONNECTION_LINE, HEAD_SLACK, writeRequest } from './serialize.ts';
import { FOR } from './stream.ts';

/** Idempotent methods (RFC 9110, section 9.2.2), the usual ones first. */
const REPEATABLE = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'];

const EXPECT = headerName('expect');
const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
const CONTENT_LENGTH = headerName('content-length');
const TRANSFER_ENCODING = headerName('transfer-encoding');

export class HttpStream extends HttpConnection {
  /** When a body that is waited for must be here. */
  private gatherUntil = Infinity;

  // ── Rules, and the choice of a backend ─────────────────────────────────────────────────────────────────────

  protected treatRequest(): void {
    const { plan, request } = this;
    if (plan.monitorUri !== undefined && request.target === plan.monitorUri) return this.answerMonitor();
    if (plan.requestCaptures.length > 0) this.requestCaptures = captureHeaders(request, plan.requestCaptures);
    if (plan.captureCookie !== undefined)
      this.requestCookie = captureCookie(request, COOKIE, plan.captureCookie);
    if (plan.uniqueIdHeader !== undefined) request.set(plan.uniqueIdHeader, this.uniqueId);
    if (!this.applyRules(plan.tcpContent) || this.lacksBody(plan.settings)) return;
    this.treatInFrontend();
  }

  private treatInFrontend(): void {
    const { plan } = this;
    if (!this.applyRules(plan.httpRequest)) return;
    if (plan.stats?.matches(this)) return this.serveStats();

    const backendPlan = this.chooseBackend();
    if (backendPlan === undefined) return this.sendReply(plan.errorReply(503), 'SC');
    this.enterBackend(backendPlan);
    // A `listen` is both sides at once: its rules have run.
    if (backendPlan.settings === plan.settings) this.passOn(backendPlan);
    else if (!this.lacksBody(backendPlan.settings)) this.treatInBackend(backendPlan);
  }

  private treatInBackend(backendPlan: BackendPlan): void {
    if (!this.applyRules(backendPlan.tcpContent) || !this.applyRules(backendPlan.httpRequest)) return;
    if (backendPlan.stats?.matches(this)) return this.serveStats();
    this.passOn(backendPlan);
  }

  private passOn(backendPlan: BackendPlan): void {
    this.addForwardedHeaders(this.plan, backendPlan);
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

  // ── The body first (manual, `option http-buffer-request`) ──────────────────────────────────────────────────

  /** True when the rest of the body is waited for, or when it was refused. `settings`: of the side that wants it. */
  private lacksBody({ options, timeouts }: ProxySettings): boolean {
    if (!options.httpBufferRequest || this.requestBody.done || isMethod(this.request, 'CONNECT'))
      return false;
    this.answerExpectation();
    this.gathered = new BodyAhead(this.requestBody);
    this.gatherUntil = timeouts.httpRequest ? this.now + timeouts.httpRequest : Infinity;
    this.times.requestEnd = -1;
    return this.bodyIsMissing();
  }

  /** Whoever waits for the body has to ask for it. */
  private answerExpectation(): void {
    const { request, outlet } = this;
    if (request.minor === 0 || request.get(EXPECT)?.toLowerCase() !== '100-continue') return;
    request.remove(EXPECT);
    outlet.forward(CONTINUE, 0, CONTINUE.length);
  }

  protected gatherBody(bytes: Buffer, from: number): void {
    this.ahead = bytes;
    this.aheadAt = from;
    if (!this.bodyIsMissing()) {
      if (this.backendPlan === undefined) this.treatInFrontend();
      else this.treatInBackend(this.backendPlan);
    }
    this.ahead = undefined;
  }

  /** Enough is a whole body, or as much of it as a buffer holds beside the head. */
  private bodyIsMissing(): boolean {
    const { request, runtime } = this;
    const gathered = this.gathered!;
    gathered.look(this.ahead!, this.aheadAt);
    if (gathered.broken) {
      this.refuseBody(400, 'PR');
      return true;
    }
    if (gathered.done || request.end + gathered.length >= runtime.bufsize - runtime.maxrewrite) {
      this.gathered = undefined;
      this.times.requestEnd = this.now;
      return false;
    }
    const { client } = this.plan.settings.timeouts;
    runtime.clock.arm(this, Math.min(this.gatherUntil, client ? this.now + client : Infinity));
    return true;
  }

  private refuseBody(status: number, termination: string): void {
    this.gathered = undefined;
    this.keepClient = false;
    this.frontend.counters.ereq++;
    this.failExchange(status, termination);
  }

  protected redirects(prefix: string): boolean {
    const { request } = this;
    if (!isMethod(request, 'GET') && !isMethod(request, 'HEAD')) return false;
    const location = prefix + (pathAndQueryOf(request) ?? '/');
    const headers = [
      ['cache-control', 'no-cache'],
      ['location', location],
    ] as const;
    this.keepClient = false;
    this.waitingFor = FOR.nothing;
    this.sendReply(prepareReply({ status: 302, headers }), 'LC');
    return true;
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

  protected forwardRequestBody(bytes: Buffer, from: number): number {
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

  protected afterForwardToServer(): void {
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
    if (!this.responding) {
      if (this.serverRefused(bytes)) return this.failExchange(502, 'PH');
      return this.readResponseHead(bytes);
    }
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
    this.runtime.trace?.answered(this);
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

  protected finishIfComplete(): void {
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

  // ── Waiting ────────────────────────────────────────────────────────────────────────────────────────────────

  protected waitIsOver(): void {
    if (this.waitingFor === FOR.tarpit)
      this.sendReply(this.preparedRuleReply(this.reply!), this.reply!.termination ?? 'PT');
    else if (this.gathered !== undefined) this.refuseBody(408, 'cR');
    else if (this.waitingFor === FOR.form) this.failExchange(408, 'cD');
    else this.searchTimedOut();
  }

  protected exchangeTimedOut(): void {
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
  protected armExchange(): void {
    if (this.at === AT.tunnel) return this.armTunnel();
    if (this.at !== AT.exchange) return;
    const onClient = this.outlet.blocked || !this.requestBody.done;
    const { timeouts } = onClient ? this.plan.settings : this.backendPlan!.settings;
    this.arm(this.now, onClient ? timeouts.client : timeouts.server);
  }

  // ── The statistics page ────────────────────────────────────────────────────────────────────────────────────

  private serveStats(): void {
    this.applet = 'STATS';
    if (!this.requestBody.done && isMethod(this.request, 'POST')) {
      this.form = new FormReader();
      this.waitFor(FOR.form, this.plan.settings.timeouts.client);
    } else this.answerStats(undefined);
  }

  protected readForm(bytes: Buffer, from: number): number {
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

  protected armTunnel(): void {
    const back = this.backendPlan!.settings.timeouts;
    const front = this.plan.settings.timeouts;
    const fin = this.serverFinished ? front.clientFin : this.clientEnded ? back.serverFin : undefined;
    this.arm(this.now, fin ?? back.tunnel ?? front.client);
  }

  /** Each side has said its last, and the other has got it. */
  protected endTunnelIfOver(): void {
    if (!this.clientEnded || !this.serverFinished) return;
    if (!this.outlet.blocked && !this.link?.outlet.blocked) this.endTunnel('--');
  }

  protected endTunnel(termination: string): void {
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
}

/** Rules that answer without refusing say `LR`. */
function isDenial({ termination = 'PR' }: Reply): boolean {
  return termination !== 'LR';
}
