/**
 * The seam between the engine and the operating system: bytes and connections, nothing of HTTP.
 * `bun.ts` is the real one, `memory.ts` the test double; both pass test/sockets/conformance.ts.
 */

export interface Transport {
  /**
   * Starts to listen. Throws a ProxyError (`listen.in-use`, `listen.denied`, `tls.refused` …) when it cannot.
   * With TLS `accept` is called once the handshake has succeeded.
   */
  listen(
    at: ListenAddress,
    accept: (connection: Connection) => Events,
    tls?: TlsServer,
    hasRoom?: HasRoom,
  ): Listener;
  /**
   * Opens a connection. The returned object is usable at once for `reset`; `events.opened` or `events.closed`
   * (with `failed` true) tells how it went. With TLS `opened` comes after the handshake, and the reason of one that
   * failed is `EPROTO`.
   */
  connect(to: ConnectAddress, events: Events, tls?: TlsClient, serverName?: string): Connection;
  /** Makes what TLS connections share before the first one is opened. Throws a ProxyError `tls.refused`. */
  prepare?(tls: TlsClient): void;
}

export type ListenAddress =
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly v6only?: boolean;
      /** No other process may listen there too, as a successor does that takes over. */
      readonly alone?: boolean;
    }
  | { readonly kind: 'unix'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'fd'; readonly fd: number };

/** `host` is a literal address: names are resolved before. */
export type ConnectAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** What both sides of TLS settle. Versions as the runtime names them: `TLSv1`, `TLSv1.1`, `TLSv1.2`, `TLSv1.3`. */
export interface TlsRules {
  /** Protocols for ALPN; none or empty leaves the extension out. */
  readonly alpn?: readonly string[];
  /** Ciphers up to TLS 1.2, as OpenSSL writes them. */
  readonly ciphers?: string;
  readonly minVersion?: string;
  readonly maxVersion?: string;
  /** Default: true. */
  readonly tickets?: boolean;
}

/** A certificate with its chain, and its key: PEM. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

/** How to speak TLS with clients. */
export interface TlsServer extends TlsRules {
  /** The first is shown to clients that name no server, or one that `choose` does not know. */
  readonly certificates: readonly TlsIdentity[];
  /** The index of the certificate for a name that a client asked for; undefined when there is none. */
  choose?(serverName: string): number | undefined;
  /** Refuse clients that `choose` finds no certificate for. */
  readonly strict?: boolean;
  /** Ask clients for a certificate of these authorities (PEM); `required` refuses those without. */
  readonly clients?: { readonly ca: string; readonly required: boolean };
  /** Connections that did not finish their handshake by then are closed. */
  readonly handshakeTimeoutMs?: number;
  /** Told of connections that did not come through their handshake. `openedAt`: milliseconds of the wall clock. */
  refused?(client: Connection, how: HandshakeEnd, openedAt: number): void;
}

/** `closed` by the client before it was over. */
export type HandshakeEnd = 'failed' | 'closed' | 'timeout';

/** How to speak TLS with a server. */
export interface TlsClient extends TlsRules {
  /** Name in the handshake; none leaves the extension out. `connect` may be given another one. */
  readonly serverName?: string;
  /** Whether its certificate must be good, and bear the name in the handshake, or else `verifyName`, if there is one. */
  readonly verify: boolean;
  readonly verifyName?: string;
  /** Authorities, PEM; without them the runtime's own. */
  readonly ca?: string;
  readonly identity?: TlsIdentity;
}

/**
 * Asked before a connection is accepted; false leaves it in the system's queue until `Listener.wake`. A transport that
 * cannot leave it there accepts all the same.
 */
export type HasRoom = () => boolean;

export interface Listener {
  /** The port really bound, for port 0. */
  readonly port: number;
  readonly fd: number;
  /** Stops accepting; connections live on. */
  stop(): void;
  /** There may be room again. */
  wake?(): void;
}

/** What a connection tells its owner. One object may own many connections only if it does not care which one speaks. */
export interface Events {
  opened(connection: Connection): void;
  /** Bytes arrived. They are valid during the call only: copy what must last. */
  data(bytes: Buffer): void;
  /** After a `write` that took less than it was given: there is room again. */
  drained(): void;
  /** The peer will send no more (FIN). Writing is still possible. */
  ended(): void;
  /** Gone, both ways; nothing follows. `failed`: it broke (reset, refused, unreachable) rather than being closed. */
  closed(failed: boolean, reason?: string): void;
}

export interface Connection {
  /** Replaced when a pooled connection changes hands. */
  events: Events;
  /**
   * Takes bytes from `bytes[offset, offset + length)`; returns how many (0 … length), −1 when the connection is gone.
   * What was not taken is the caller's to keep until `drained`.
   */
  write(bytes: Uint8Array, offset: number, length: number): number;
  /** Sends FIN after what was written; reading goes on. */
  finish(): void;
  /** Closes both ways after what was written. `events.closed` is not called any more. */
  close(): void;
  /** Closes at once with RST where the system can. `events.closed` is not called any more. */
  reset(): void;
  pause(): void;
  resume(): void;
  /** For messages; −1 or absent where there is none. */
  readonly fd?: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls?: {
    readonly sni?: string;
    readonly alpn?: string;
    readonly version?: string;
    readonly cipher?: string;
  };
}
