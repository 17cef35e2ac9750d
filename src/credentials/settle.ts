import { randomInt, X509Certificate } from 'node:crypto';
import type { Credentials } from '../render/view.ts';
import { plural } from '../text.ts';
import type { Topology } from '../topology/topology.ts';
import type { Pair } from './certificates.ts';
import { certificateNames } from './names.ts';

/** What lablb made for a lab: kept in the lab's state folder, never in its record. */
export interface Kept {
  readonly statsPassword?: string;
  readonly tls?: KeptTls;
}

interface KeptTls {
  readonly authority: Pair;
  readonly server: Pair & {
    /** PKCS#12, base64: its salts are drawn once, so that the file stays the same. */
    readonly pkcs12: string;
    readonly names: readonly string[];
    readonly days: number;
  };
}

export interface Settled {
  /** What the nodes are given. */
  readonly credentials: Credentials;
  /** What is to be kept from now on: the same object when nothing had to be made. */
  readonly kept: Kept;
  /** Why the certificate is another than before; undefined for the first one, and when it is the same. */
  readonly because?: string;
}

/** What the user's own PEM files hold. */
export interface GivenTls {
  readonly certificate: string;
  readonly key: string;
  readonly authority?: string;
}

export interface Circumstances {
  readonly addresses: ReadonlyMap<string, string>;
  readonly kept: Kept;
  readonly given?: GivenTls;
  readonly now: Date;
}

/** What a lab needs and its topology does not say: as it is kept, made anew where it is not there or no longer fits. */
export async function settleCredentials(topology: Topology, at: Circumstances): Promise<Settled> {
  const { stats, tls } = topology.balancer;
  const lacksPassword = stats?.user !== undefined && stats.password === undefined;
  const statsPassword = lacksPassword ? (at.kept.statsPassword ?? newPassword()) : undefined;
  const kept =
    statsPassword === undefined || statsPassword === at.kept.statsPassword
      ? at.kept
      : { ...at.kept, statsPassword };
  if (!tls) return { credentials: { statsPassword }, kept };
  if (tls.given) return { credentials: { statsPassword, tls: at.given }, kept };
  const { made, because } = await settleTls(topology, at);
  const { authority, server } = made;
  return {
    credentials: {
      statsPassword,
      tls: {
        certificate: server.certificate,
        key: server.key,
        pkcs12: Buffer.from(server.pkcs12, 'base64'),
        authority: authority.certificate,
      },
    },
    kept: made === kept.tls ? kept : { ...kept, tls: made },
    because,
  };
}

async function settleTls(
  topology: Topology,
  { addresses, kept: { tls: kept }, now }: Circumstances,
): Promise<{ made: KeptTls; because?: string }> {
  const names = certificateNames(topology, addresses);
  const { days } = topology.balancer.tls!;
  const everyAddress = topology.nodes.every(({ name }) => addresses.has(name));
  const because = kept && reasonForAnother(kept, { names, days, everyAddress, now });
  if (kept && because === undefined) return { made: kept };
  const { makeAuthority, makeServer, pkcs12Of } = await import('./certificates.ts'); // slow to load
  const authority =
    kept && daysLeft(kept.authority, now) >= days ? kept.authority : await makeAuthority(topology.name, now);
  const server = await makeServer(authority, names, days, now);
  const pkcs12 = Buffer.from(pkcs12Of(server, authority)).toString('base64');
  return { made: { authority, server: { ...server, pkcs12, names, days } }, because };
}

interface Wanted {
  readonly names: readonly string[];
  readonly days: number;
  /** Whether every node's address is known: while some are not, names too many are no fault. */
  readonly everyAddress: boolean;
  readonly now: Date;
}

/** A clause for the plan's "because …"; undefined when the certificate may stay. */
function reasonForAnother({ server, authority }: KeptTls, wanted: Wanted): string | undefined {
  const lacking = wanted.names.filter((name) => !server.names.includes(name));
  if (lacking.length > 0) return `the certificate is not for ${some(lacking)}`;
  const needless = server.names.filter((name) => !wanted.names.includes(name));
  if (needless.length > 0 && wanted.everyAddress)
    return `the certificate is for ${some(needless)}, which the lab no longer has`;
  if (server.days !== wanted.days)
    return `the certificate is for ${plural(server.days, 'day')}, and should be for ${wanted.days}`;
  const left = Math.min(daysLeft(server, wanted.now), daysLeft(authority, wanted.now));
  if (left >= renewalDays(wanted.days)) return undefined;
  return left < 0
    ? 'the certificate has ended'
    : `the certificate ends in ${plural(Math.floor(left), 'day')}`;
}

/** Another certificate is made this many days before the end: a month, or the last third of a short life. */
export function renewalDays(days: number): number {
  return Math.min(30, days / 3);
}

/** Days until a certificate ends, with their fraction; negative afterwards. */
export function daysLeft({ certificate }: Pick<Pair, 'certificate'>, now: Date): number {
  return (Date.parse(new X509Certificate(certificate).validTo) - now.getTime()) / (24 * 60 * 60 * 1000);
}

function some(names: readonly string[]): string {
  const [first, second, ...others] = names;
  return [first, second, others.length > 0 ? `${others.length} more` : undefined].filter(Boolean).join(', ');
}

/** No characters that look alike, and none that a shell or a URL would take for something. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

function newPassword(): string {
  return Array.from({ length: 20 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}
