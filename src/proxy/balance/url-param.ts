/**
 * `balance url_param`: by the value of a parameter of the query string. `check_post` reads bodies in HAProxy; a
 * request whose target has no such parameter goes in turn here.
 */
import type { Backend } from '../model.ts';
import { hashFunction, hashPolicy, NO_KEY } from './hashing.ts';
import type { Policy } from './policy.ts';

const AMPERSAND = 38;
const EQUALS = 61;
const QUESTION = 63;

export function hashUrlParameter(backend: Backend): Policy {
  const name = Buffer.from(backend.settings.balance.args[0]!, 'latin1');
  const hash = hashFunction(backend.settings);

  return hashPolicy(backend, ({ request: { bytes, targetStart, targetEnd } }) => {
    let at = next(bytes, QUESTION, targetStart, targetEnd);
    while (at < targetEnd) {
      const end = next(bytes, AMPERSAND, at + 1, targetEnd);
      const equals = at + 1 + name.length;
      if (equals < end && bytes[equals] === EQUALS && isAt(name, bytes, at + 1))
        return hash(bytes, equals + 1, end);
      at = end;
    }
    return NO_KEY;
  });
}

/** Index of the byte `c` in [start, end), or `end`. */
function next(bytes: Uint8Array, c: number, start: number, end: number): number {
  while (start < end && bytes[start] !== c) start++;
  return Math.min(start, end);
}

function isAt(text: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}
