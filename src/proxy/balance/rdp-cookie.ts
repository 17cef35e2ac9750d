/**
 * `balance rdp-cookie`: by the cookie in the first packet of a remote desktop connection. Wants `tcp-request content`
 * rules with an inspect delay, so that the packet is here when the server is chosen.
 */
import type { Backend } from '../model.ts';
import type { Transaction } from '../transaction.ts';
import { hashFunction, hashPolicy, NO_KEY } from './hashing.ts';
import type { Policy } from './policy.ts';

export function hashRdpCookie(backend: Backend): Policy {
  const name = Buffer.from((backend.settings.balance.args[0] ?? 'mstshash').toLowerCase(), 'latin1');
  const hash = hashFunction(backend.settings);
  return hashPolicy(backend, (tx) => {
    const start = valueStart(tx, name);
    if (start < 0) return NO_KEY;
    const end = valueEnd(tx, start);
    return end <= start ? NO_KEY : hash(tx.payload, start, end);
  });
}

/** TPKT header (4 bytes), X.224 connection request (7 bytes, code 0xe0), then the cookie line (MS-RDPBCGR, 2.2.1.1). */
const LINE = 11;
const COOKIE = Buffer.from('cookie:');
const SPACE = 32;
const SEMICOLON = 59;
const EQUALS = 61;

function valueStart({ payload, payloadLength }: Transaction, name: Uint8Array): number {
  if (payloadLength <= LINE || payload[0] !== 3 || payload[5] !== 0xe0) return -1;
  if (!isAt(COOKIE, payload, LINE, payloadLength)) return -1;
  let at = LINE + COOKIE.length;
  while (at < payloadLength && payload[at] === SPACE) at++;
  if (!isAt(name, payload, at, payloadLength)) return -1;
  at += name.length;
  return payload[at] === EQUALS && at < payloadLength ? at + 1 : -1;
}

/** −1 while the line is not complete. */
function valueEnd({ payload, payloadLength }: Transaction, start: number): number {
  for (let at = start; at < payloadLength; at++)
    if (payload[at] === SEMICOLON || payload[at]! < SPACE) return at;
  return -1;
}

function isAt(lower: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  if (at + lower.length > end) return false;
  for (let i = 0; i < lower.length; i++) {
    const c = bytes[at + i]!;
    if ((c >= 65 && c <= 90 ? c + 32 : c) !== lower[i]) return false;
  }
  return true;
}
