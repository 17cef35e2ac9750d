import { createHmac } from 'node:crypto';

/** A line of known_hosts, as sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", describes it. */
export interface KnownHost {
  /** `a,b*,!c`, or `|1|salt|hash`. */
  readonly hosts: string;
  readonly type: string;
  /** Base64 of the key's blob. */
  readonly key: string;
  readonly revoked: boolean;
}

export type Verdict = 'known' | 'unknown' | 'changed' | 'revoked';

/** The lines of known_hosts that name a key; those of certificate authorities are left out. */
export function parseKnownHosts(text: string): KnownHost[] {
  return text.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [hosts, type, key] = words;
    if (!hosts || hosts.startsWith('#') || !type || !key || marker === '@cert-authority') return [];
    return [{ hosts, type, key, revoked: marker === '@revoked' }];
  });
}

/** What known_hosts says of a key (its blob) that a host shows. A key of another type than the known one is a change. */
export function judge(entries: readonly KnownHost[], name: string, blob: Buffer): Verdict {
  const key = blob.toString('base64');
  const own = entries.filter(({ hosts }) => matches(hosts, name));
  if (own.some((entry) => entry.revoked && entry.key === key)) return 'revoked';
  const trusted = own.filter(({ revoked }) => !revoked);
  if (trusted.some((entry) => entry.key === key)) return 'known';
  return trusted.length > 0 ? 'changed' : 'unknown';
}

/** Types of the keys that are known of a host: those to ask it for first. */
export function knownTypes(entries: readonly KnownHost[], name: string): string[] {
  return entries.filter(({ hosts, revoked }) => !revoked && matches(hosts, name)).map(({ type }) => type);
}

/** How known_hosts calls a server: the host alone on port 22, else `[host]:port`. */
export function knownName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** A line to add. */
export function knownHostLine(name: string, blob: Buffer): string {
  return `${name} ${typeOf(blob)} ${blob.toString('base64')}\n`;
}

/** The type a key's blob begins with: a string as RFC 4251, section 5, writes it. */
export function typeOf(blob: Buffer): string {
  return blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1');
}

function matches(hosts: string, name: string): boolean {
  if (hosts.startsWith('|1|')) {
    const [, , salt, hash] = hosts.split('|');
    return (
      createHmac('sha1', Buffer.from(salt ?? '', 'base64'))
        .update(name)
        .digest('base64') === hash
    );
  }
  const patterns = hosts.toLowerCase().split(',');
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1), name))) return false;
  return patterns.some((pattern) => fits(pattern, name));
}

/** `*` any run of characters, `?` one. */
function fits(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}
