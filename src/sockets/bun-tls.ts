/**
 * TLS on Bun's sockets. What `Bun.listen` and `Bun.connect` take besides their documented options is used here and
 * nowhere else: contexts made once (`secureContext`), and the `serverName` handler, which chooses among them.
 */
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ProxyError } from '../errors.ts';
import { bearsName, type CertificateNames } from './certificate-names.ts';
import type { TlsClient, TlsIdentity, TlsRules, TlsServer } from './transport.ts';

/** The runtime's own; only it looks inside. */
type Context = unknown;

/** What a handshake left to look at. */
export interface TlsSocket {
  readonly alpnProtocol: string | false | null;
  getServername(): string | undefined;
  getTLSVersion(): string;
  getCipher(): { name: string | null } | undefined;
  getPeerCertificate(): CertificateNames | undefined;
  setSession(session: Buffer): void;
}

/** `code` of what is wrong with the peer's certificate, or with the handshake. */
export type HandshakeError = { readonly code?: string } | undefined | null;

// ── Clients' side ────────────────────────────────────────────────────────────────────────────────────────────────

/** @throws ProxyError `tls.refused` for certificates and ciphers that the runtime does not take */
export function listenOptions(tls: TlsServer) {
  const { clients } = tls;
  const asked = clients && { ca: clients.ca, requestCert: true, rejectUnauthorized: clients.required };
  const contexts = tls.certificates.map((identity) => context(tls, identity, asked));
  // Without a certificate of its own the listener has nothing to show to those whom `choose` finds none for.
  const fallback = tls.strict ? context(tls, undefined, asked) : contexts[0];
  return {
    tls: {
      secureContext: fallback,
      ALPNProtocols: wireFormat(tls.alpn),
      requestCert: clients !== undefined,
      rejectUnauthorized: clients?.required ?? false,
    },
    serverName:
      tls.choose === undefined ? undefined : (name: string) => contexts[tls.choose!(name) ?? -1] ?? fallback,
  };
}

/** Whether a client may come in: where certificates are asked for, one that is shown must be good. */
export function acceptsClient(
  { clients }: TlsServer,
  socket: TlsSocket,
  ok: boolean,
  error: HandshakeError,
): boolean {
  if (!ok) return false;
  if (clients === undefined || !error) return true;
  return !clients.required && socket.getPeerCertificate() === undefined;
}

// ── Servers' side ────────────────────────────────────────────────────────────────────────────────────────────────

/** What connections that are spoken to alike share. */
interface ClientState {
  readonly context: Context;
  /** The last session by server name: the next handshake is shorter with it. */
  readonly sessions: Map<string, Buffer>;
}

const states = new WeakMap<TlsClient, ClientState>();
/** Names come from requests: there may be many. */
const MOST_SESSIONS = 1000;

export function stateOf(tls: TlsClient): ClientState {
  let state = states.get(tls);
  if (state === undefined) {
    state = { context: context(tls, tls.identity, { ca: tls.ca, requestCert: true }), sessions: new Map() };
    states.set(tls, state);
  }
  return state;
}

export function connectOptions(tls: TlsClient, serverName: string | undefined) {
  return {
    secureContext: stateOf(tls).context,
    // Left out, the address would be sent as a name.
    serverName: serverName ?? '',
    ALPNProtocols: wireFormat(tls.alpn),
    // The runtime would compare the certificate with the address; `acceptsServer` judges instead.
    rejectUnauthorized: false,
  };
}

export function resumeSession(tls: TlsClient, serverName: string | undefined, socket: TlsSocket): void {
  const session = stateOf(tls).sessions.get(serverName ?? '');
  if (session !== undefined) socket.setSession(session);
}

export function keepSession(tls: TlsClient, serverName: string | undefined, session: Buffer): void {
  const { sessions } = stateOf(tls);
  if (sessions.size >= MOST_SESSIONS) sessions.clear();
  sessions.set(serverName ?? '', session);
}

export function acceptsServer(
  tls: TlsClient,
  serverName: string | undefined,
  socket: TlsSocket,
  error: HandshakeError,
): boolean {
  // Wrong names are reported as failures too, when nobody asked; only a handshake that is over has a cipher.
  if (!socket.getCipher()?.name) return false;
  if (!tls.verify) return true;
  if (error?.code !== undefined && error.code !== WRONG_NAME) return false;
  const name = serverName || tls.verifyName;
  const certificate = socket.getPeerCertificate();
  return certificate !== undefined && (name === undefined || bearsName(certificate, name));
}

const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

// ── Contexts ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** `SSL_OP_NO_TICKET` and `SSL_OP_CIPHER_SERVER_PREFERENCE`. */
const NO_TICKET = 0x4000;
const SERVER_PREFERENCE = 0x400000;

function context(rules: TlsRules, identity: TlsIdentity | undefined, peers: object | undefined): Context {
  const options = {
    ...identity,
    ...peers,
    ciphers: rules.ciphers,
    minVersion: rules.minVersion,
    maxVersion: rules.maxVersion,
    secureOptions: SERVER_PREFERENCE | (rules.tickets === false ? NO_TICKET : 0),
  };
  try {
    return createSecureContext(options as SecureContextOptions).context;
  } catch (error) {
    throw refusal(error as NodeJS.ErrnoException, rules);
  }
}

function refusal(error: NodeJS.ErrnoException, { ciphers }: TlsRules): ProxyError {
  const aboutCiphers = ['ERR_SSL_NO_CIPHER_MATCH', 'ERR_SSL_INVALID_COMMAND'].includes(error.code ?? '');
  return aboutCiphers
    ? new ProxyError(`none of the ciphers '${ciphers}' is known`, {
        code: 'tls.refused',
        hint: "write names as 'openssl ciphers' lists them",
        cause: error,
      })
    : new ProxyError(`TLS cannot be set up: ${error.message}`, { code: 'tls.refused', cause: error });
}

/** Names with their lengths before them (RFC 7301, section 3.1). */
function wireFormat(names: readonly string[] | undefined): Buffer | undefined {
  if (names === undefined || names.length === 0) return undefined;
  return Buffer.concat(names.flatMap((name) => [Buffer.of(name.length), Buffer.from(name, 'latin1')]));
}
