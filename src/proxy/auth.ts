/**
 * Users and their passwords (HAProxy manual, section 3.4): plain text after `insecure-password`, crypt(3) hashes
 * after `password`. SHA-256 and SHA-512 crypt (`$5$`, `$6$`) are computed here; slow by design, so what was once
 * found right is remembered by a digest.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Head, HeaderName } from './http1/head.ts';
import { headerName } from './http1/head.ts';
import type { Userlist } from './settings.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What `Authorization: Basic …` carries (RFC 7617); undefined when there is none or it is malformed. */
export function basicCredentials(head: Head, name: HeaderName = AUTHORIZATION): Credentials | undefined {
  const match = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(head.get(name) ?? '');
  if (match === null) return undefined;
  const text = Buffer.from(match[1]!, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Whether a list knows the user by this password. */
export function isUser(list: Userlist, credentials: Credentials): boolean {
  const entry = list.users.get(credentials.user);
  if (entry?.password === undefined) return false;
  if (entry.insecure) return equal(entry.password, credentials.password);
  return verifyCrypt(credentials.password, entry.password);
}

/** Names of the groups that a user is in. */
export function groupsOf(list: Userlist, user: string): readonly string[] {
  const groups = [...(list.users.get(user)?.groups ?? [])];
  for (const [name, group] of list.groups)
    if (group.users.includes(user) && !groups.includes(name)) groups.push(name);
  return groups;
}

/** A complaint about a hash that cannot be checked here, or undefined. */
export function checkHash(hash: string): string | undefined {
  return parseCrypt(hash) === undefined
    ? 'only SHA-256 and SHA-512 crypt passwords ($5$…, $6$…) are supported; mkpasswd -m sha-512 makes them'
    : undefined;
}

/** Compares a password with its crypt(3) hash. */
export function verifyCrypt(password: string, hash: string): boolean {
  // Remembered under a key of this process only, so that memory holds no plain text.
  const key = createHash('sha256')
    .update(PROCESS_KEY)
    .update(hash)
    .update('\0')
    .update(password, 'latin1')
    .digest('hex');
  if (verified.has(key)) return true;
  const parsed = parseCrypt(hash);
  if (parsed === undefined) return false;
  if (!equal(shaCrypt(password, parsed.salt, parsed.bits, parsed.rounds), parsed.digest)) return false;
  if (verified.size >= 1024) verified.clear();
  verified.add(key);
  return true;
}

/**
 * The digest part of SHA crypt, "Unix crypt using SHA-256 and SHA-512" (Ulrich Drepper, version 0.6). `password` and
 * `salt` are latin1 text; `rounds` is 5000 when a hash says none.
 */
function shaCrypt(password: string, salt: string, bits: 256 | 512, rounds: number): string {
  const size = bits / 8;
  const digest = (...parts: Uint8Array[]) => {
    const hash = createHash(`sha${bits}`);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const p = Buffer.from(password, 'latin1');
  const s = Buffer.from(salt, 'latin1');

  const b = digest(p, s, p);
  const a: Uint8Array[] = [p, s, repeat(b, p.length)];
  for (let n = p.length; n > 0; n >>= 1) a.push(n & 1 ? b : p);
  let c = digest(...a);

  const dp = repeat(digest(...Array<Buffer>(p.length).fill(p)), p.length);
  const ds = repeat(digest(...Array<Buffer>(16 + c[0]!).fill(s)), s.length);
  for (let round = 0; round < rounds; round++) {
    const parts: Uint8Array[] = [round & 1 ? dp : c];
    if (round % 3 !== 0) parts.push(ds);
    if (round % 7 !== 0) parts.push(dp);
    parts.push(round & 1 ? c : dp);
    c = digest(...parts);
  }
  return encode(c, size);
}

const AUTHORIZATION = headerName('authorization');
const PROCESS_KEY = randomBytes(32);
const verified = new Set<string>();

function parseCrypt(hash: string) {
  const match = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})[^$]*\$([./0-9A-Za-z]+)$/.exec(hash);
  if (match === null) return undefined;
  const bits = match[1] === '5' ? 256 : 512;
  if (match[4]!.length !== (bits === 256 ? 43 : 86)) return undefined;
  const rounds = match[2] === undefined ? 5000 : Math.min(999_999_999, Math.max(1000, Number(match[2])));
  return { bits, rounds, salt: match[3]!, digest: match[4]! } as const;
}

/** `bytes` over and over, cut to `length`. */
function repeat(bytes: Uint8Array, length: number): Buffer {
  const out = Buffer.alloc(length);
  for (let i = 0; i < length; i++) out[i] = bytes[i % bytes.length]!;
  return out;
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * crypt's base 64 takes three bytes at a time, a third of the digest apart, and turns the order of the three from
 * group to group: one step for SHA-256, two for SHA-512.
 */
function encode(digest: Buffer, size: number): string {
  const third = Math.floor(size / 3);
  let out = '';
  const put = (value: number, characters: number) => {
    for (; characters > 0; characters--, value >>= 6) out += ALPHABET[value & 63];
  };
  for (let i = 0; i < third; i++) {
    const triple = [digest[i]!, digest[i + third]!, digest[i + 2 * third]!];
    const turn = size === 32 ? (3 - (i % 3)) % 3 : i % 3;
    put((triple[turn]! << 16) | (triple[(turn + 1) % 3]! << 8) | triple[(turn + 2) % 3]!, 4);
  }
  if (size === 32) put((digest[31]! << 8) | digest[30]!, 3);
  else put(digest[63]!, 2);
  return out;
}

function equal(a: string, b: string): boolean {
  const left = createHash('sha256').update(a, 'latin1').digest();
  const right = createHash('sha256').update(b, 'latin1').digest();
  return timingSafeEqual(left, right);
}
