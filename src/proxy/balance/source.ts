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
  const v4 = ipv4(text);
  if (v4 !== NO_KEY) return v4;
  const address = parseAddress(text);
  if (address === undefined) return NO_KEY;
  const [a, b, c, d] = address.words;
  return address.family === 4 ? d : (a ^ b ^ c ^ d) >>> 0;
}

/** Read digit by digit, for it happens with each request. */
function ipv4(text: string): number {
  let address = 0;
  let part = 0;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 46) {
      address = (address << 8) | part;
      part = 0;
      dots++;
    } else if (c >= 48 && c <= 57) part = part * 10 + c - 48;
    else return NO_KEY;
  }
  return dots === 3 ? ((address << 8) | part) >>> 0 : NO_KEY;
}
