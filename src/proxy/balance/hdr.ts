/** `balance hdr(<name>)`: by the first value of a header; with `use_domain_only` by the main part of a host name. */
import { anyPart } from '../acl/header-values.ts';
import { headerName } from '../http1/head.ts';
import type { Backend } from '../model.ts';
import { hashFunction, hashPolicy, NO_KEY } from './hashing.ts';
import type { Policy } from './policy.ts';

const DOT = 46;

export function hashHeader(backend: Backend): Policy {
  const [name, option] = backend.settings.balance.args;
  const header = headerName(name!);
  const hash = hashFunction(backend.settings);
  const domainOnly = option === 'use_domain_only';

  let found = NO_KEY;
  /** Shown the first value only: it stops there. */
  const hashFirst = (bytes: Uint8Array, start: number, end: number): boolean => {
    if (start === end) found = NO_KEY;
    else if (domainOnly) found = hashDomain(bytes, start, end);
    else found = hash(bytes, start, end);
    return true;
  };
  return hashPolicy(backend, ({ request }) => (anyPart(request, header, hashFirst) ? found : NO_KEY));

  /** Between the last dot and the one before it: `1wt` of `haproxy.1wt.eu`. */
  function hashDomain(bytes: Uint8Array, start: number, end: number): number {
    let stop = end - 1;
    while (stop >= start && bytes[stop] !== DOT) stop--;
    if (stop < start) return hash(bytes, start, end);
    let from = stop;
    while (from > start && bytes[from - 1] !== DOT) from--;
    return hash(bytes, from, stop);
  }
}
