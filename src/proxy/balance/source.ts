/** `balance source`: by the address of the client. `hash-type` says nothing here but how to spread and to look up. */
import { parseAddress } from '../acl/address.ts';
import { avalanche } from '../acl/converters/hash.ts';
import type { Backend } from '../model.ts';
import { hashPolicy, NO_KEY } from './hashing.ts';
import type { Policy } from './policy.ts';

export function hashSource(backend: Backend): Policy {
  const spread = backend.settings.hashType?.modifier === 'avalanche';
  return hashPolicy(backend, (tx) => {
    const hash = addressHash(tx.client.address);
    return spread && hash !== NO_KEY ? avalanche(hash) : hash;
  });
}

/** An IPv4 address is its own hash, the four words of an IPv6 one are folded; a Unix socket's peer has none. */
function addressHash(text: string): number {
  const address = parseAddress(text);
  if (address === undefined) return NO_KEY;
  const [a, b, c, d] = address.words;
  return address.family === 4 ? d : (a ^ b ^ c ^ d) >>> 0;
}
