/** Fetches that read the client's connection (manual, sections 7.3.3 and 7.3.4). */
import type { FetchRow, Sample, SampleType } from '../../expressions.ts';
import type { Client, Transaction } from '../../transaction.ts';

export const CONNECTION_FETCHES: readonly FetchRow[] = [
  ofClient('src', 'ip', "The client's address.", (c) => c.address || undefined),
  ofClient('src_port', 'int', "The client's port.", (c) => c.port),
  ofClient('dst', 'ip', 'The address that the client connected to.', (c) => c.localAddress || undefined),
  ofClient('dst_port', 'int', 'The port that the client connected to.', (c) => c.localPort),
  ofClient('fc_src', 'ip', "The client's address.", (c) => c.address || undefined),
  ofClient('fc_src_port', 'int', "The client's port.", (c) => c.port),
  ofClient('fc_dst', 'ip', 'The address that the client connected to.', (c) => c.localAddress || undefined),
  ofClient('fc_dst_port', 'int', 'The port that the client connected to.', (c) => c.localPort),
  ofClient('src_is_local', 'bool', "Whether the client's address is one of this machine.", (c) =>
    isLoopback(c.address),
  ),
  ofClient('dst_is_local', 'bool', 'Whether the address connected to is one of this machine.', (c) =>
    isLoopback(c.localAddress),
  ),
  of(
    'dst_conn',
    'int',
    "Number of sessions on the frontend's listeners now.",
    (tx) => tx.frontend.counters.scur,
  ),
  of('fc_err', 'int', "Number of the error on the client's connection: 0, as it came this far.", () => 0),
  ofClient('ssl_fc_err', 'int', 'Number of the TLS error: 0, as the handshake went well.', (c) => noError(c)),
  ofClient('ssl_c_err', 'int', "Number of the error in the client's certificate: 0.", (c) => noError(c)),
  ofClient('ssl_c_ca_err', 'int', "Number of the error in the client certificate's chain: 0.", (c) =>
    noError(c),
  ),
  ofClient(
    'ssl_fc_is_resumed',
    'bool',
    'Whether the TLS session was resumed: not told by the runtime.',
    () => false,
  ),
  of('fc_http_major', 'int', "Major version of HTTP on the client's side: 1.", () => 1),
  ofClient('ssl_fc', 'bool', 'Whether the client came over TLS.', (c) => c.secure),
  ofClient('ssl_fc_sni', 'str', 'The server name that the client asked for in TLS.', (c) => c.sni),
  ofClient('ssl_fc_has_sni', 'bool', 'Whether the client named a server in TLS.', (c) => c.sni !== undefined),
  ofClient('ssl_fc_alpn', 'str', 'The protocol agreed on in TLS.', (c) => c.alpn),
  ofClient('ssl_fc_protocol', 'str', 'The TLS version: TLSv1.3.', (c) => c.tlsVersion),
  ofClient('ssl_fc_cipher', 'str', 'The TLS cipher.', (c) => c.tlsCipher),
];

function ofClient(
  keyword: string,
  type: SampleType,
  doc: string,
  read: (client: Client) => Sample,
): FetchRow {
  return of(keyword, type, doc, (tx) => read(tx.client));
}

function of(keyword: string, type: SampleType, doc: string, read: (tx: Transaction) => Sample): FetchRow {
  const check = (args: readonly string[]) => (args.length === 0 ? undefined : 'takes no arguments');
  return { keyword, usage: '', doc, type, phase: 'connection', check, compile: () => read };
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}

/** Handshakes that fail never get as far as a fetch. */
function noError(client: Client): Sample {
  return client.secure ? 0 : undefined;
}
