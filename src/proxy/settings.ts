/**
 * A configuration as data: what the keyword tables make of a haproxy.cfg. Nothing here runs; `engine.ts` brings
 * it to life and compiles expressions, conditions, rules and formats once. All times in milliseconds, sizes in bytes.
 */
import type { Place } from '../errors.ts';
import type { Condition, LogFormat, Rule, SampleExpression } from './expressions.ts';
import type { Certificate } from './tls/certificate.ts';

export interface Configuration {
  global: GlobalSettings;
  /** Frontends, backends and listens in file order. */
  proxies: ProxySettings[];
  /** `defaults` sections in file order; already merged into the proxies. */
  defaults: ProxySettings[];
  userlists: Map<string, Userlist>;
  /** Keywords that were read but that the engine does not act on, said once at start. */
  noted: { keyword: string; place: Place; why?: string }[];
}

export interface GlobalSettings {
  logs: LogTarget[];
  logTag: string;
  /** Host name in syslog headers; undefined leaves it out, as HAProxy does by default. */
  logSendHostname?: string;
  maxconn?: number;
  statsSockets: StatsSocket[];
  /** Idle time of a runtime socket's session. */
  statsTimeout: number;
  pidfile?: string;
  daemon: boolean;
  quiet: boolean;
  hardStopAfter?: number;
  node?: string;
  description?: string;
  /** Spread of health checks in percent of their interval. */
  spreadChecks: number;
  caBase?: string;
  crtBase?: string;
  sslDefaultBind: SslOptions;
  sslDefaultServer: SslOptions;
  tune: { bufsize: number; maxrewrite: number; httpMaxhdr: number };
}

export interface SslOptions {
  ciphers?: string;
  ciphersuites?: string;
  minVersion?: string;
  maxVersion?: string;
  noTickets?: boolean;
  /** Versions that `no-tlsv10` and its kind rule out; without effect beside `minVersion` or `maxVersion`. */
  excluded?: string[];
  verify?: 'none' | 'required';
}

export interface LogTarget {
  to:
    | { kind: 'udp'; host: string; port: number }
    | { kind: 'unix'; path: string }
    | { kind: 'fd'; fd: number };
  format: 'rfc3164' | 'rfc5424' | 'local' | 'short' | 'raw' | 'timed' | 'iso' | 'priority';
  /** 0–23, as in RFC 5424 section 6.2.1. */
  facility: number;
  /** Least severe level that is sent (0 emerg … 7 debug). */
  level: number;
  /** Most severe level that messages are sent as. */
  minLevel: number;
  /** Longest line in bytes. */
  length: number;
  /** `sample <ranges>:<size>`: which of every `size` messages are sent; undefined sends all. */
  sample?: { ranges: readonly (readonly [number, number])[]; size: number };
}

export interface StatsSocket {
  endpoint: Endpoint;
  mode?: number;
  level: 'user' | 'operator' | 'admin';
  place: Place;
}

/** Where to listen or connect. `fd` is an inherited listening socket. */
export type Endpoint =
  | { kind: 'tcp'; host: string; port: number; family?: 4 | 6 }
  | { kind: 'unix'; path: string }
  | { kind: 'fd'; fd: number };

export interface Userlist {
  name: string;
  groups: Map<string, { users: string[] }>;
  users: Map<string, { password?: string; insecure: boolean; groups: string[] }>;
}

/** One `frontend`, `backend` or `listen`, with its defaults merged in. */
export interface ProxySettings {
  kind: 'defaults' | 'frontend' | 'backend' | 'listen';
  name: string;
  place: Place;
  /** The defaults section it came from. */
  from?: ProxySettings;
  /** Explicit number (`id`), or given in file order from 2 on as HAProxy does. */
  id: number;
  mode: 'tcp' | 'http';
  disabled: boolean;
  description?: string;
  binds: BindSettings[];
  /** A `bind` line stands there, even if it was refused. */
  saysBind?: boolean;
  servers: ServerSettings[];
  defaultServer: Partial<ServerSettings>;
  defaultBackend?: string;
  useBackends: { name: string | LogFormat; condition?: Condition; place: Place }[];
  useServers: { name: string | LogFormat; condition?: Condition; place: Place }[];
  maxconn?: number;
  fullconn?: number;
  retries: number;
  /** `retry-on`: events after which a request is sent again. */
  retryOn: string[];
  /** `option redispatch <interval>`: 0 is off, n > 0 every n retries, −1 (the default form) on the last retry only. */
  redispatch: number;
  timeouts: Timeouts;
  options: ProxyOptions;
  balance: BalanceSettings;
  hashType?: { method: 'map-based' | 'consistent'; function: string; modifier?: 'avalanche' };
  check: CheckSettings;
  cookie?: CookieSettings;
  forwardFor?: { header: string; except?: string; ifNone: boolean };
  originalTo?: { header: string; except?: string };
  logs: LogTarget[];
  /** `log global` was said (or inherited). */
  logGlobal: boolean;
  logTag?: string;
  logFormat?: LogFormat;
  errorLogFormat?: LogFormat;
  uniqueIdFormat?: LogFormat;
  uniqueIdHeader?: string;
  /** `capture cookie`: a name that ends in `=` is whole, any other is a beginning. */
  captureCookie?: { name: string; length: number };
  captures: { where: 'request' | 'response'; header: string; length: number }[];
  /** status → whole HTTP message, latin1, as in the file. */
  errorFiles: Map<number, { file: string; content: string }>;
  errorLocations: Map<number, { code: 302 | 303; location: string }>;
  monitorUri?: string;
  monitorFail: Condition[];
  stats?: StatsSettings;
  acls: Map<string, import('./expressions.ts').AclTest[]>;
  tcpRequestConnection: Rule[];
  tcpRequestSession: Rule[];
  tcpRequestContent: Rule[];
  tcpResponseContent: Rule[];
  inspectDelay?: number;
  httpRequest: Rule[];
  httpResponse: Rule[];
  httpAfterResponse: Rule[];
}

