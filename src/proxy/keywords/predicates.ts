/** What `.if` and `-cc` may ask (manual, section 2.4). The engine answers as the HAProxy that it follows. */
import type { PredicateRow } from '../../config/predicates.ts';
import { FOLLOWS } from '../identity.ts';

/** What `feature(…)` finds, of the names that HAProxy's build lists. */
const FEATURES = ['OPENSSL', 'GETADDRINFO', 'ACCEPT4'];

export const PREDICATES: readonly PredicateRow[] = [
  {
    keyword: 'defined',
    usage: 'defined(<name>)',
    doc: 'The environment variable exists',
    args: 1,
    evaluate: ([name], environment) => environment.has(name!),
  },
  {
    keyword: 'enabled',
    usage: 'enabled(<option>)',
    doc: 'An inner option of HAProxy is on; none is here',
    args: 1,
    evaluate: () => false,
  },
  {
    keyword: 'feature',
    usage: 'feature(<name>)',
    doc: 'The engine has the feature',
    args: 1,
    evaluate: ([name]) => FEATURES.includes(name!),
  },
  {
    keyword: 'streq',
    usage: 'streq(<text>,<text>)',
    doc: 'Both texts are the same',
    args: 2,
    evaluate: ([a, b]) => a === b,
  },
  {
    keyword: 'strneq',
    usage: 'strneq(<text>,<text>)',
    doc: 'The texts differ',
    args: 2,
    evaluate: ([a, b]) => a !== b,
  },
  {
    keyword: 'strstr',
    usage: 'strstr(<text>,<part>)',
    doc: 'The text contains the part',
    args: 2,
    evaluate: ([text, part]) => text!.includes(part!),
  },
  {
    keyword: 'version_atleast',
    usage: 'version_atleast(<version>)',
    doc: 'The version is this or newer',
    args: 1,
    evaluate: ([version]) => compareVersions(FOLLOWS, version!) >= 0,
  },
  {
    keyword: 'version_before',
    usage: 'version_before(<version>)',
    doc: 'The version is older',
    args: 1,
    evaluate: ([version]) => compareVersions(FOLLOWS, version!) < 0,
  },
  {
    keyword: 'openssl_version_atleast',
    usage: 'openssl_version_atleast(<version>)',
    doc: 'The TLS library speaks like this version of OpenSSL or a newer one',
    args: 1,
    evaluate: ([version]) => compareVersions(OPENSSL_VERSION, version!) >= 0,
  },
  {
    keyword: 'openssl_version_before',
    usage: 'openssl_version_before(<version>)',
    doc: 'The TLS library speaks like an older version of OpenSSL',
    args: 1,
    evaluate: ([version]) => compareVersions(OPENSSL_VERSION, version!) < 0,
  },
  {
    keyword: 'ssllib_name_startswith',
    usage: 'ssllib_name_startswith(<name>)',
    doc: 'The name of the TLS library begins so',
    args: 1,
    evaluate: ([name]) => 'BoringSSL'.startsWith(name!),
  },
];

/** BoringSSL, which the engine has, presents itself as this version. */
const OPENSSL_VERSION = '1.1.1';

/** Negative, zero or positive. Missing components count as zero; `-dev19` comes before the release. */
function compareVersions(a: string, b: string): number {
  const [x, y] = [components(a), components(b)];
  for (let i = 0; i < 4; i++) if (x[i] !== y[i]) return x[i]! - y[i]!;
  return 0;
}

function components(version: string): [number, number, number, number] {
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-dev(\d+))?/.exec(version);
  if (match === null) return [0, 0, 0, 0];
  const release = match[4] === undefined ? Number.MAX_SAFE_INTEGER : Number(match[4]);
  return [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0), release];
}
