/**
 * What a case is: plain data. The same bytes go through Debian's HAProxy and through the engine, both with the same
 * configuration, and what came back and what the origin received must be the same, or differ as the case says.
 * All bytes are latin1 strings.
 */
export interface Case {
  readonly name: string;
  /** Default: `web()`. */
  readonly config?: Config;
  readonly client: readonly ClientStep[] | string;
  /** The reply to the k-th request that reaches the origin, on whatever connection; the last one repeats. Default: OK. */
  readonly server?: readonly Reply[];
  /** Instead of `server`: played on each connection from its start, without looking for requests (mode tcp). */
  readonly raw?: readonly Step[];
  /**
   * Default: 'same'. 'stricter': the same, or the engine refuses what HAProxy lets pass, and nothing that HAProxy
   * would not have sent has reached the origin or the client as a whole message.
   */
  readonly expect?: 'same' | 'stricter' | Differs;
  /** Default: DEFAULT_ASPECTS. */
  readonly compare?: readonly Aspect[];
}

export interface Subject {
  readonly name: string;
  readonly cases: readonly Case[];
}

/** Sent bytes; a pause in ms; a wait until this text came back; half-close; reset. */
export type ClientStep = string | { readonly pause: number } | { readonly until: string } | 'FIN' | 'RST';

/** Sent bytes; a pause in ms; a wait for so many more bytes; half-close; both ways closed; reset. */
export type Step = string | { readonly pause: number } | { readonly read: number } | 'FIN' | 'CLOSE' | 'RST';

/** Steps once the whole request is there; with `at: 'head'`, once its head is, and the rest is left to `read`. */
export type Reply = string | readonly Step[] | { readonly at: 'head'; readonly steps: readonly Step[] };

/** The engine follows HAProxy 3.4, or is stricter, where Debian's 2.6 is lax: what each of them must do, and why. */
export interface Differs {
  readonly differs: string;
  readonly haproxy: Outcome;
  readonly engine: Outcome;
}

export interface Outcome {
  /** Status codes that the client gets, in order; [] for none. */
  readonly status?: readonly number[];
  /** Requests that reach the origin whole. */
  readonly forwarded?: number;
  /** Whether the client's connection is closed in the end. */
  readonly closed?: boolean;
  /** Whether the origin's first connection is closed in the end. */
  readonly dropped?: boolean;
  /** A text that the client must get. */
  readonly sends?: string;
  /** Texts that the origin must have received, or must not. */
  readonly has?: string;
  readonly lacks?: string;
}

/** HAProxy 2.6 forwards it and answers; the engine refuses it with 400 and closes. */
export function refused(differs: string): Differs {
  return {
    differs,
    haproxy: { status: [200], forwarded: 1 },
    engine: { status: [400], forwarded: 0, closed: true },
  };
}

export type Aspect =
  /** Status lines of the responses. */
  | 'status'
  /** Header fields of the responses, in any order. */
  | 'headers'
  /** The same without those that say where the body ends. */
  | 'fields'
  | 'body'
  /** Whether the client's connection is open in the end. */
  | 'connection'
  /** What the origin received: request lines, header fields in order, bodies. */
  | 'origin'
  /** Requests that reached the origin whole: where a body turns out bad, how much of it went before is chance. */
  | 'whole'
  /** How many connections the origin accepted. */
  | 'connections'
  /** How each of them is in the end: open or closed. */
  | 'ends'
  /** Every byte that the client got. */
  | 'bytes'
  /** Log lines, sent to `{log}`; see `comparableLine` for what of them is compared. */
  | 'log';

export const DEFAULT_ASPECTS: readonly Aspect[] = ['status', 'headers', 'body', 'connection', 'origin'];

/** For requests whose body is refused midway. */
export const REFUSED_BODY: readonly Aspect[] = ['status', 'headers', 'connection', 'whole'];

/** Where a case lives inside its configuration: names and ports of its own. */
export interface Slot {
  /** Fit for a section's name. */
  readonly id: string;
  /** The proxy's port for this case. */
  readonly port: string;
  /** The origin's port. */
  readonly origin: string;
  /** The proxy's folder; error files are in it. */
  readonly dir: string;
  /** The syslog receiver's port. */
  readonly log: string;
}

/** The sections of one case. `defaults` are put before it; see DEFAULTS. */
export type Config = (at: Slot) => string;

/** Long enough that no case meets them by accident, short enough that a hung case ends. */
export const DEFAULTS = `
defaults
  mode http
  timeout connect 2s
  timeout client 8s
  timeout server 8s
  timeout http-request 8s
  retries 0
`;

/** An address of loopback where nothing listens, whatever else runs on this machine. */
export const REFUSING = '127.0.0.1:1';

/** One `listen` section with one server, and these lines. */
export function web(...lines: string[]): Config {
  return bare('server s1 {origin}', ...lines);
}

/** One `listen` section without a server line of its own. In the lines {id}, {origin}, {dir} and {log} are the slot's. */
export function bare(...lines: string[]): Config {
  return (at) => fillIn(`listen ${at.id}\n  bind 127.0.0.1:${at.port}\n${indent(lines)}`, at);
}

/** A frontend and named backends, called {id}_NAME, all with the same origin. */
export function sections(
  frontend: readonly string[],
  backends: Readonly<Record<string, readonly string[]>>,
): Config {
  const parts = Object.entries(backends).map(
    ([name, lines]) => `backend {id}_${name}\n${indent(lines)}  server s1 {origin}\n`,
  );
  return (at) =>
    fillIn(`frontend ${at.id}\n  bind 127.0.0.1:${at.port}\n${indent(frontend)}${parts.join('')}`, at);
}

export const OK = response('200 OK', ['Content-Length: 2'], 'ok');

/** A request with CRLF line ends: `get('/x', 'A: b')`. */
export function get(target: string, ...headers: string[]): string {
  return request(`GET ${target} HTTP/1.1`, ['Host: a.test', ...headers]);
}

export function post(body: string, ...headers: string[]): string {
  return request('POST /p HTTP/1.1', ['Host: a.test', ...headers], body);
}

export function request(line: string, headers: readonly string[], body = ''): string {
  return `${[line, ...headers, '', ''].join('\r\n')}${body}`;
}

export function response(status: string, headers: readonly string[] = [], body = ''): string {
  return `${[`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n')}${body}`;
}

function fillIn(text: string, at: Slot): string {
  const values: Record<string, string> = {
    id: at.id,
    origin: `127.0.0.1:${at.origin}`,
    dir: at.dir,
    log: `127.0.0.1:${at.log}`,
  };
  return text.replace(/\{(id|origin|dir|log)\}/g, (_, name: string) => values[name]!);
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join('');
}
