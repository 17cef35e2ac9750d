import type { FileSpec } from '../providers/provider.ts';
import type { Topology, TopologyNode } from '../topology/topology.ts';
import { HIDDEN } from './placeholder.ts';
import type { NodeView, TlsFiles } from './view.ts';

const FOLDER = '/etc/haproxy/tls';
/** Certificate and key in one: what `bind … ssl crt` reads. */
export const CERTIFICATE_PATH = `${FOLDER}/cert.pem`;
/** What a client is to trust: `curl --cacert`. */
export const AUTHORITY_PATH = `${FOLDER}/ca.pem`;
const KEY_PATH = `${FOLDER}/key.pem`;
const CHAIN_PATH = `${FOLDER}/crt.pem`;
const PKCS12_PATH = `${FOLDER}/cert.p12`;
/** All that change when the certificate does. */
export const TLS_PATHS: readonly string[] = [
  KEY_PATH,
  CHAIN_PATH,
  CERTIFICATE_PATH,
  PKCS12_PATH,
  AUTHORITY_PATH,
];

/** The tutorial's files on a proxy node: whatever holds the key is for root alone. */
export function tlsFiles(topology: Topology, node: TopologyNode, view: NodeView): FileSpec[] {
  const files = filesOf(topology, view);
  if (!files) return [];
  const { certificate, key, pkcs12 } = files;
  return [
    { path: KEY_PATH, content: key, mode: 0o600 },
    { path: CHAIN_PATH, content: certificate },
    { path: CERTIFICATE_PATH, content: `${certificate}${key}`, mode: 0o600 },
    ...(pkcs12 ? [{ path: PKCS12_PATH, content: pkcs12, mode: 0o600 }] : []),
    ...authorityFile(topology, node, view),
  ];
}

/** The authority's certificate, also where requests are sent from. */
export function authorityFile(topology: Topology, _: TopologyNode, view: NodeView): FileSpec[] {
  const authority = filesOf(topology, view)?.authority;
  return authority === undefined ? [] : [{ path: AUTHORITY_PATH, content: authority }];
}

function filesOf({ balancer: { tls } }: Topology, { credentials }: NodeView): TlsFiles | undefined {
  if (!tls) return undefined;
  if (credentials?.tls) return credentials.tls;
  const made = `# ${HIDDEN} made by 'lablb up', kept in the lab's state folder\n`;
  if (tls.given)
    return { certificate: HIDDEN_LINE, key: HIDDEN_LINE, authority: tls.given.authority && HIDDEN_LINE };
  return { certificate: made, key: made, pkcs12: made, authority: made };
}

const HIDDEN_LINE = `# ${HIDDEN} from the file that the topology names\n`;
