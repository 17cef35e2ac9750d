/**
 * A configuration compiled: what a stream needs on its way, as flat functions and ready numbers. Made once at start
 * and on reload; a stream only reads it.
 */
import type { Clock } from '../../sockets/timers.ts';
import type { Transport } from '../../sockets/transport.ts';
import type { Policy } from '../balance/policy.ts';
import type { Verdict } from '../expressions.ts';
import type { HeaderName } from '../http1/head.ts';
import type { Backend, Frontend, LiveProxy, ProcessCounters, Server } from '../model.ts';
import type { ProxySettings } from '../settings.ts';
import type { Reply, Transaction } from '../transaction.ts';
import type { CookiePlan } from './cookie.ts';
import type { PreparedReply } from './reply.ts';
import type { ServerPool } from './server-pool.ts';
import type { Trace } from './trace.ts';

export type Rules = ((tx: Transaction) => Verdict) | undefined;
export type Test = (tx: Transaction) => boolean;

/** Shared by all streams of the process. */
export interface Runtime {
  readonly proxy: LiveProxy;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly totals: ProcessCounters;
  /** Largest head, and what of it is kept free for edits. */
  readonly bufsize: number;
  readonly maxrewrite: number;
  readonly maxFields: number;
  /** `-d`. */
  readonly trace?: Trace;
  /** Set while the process stops softly: connections are closed as soon as they are idle. */
  stopping: boolean;
  /** A client's connection is gone. */
  left(stream: ClientStream): void;
}

/** A client's connection, as the process as a whole sees it. */
export interface ClientStream {
  readonly frontend: Frontend;
  /** The process is stopping: end now if nothing is under way. */
  closeIfIdle(): void;
}

/** What a `frontend` and a `backend` have in common. */
interface SidePlan {
  readonly settings: ProxySettings;
  readonly httpRequest: Rules;
  readonly httpResponse: Rules;
  readonly httpAfterResponse: Rules;
  readonly tcpContent: Rules;
  readonly forwardFor: ForwardFor | undefined;
  readonly originalTo: ForwardFor | undefined;
  /** Status → answer, from `errorfile`, `errorloc` or built in. */
  errorReply(status: number): PreparedReply;
  readonly stats: StatsPlan | undefined;
}

export interface FrontendPlan extends SidePlan {
  readonly frontend: Frontend;
  readonly tcpConnection: Rules;
  readonly tcpSession: Rules;
  /** Name of the first backend whose test holds. */
  readonly useBackend: readonly {
    readonly test: Test | undefined;
    readonly backend: (tx: Transaction) => BackendPlan | undefined;
  }[];
  readonly defaultBackend: BackendPlan | undefined;
  readonly monitorUri: string | undefined;
  readonly monitorFail: readonly Test[];
  readonly log: (tx: Transaction) => void;
  readonly uniqueId: ((tx: Transaction) => string) | undefined;
  readonly uniqueIdHeader: HeaderName | undefined;
  readonly requestCaptures: readonly HeaderCapture[];
  readonly responseCaptures: readonly HeaderCapture[];
  readonly captureCookie: { readonly name: string; readonly length: number } | undefined;
}

export interface BackendPlan extends SidePlan {
  readonly backend: Backend;
  readonly policy: Policy;
  /** `tcp-response content`, asked about a server's first bytes. */
  readonly tcpResponse: Rules;
  readonly pools: ReadonlyMap<Server, ServerPool>;
  /** The policy goes round: any server is as good as another. */
  readonly takesTurns: boolean;
  /** Events of `retry-on`, written out; `conn-failure` unless it says otherwise. */
  readonly retryOn: ReadonlySet<string>;
  /** The server takes no further request now. */
  readonly isFull: (server: Server) => boolean;
  readonly useServer: readonly {
    readonly test: Test | undefined;
    readonly server: (tx: Transaction) => Server | undefined;
  }[];
  readonly cookie: CookiePlan | undefined;
  /** Streams that wait for a place on any server, first come first served. */
  readonly queue: Waiting[];
}

/** A stream in a queue. */
export interface Waiting {
  /** A place is free on that server. False: the stream is no longer interested. */
  offer(server: Server): boolean;
  /** Its server is gone. */
  searchAnew(): void;
}

export interface HeaderCapture {
  readonly name: HeaderName;
  readonly length: number;
}

export interface ForwardFor {
  readonly name: HeaderName;
  readonly ifNone: boolean;
  /** Clients whose address is not added. */
  readonly except: ((address: string) => boolean) | undefined;
}

export interface StatsPlan {
  /** Whether the request is for the statistics page. */
  matches(tx: Transaction): boolean;
  /** Answers; the body of a POST is given once it is complete. */
  answer(tx: Transaction, body: string | undefined): Reply;
}
