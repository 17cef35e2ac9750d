/**
 * One request and its answer (or one TCP connection) on its way through the proxy: what rules, fetches, log formats
 * and policies see. `stream/` implements it and reuses its objects from one request to the next, so nobody may keep
 * a reference to one beyond the call.
 */
import type { Sample } from './expressions.ts';
import type { Head } from './http1/head.ts';
import type { Backend, Frontend, Server } from './model.ts';

export interface Transaction {
  readonly client: Client;
  readonly frontend: Frontend;
  /** The backend chosen; the frontend's own half until `use_backend` was decided. */
  backend: Backend | undefined;
  server: Server | undefined;
  /** Valid in mode http once the head was read (`request.count` fields). */
  readonly request: Head;
  readonly response: Head;
  /** `set-var(txn.x)`: by full name with its scope. Made on first use. */
  vars: Map<string, Sample> | undefined;
  /**
   * Bytes read but not yet forwarded, in mode tcp with `tcp-request content` rules (the server's bytes for
   * `tcp-response content`): the first `payloadLength` count.
   */
  payload: Uint8Array;
  payloadLength: number;
  /** Mode http: the request's body as far as it is here and not sent on, without chunk framing; read anew each time. */
  readonly body?: Buffer;
  /** More bytes may come before the content rules must decide; false (inspect delay over, end of data) makes it final. */
  inspecting: boolean;
  /** Set by a fetch that needs more bytes than there are while `inspecting`; the content rules then wait. */
  incomplete: boolean;
  /** The answer a rule chose instead of forwarding. */
  reply: Reply | undefined;
  /** `http-request set-log-level`: 0–7, `silent` is −1; undefined is the usual level. */
  logLevel: number | undefined;
  /** `set-priority`, `set-nice` and the like are not kept. */
  readonly times: Times;
  /** Values of `capture request header` (`capture response header`), by declaration order among their kind. */
  requestCaptures: (string | undefined)[] | undefined;
  responseCaptures: (string | undefined)[] | undefined;
  /** `capture cookie`: `NAME=value` as the client and the server sent it. */
  requestCookie?: string | undefined;
  responseCookie?: string | undefined;
  /** Value of the persistence cookie (`cookie`) as the client sent it. */
  persistence: string | undefined;
  /** Request line as it came, for `%r` and `capture.req.uri` (rules may have changed the target since). */
  readonly requestLine: string;
  readonly uniqueId: string;
  /** Bytes from the server to the client, head included, and the other way round. */
  bytesOut: number;
  bytesIn: number;
  /** Status sent to the client; −1 before there is one. */
  status: number;
  retries: number;
  redispatched: boolean;
  /** Two characters of the termination state (manual, section 8.5), `--` when all went well. */
  termination: string;
  /** What became of the persistence cookie, two characters (manual, section 8.5); absent is `--`. */
  cookieState?: string;
  /** Requests that stood before it in the queues of the server and of the backend. */
  serverQueue?: number;
  backendQueue?: number;
  /** Who answered in place of a server: `STATS`. */
  applet?: string;
  /** Name of the user who passed `http-request auth`. */
  user: string | undefined;
}

/** The client's connection. Text addresses are made once, when first read. */
export interface Client {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Over `bind … ssl`. */
  readonly secure: boolean;
  readonly sni: string | undefined;
  readonly alpn: string | undefined;
  readonly tlsVersion: string | undefined;
  readonly tlsCipher: string | undefined;
  /** Index in the frontend's list of listeners and its name, for `%fp` and `so_id`. */
  readonly listener: { readonly id: number; readonly name: string };
  /** Wall clock at accept, milliseconds since 1970. */
  readonly acceptedAt: number;
  /** Requests on this connection so far, this one included. */
  readonly requests: number;
  /** `set-var(sess.x)`: by full name with its scope, for all transactions of the connection. Made on first use. */
  vars: Map<string, Sample> | undefined;
}

/** Milliseconds on the monotonic clock; −1 for a point that was not reached. */
export interface Times {
  /** Accept, or end of the previous request on the connection. */
  idleStart: number;
  /** First byte of the request. */
  requestStart: number;
  requestEnd: number;
  /** A server and a place on it were found. */
  queueEnd: number;
  connected: number;
  responseStart: number;
  end: number;
}

/** An answer made by the proxy itself. */
export interface Reply {
  readonly status: number;
  /** A whole HTTP message, latin1 (an error file); when set, the rest but `status` is ignored. */
  readonly raw?: string;
  /** The proxy's own page for the status (error file or built in), with `headers` added; `body` is ignored. */
  readonly errorPage?: boolean;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
  /** Close the client's connection after it. */
  readonly close?: boolean;
  /** Termination state to log, `PR` when not said. */
  readonly termination?: string;
  /** Milliseconds to keep the client waiting first (tarpit). */
  readonly delay?: number;
}
