import { basename } from 'node:path';
import { certificateNames } from '../../credentials/names.ts';
import { AUTHORITY_PATH, TLS_PATHS } from '../../render/tls-files.ts';
import type { TlsFiles } from '../../render/view.ts';
import { quote } from '../../text.ts';
import type { Topology } from '../../topology/topology.ts';

/** The password of the statistics page, in the script. */
export const PASSWORD_VARIABLE = 'STATS_PASSWORD';

/** What stands for the contents of the TLS files: the script makes them, and pushes them as they are. */
export function tlsStandIn({ balancer: { tls } }: Topology): TlsFiles | undefined {
  if (!tls) return undefined;
  const text = 'made by the script\n';
  const made = { certificate: text, key: text };
  if (tls.given) return { ...made, authority: tls.given.authority && text };
  return { ...made, pkcs12: text, authority: text };
}

/** Where the script has the content of a node's TLS file; undefined for any other file. */
export function tlsSource(path: string): string | undefined {
  return TLS_PATHS.includes(path) ? `"$tls/${basename(path)}"` : undefined;
}

/** The password in the preamble: asked for where the topology has one, else made. */
export function passwordLines({ stats }: Topology['balancer']): string[] {
  if (stats?.user === undefined) return [];
  const name = PASSWORD_VARIABLE;
  return stats.password === undefined
    ? [
        '# The password of the statistics page: yours from the environment, or one that is made here.',
        `${name}=\${${name}:-$(od -An -N10 -tx1 /dev/urandom | tr -d ' \\n')}`,
        `case $${name} in *[!A-Za-z0-9_.:/@+,=~-]*) echo '${name}: letters, digits and _.:/@+,=~- only' >&2; exit 1 ;; esac`,
      ]
    : [
        '# The password of the statistics page comes from the environment.',
        `: "\${${name}:?say it: ${name}=… bash this-script}"`,
      ];
}

/**
 * Makes the TLS files in a folder that goes when the script ends, as the tutorial does: key, request, certificate, all
 * in one, PKCS#12. Addresses are known by then: `variable` names those of nodes.
 */
export function certificateLines(topology: Topology, variable: (node: string) => string): string[] {
  const { tls } = topology.balancer;
  if (!tls) return [];
  const folder = ['tls=$(mktemp -d)', `trap 'rm -rf "$tls"' EXIT`];
  const whole = 'cat "$tls/crt.pem" "$tls/key.pem" >"$tls/cert.pem"';
  if (tls.given) {
    const { certificate, key = certificate, authority } = tls.given;
    const certificates = `sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p'`;
    return [
      ...folder,
      `openssl pkey -in ${quote(key)} -out "$tls/key.pem"`,
      `${certificates} ${quote(certificate)} >"$tls/crt.pem"`,
      whole,
      ...(authority ? [`cat ${quote(authority)} >"$tls/ca.pem"`] : []),
    ];
  }
  const names = alternatives(topology, variable);
  const first = names.find(({ kind, value }) => kind === 'DNS' && value.length <= 64)?.value ?? 'lablb';
  const subject = (name: string): string => quote(`/CN=${name.slice(0, 64)}/O=lablb`);
  const config = `-config <(printf '[req]\\ndistinguished_name=dn\\n[dn]\\n')`;
  return [
    ...folder,
    '# An authority of the lab’s own. Its key stays on this machine.',
    `openssl req -x509 -newkey rsa:2048 -nodes -days 3650 ${config} \\`,
    `  -subj ${subject(`lablb authority of ${topology.name}`)} -keyout "$tls/ca.key" -out "$tls/ca.pem" \\`,
    `  -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign -addext subjectKeyIdentifier=hash`,
    '# A key and a request, a certificate for every name and address of the lab, all in one file, and as PKCS#12.',
    `openssl req -newkey rsa:2048 -nodes ${config} -subj ${subject(first)} -keyout "$tls/key.pem" -out "$tls/request.pem"`,
    `names="${names.map(({ kind, value }) => `${kind}:${value}`).join(',')}"`,
    `openssl x509 -req -in "$tls/request.pem" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days ${tls.days} -sha256 -out "$tls/crt.pem" \\`,
    `  -extfile <(printf '%s\\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature,keyEncipherment \\`,
    `    extendedKeyUsage=serverAuth subjectKeyIdentifier=hash authorityKeyIdentifier=keyid "subjectAltName=$names")`,
    whole,
    'openssl pkcs12 -export -in "$tls/crt.pem" -inkey "$tls/key.pem" -certfile "$tls/ca.pem" -passout pass: -out "$tls/cert.p12"',
  ];
}

/** Hands over to lablb what the script has made: kept as `up` keeps it, for this user alone. */
export function keepLines({ name, balancer }: Topology): string[] {
  const { tls, stats } = balancer;
  const madePassword = stats?.user !== undefined && stats.password === undefined;
  const madeTls = tls !== undefined && !tls.given;
  if (!madePassword && !madeTls) return [];
  const password = `"statsPassword": "$${PASSWORD_VARIABLE}"`;
  const pair = (certificate: string, key: string): string =>
    `"certificate": "$(text ${certificate})", "key": "$(text ${key})"`;
  const kept = [
    ...(madePassword ? [`  ${password}`] : []),
    ...(madeTls
      ? [
          `  "tls": {\n    "authority": { ${pair('ca.pem', 'ca.key')} },\n    "server": { ${pair('crt.pem', 'key.pem')},\n      "pkcs12": "$(base64 -w0 "$tls/cert.p12")", "days": ${tls.days},\n      "names": [$(sed -E 's/(DNS|IP):([^,]*)/"\\2"/g' <<<"$names")] } }`,
        ]
      : []),
  ];
  return [
    'kept=${XDG_STATE_HOME:-$HOME/.local/state}/lablb/' + name,
    '(umask 022; mkdir -p "$kept")',
    ...(madeTls ? [`text() { sed 's/$/\\\\n/' "$tls/$1" | tr -d '\\n'; }`] : []),
    `(umask 077; cat >"$kept/credentials.json") <<END\n{\n${kept.join(',\n')}\n}\nEND`,
    ...(madeTls ? [`install -m 644 "$tls/${basename(AUTHORITY_PATH)}" "$kept/ca.pem"`] : []),
  ];
}

interface Alternative {
  readonly kind: 'DNS' | 'IP';
  /** An address may be a variable of the script. */
  readonly value: string;
}

/** What `up` would have the certificate be for. */
function alternatives(topology: Topology, variable: (node: string) => string): Alternative[] {
  // Names come in lower case: these have none to lose.
  const marks = new Map(topology.nodes.map(({ name }, i) => [name, `\0${i}`]));
  return certificateNames(topology, marks).map((name): Alternative => {
    if (name.startsWith('\0'))
      return { kind: 'IP', value: `\${${variable(topology.nodes[Number(name.slice(1))]!.name)}}` };
    return { kind: /^\d+\.\d+\.\d+\.\d+$/.test(name) ? 'IP' : 'DNS', value: name };
  });
}
