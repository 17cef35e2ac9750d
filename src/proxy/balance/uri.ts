/** `balance uri`: by the target of the request up to its question mark, or the part of it that the arguments name. */
import type { Head } from '../http1/head.ts';
import type { Backend } from '../model.ts';
import { hashFunction, hashPolicy } from './hashing.ts';
import type { Policy } from './policy.ts';

const SLASH = 47;
const QUESTION = 63;

export function hashUri(backend: Backend): Policy {
  const { args } = backend.settings.balance;
  const whole = args.includes('whole');
  const pathOnly = args.includes('path-only');
  const length = numberAfter(args, 'len');
  const depth = numberAfter(args, 'depth');
  const hash = hashFunction(backend.settings);

  return hashPolicy(backend, ({ request }) => {
    const { bytes, targetEnd } = request;
    const start = pathOnly ? pathStart(request) : request.targetStart;
    const limit = Math.min(targetEnd, start + length);
    let slashes = 0;
    let end = start;
    for (; end < limit; end++) {
      const c = bytes[end];
      // The slash that begins the path is not a level.
      if (c === SLASH && ++slashes > depth) break;
      if (c === QUESTION && !whole) break;
    }
    return hash(bytes, start, end);
  });
}

function numberAfter(args: readonly string[], name: string): number {
  const i = args.indexOf(name);
  return i < 0 ? Infinity : Number(args[i + 1]);
}

/** Where the path begins, after a scheme and an authority; the end of the target when there is no path. */
function pathStart({ bytes, targetStart, targetEnd }: Head): number {
  if (bytes[targetStart] === SLASH) return targetStart;
  const scheme = bytes.indexOf('://', targetStart);
  const from = scheme < 0 || scheme >= targetEnd ? targetStart : scheme + 3;
  const slash = bytes.indexOf(SLASH, from);
  return slash < 0 || slash > targetEnd ? targetEnd : slash;
}