export interface Timeouts {
  client?: number;
  clientFin?: number;
  connect?: number;
  server?: number;
  serverFin?: number;
  httpRequest?: number;
  httpKeepAlive?: number;
  queue?: number;
  tunnel?: number;
  check?: number;
  tarpit?: number;
}

export interface ProxyOptions {
  /** `option httplog` / `tcplog`: which of the built-in formats; undefined is the short default format. */
  log?: 'http' | 'http-clf' | 'tcp' | 'https';
  dontlognull: boolean;
  dontlogNormal: boolean;
  logSeparateErrors: boolean;
  logHealthChecks: boolean;
  /** How connections are used: keep-alive (default), `http-server-close` or `httpclose`. */
  connection: 'keep-alive' | 'server-close' | 'close';
  httpReuse: 'never' | 'safe' | 'aggressive' | 'always';
  abortonclose: boolean;
  allbackups: boolean;
  httpIgnoreProbes: boolean;
  httpBufferRequest: boolean;
  persist: boolean;
}

export interface BindSettings {
  endpoint: Endpoint;
  place: Place;
  name?: string;
  /** Section text of the address as written, for messages. */
  text: string;
  ssl?: {
    crt: string[];
    /** What `crt` named, read. */
    certificates: Certificate[];
    caFile?: string;
    /** Text of `caFile`. */
    authorities?: string;
    verify?: 'none' | 'optional' | 'required';
    alpn?: string[];
    options: SslOptions;
    strictSni?: boolean;
  };
  acceptProxy: boolean;
  maxconn?: number;
  mode?: number;
  /** For `v6only` and `v4v6`. */
  v6only?: boolean;
}

export interface ServerSettings {
  name: string;
  place: Place;
  endpoint: Endpoint;
  /** The host as written: a name is resolved at start. */
  host: string;
  port?: number;
  /** Offset to the client's port: `+10` / `-10`; port 0 or absent uses the same port. */
  portOffset?: number;
  id: number;
  check: boolean;
  checkAddr?: string;
  checkPort?: number;
  checkSendProxy?: boolean;
  inter: number;
  fastInter?: number;
  downInter?: number;
  rise: number;
  fall: number;
  weight: number;
  backup: boolean;
  disabled: boolean;
  maxconn?: number;
  minconn?: number;
  maxqueue?: number;
  cookie?: string;
  slowstart?: number;
  observe?: 'layer4' | 'layer7';
  errorLimit?: number;
  onError?: 'fastinter' | 'fail-check' | 'sudden-death' | 'mark-down';
  onMarkedDown?: 'shutdown-sessions';
  onMarkedUp?: 'shutdown-backup-sessions';
  sendProxy?: 1 | 2;
  /** TLS for requests. */
  ssl?: ServerTls;
  /** TLS for health checks; absent when they are made in the clear. */
  checkTls?: ServerTls;
  redir?: string;
  initAddr: string[];
  poolMaxConn?: number;
  poolPurgeDelay?: number;
  track?: string;
}

/** How a server is spoken to in TLS. */
export interface ServerTls {
  verify: 'none' | 'required';
  caFile?: string;
  /** Text of `caFile`. */
  authorities?: string;
  crt?: string;
  /** What `crt` named, read. */
  identity?: Certificate;
  /** Name in the handshake, made for each connection. */
  sni?: SampleExpression;
  /** Fixed name in the handshake of health checks. */
  checkSni?: string;
  verifyHost?: string;
  alpn?: string[];
  options: SslOptions;
}

export interface BalanceSettings {
  algorithm: string;
  /** Words after the algorithm, already checked by the policy's row. */
  args: readonly string[];
  /** What `balance hash` hashes. */
  expression?: SampleExpression;
}

export interface CheckSettings {
  type: 'tcp' | 'http' | 'ssl-hello' | 'tcp-check' | 'external' | 'none';
  /** `option httpchk`, `http-check send`; the request as it goes out. */
  http?: {
    method: string;
    uri: string;
    version: string;
    headers: { name: string; value: string }[];
    body?: string;
  };
  expect?: {
    kind: 'status' | 'rstatus' | 'string' | 'rstring';
    value: string;
    negate: boolean;
  };
  disableOn404: boolean;
  sendState: boolean;
  tcpSteps: TcpCheckStep[];
}

export type TcpCheckStep =
  | { kind: 'connect'; port?: number; ssl?: boolean; sendProxy?: boolean }
  | { kind: 'send'; data: string }
  | { kind: 'expect'; match: 'string' | 'rstring' | 'binary'; value: string; negate: boolean };

export interface CookieSettings {
  name: string;
  mode: 'insert' | 'rewrite' | 'prefix' | 'none';
  indirect: boolean;
  nocache: boolean;
  postonly: boolean;
  preserve: boolean;
  httponly: boolean;
  secure: boolean;
  domains: string[];
  attrs: string[];
}

export interface StatsSettings {
  enabled: boolean;
  uri: string;
  realm: string;
  /** Seconds, 0 for none. */
  refresh: number;
  auth: { user: string; password: string }[];
  admin: Condition[];
  httpRequest: Rule[];
  scope: string[];
  hideVersion: boolean;
  showLegends: boolean;
  showNode?: string;
  showDesc?: string;
}
