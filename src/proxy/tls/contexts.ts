/** From TLS settings to what the transport speaks by. */
import type { TlsClient, TlsRules, TlsServer } from '../../sockets/transport.ts';
import type { BindSettings, GlobalSettings, ProxySettings, ServerTls, SslOptions } from '../settings.ts';
import { chooseByName } from './names.ts';
import { type Version, versionRange } from './versions.ts';

export function tlsServer(
  ssl: NonNullable<BindSettings['ssl']>,
  { mode, timeouts }: Pick<ProxySettings, 'mode' | 'timeouts'>,
  global: GlobalSettings,
): TlsServer {
  const { certificates, verify = 'none', authorities, alpn, strictSni } = ssl;
  return {
    ...rules(global.sslDefaultBind, ssl.options, offered(alpn, mode)),
    certificates,
    choose: certificates.length > 1 || strictSni ? chooseByName(certificates) : undefined,
    strict: strictSni,
    clients: verify === 'none' ? undefined : { ca: authorities!, required: verify === 'required' },
    handshakeTimeoutMs: timeouts.client,
  };
}

/** `serverName`: the name in the handshake, where it is the same for each connection. */
export function tlsClient(
  { verify, verifyHost, authorities, identity, alpn, options }: ServerTls,
  mode: ProxySettings['mode'],
  global: GlobalSettings,
  serverName?: string,
): TlsClient {
  return {
    ...rules(global.sslDefaultServer, options, offered(alpn, mode)),
    serverName,
    verify: verify === 'required',
    verifyName: verifyHost,
    ca: authorities,
    identity,
  };
}

/** What goes over the connection is HTTP/1.1 unless the bytes are only passed on. */
function offered(
  alpn: readonly string[] | undefined,
  mode: ProxySettings['mode'],
): readonly string[] | undefined {
  return mode === 'http' ? alpn?.filter((name) => name.startsWith('http/')) : alpn;
}

/** What a line says goes before the defaults; versions that either rules out are ruled out. */
function rules(defaults: SslOptions, own: SslOptions, alpn: readonly string[] | undefined): TlsRules {
  const excluded = [...(defaults.excluded ?? []), ...(own.excluded ?? [])];
  const options = { ...defaults, ...own, excluded };
  const { min, max } = versionRange(options);
  return {
    alpn,
    ciphers: cipherList(options.ciphers),
    minVersion: runtimeName(min),
    maxVersion: runtimeName(max),
    tickets: options.noTickets !== true,
  };
}

/** The runtime names the first TLS `TLSv1`, and knows nothing older. */
function runtimeName(name: Version): string {
  return name === 'SSLv3' || name === 'TLSv1.0' ? 'TLSv1' : name;
}

/** Without what only OpenSSL knows: security levels, and the system's profile that Red Hat's configurations name. */
function cipherList(list: string | undefined): string | undefined {
  const known = list
    ?.split(/[:, ]/)
    .filter((each) => each !== '' && !each.startsWith('@SECLEVEL=') && !each.startsWith('PROFILE='));
  return known === undefined || known.length === 0 ? undefined : known.join(':');
}
