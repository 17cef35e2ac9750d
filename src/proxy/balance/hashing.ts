/** What all policies that hash something of the request have in common: `hash-type` (manual, section 4.2). */
import { avalanche, crc32, djb2, sdbm, wt6 } from '../acl/converters/hash.ts';
import type { Backend } from '../model.ts';
import type { ProxySettings } from '../settings.ts';
import type { Transaction } from '../transaction.ts';
import type { Policy } from './policy.ts';
import { Ring } from './ring.ts';
import { SlotTable } from './slot-table.ts';

/** The hash of what the policy looks at, unsigned, 32 bits; −1 when the request has none of it: then in turn. */
export type Key = (tx: Transaction) => number;

export const NO_KEY = -1;

export function hashPolicy(backend: Backend, key: Key): Policy {
  return backend.settings.hashType?.method === 'consistent'
    ? consistent(backend, key)
    : mapBased(backend, key);
}

/** Hashes [start, end) of `bytes` with the function that `hash-type` names. */
export type HashBytes = (bytes: Uint8Array, start: number, end: number) => number;

export function hashFunction({ hashType }: ProxySettings): HashBytes {
  const hash = FUNCTIONS[hashType?.function ?? 'sdbm'];
  if (hash === undefined) throw new Error(`no hash function '${hashType?.function}'`);
  if (hashType?.modifier !== 'avalanche') return hash;
  return (bytes, start, end) => avalanche(hash(bytes, start, end));
}

const FUNCTIONS: Readonly<Record<string, HashBytes>> = { sdbm, djb2, wt6, crc32, none: decimal };

/** `hash-type … none`: the key is a number already. Digits count up to the first that is none. */
function decimal(bytes: Uint8Array, start: number, end: number): number {
  const negative = start < end && bytes[start] === 45;
  let hash = 0;
  for (let i = start + (negative ? 1 : 0); i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) break;
    hash = (Math.imul(hash, 10) + digit) | 0;
  }
  return (negative ? -hash : hash) >>> 0;
}

/** A server that failed the request is asked again: its slot knows no other, as in HAProxy. */
function mapBased(backend: Backend, key: Key): Policy {
  const table = new SlotTable(backend);
  return {
    bindsRequests: true,
    pick(tx, full) {
      const hash = key(tx);
      return hash === NO_KEY ? table.next(full) : table.at(hash);
    },
    serverChanged: () => table.rebuild(),
  };
}

function consistent(backend: Backend, key: Key): Policy {
  const ring = new Ring(backend);
  return {
    bindsRequests: true,
    pick(tx, full) {
      const hash = key(tx);
      return hash === NO_KEY ? ring.next(full) : ring.nearest(hash, tx.server);
    },
    serverChanged: () => ring.rebuild(),
  };
}
