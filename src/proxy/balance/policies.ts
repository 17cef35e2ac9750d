/** The policies by the word after `balance`. Adding one: a file with its function, a row here, a row in keywords/balance.ts. */
import { first } from './first.ts';
import { hashExpression } from './hash.ts';
import { hashHeader } from './hdr.ts';
import { leastConnections } from './leastconn.ts';
import type { PolicyRow } from './policy.ts';
import { random } from './random.ts';
import { hashRdpCookie } from './rdp-cookie.ts';
import { roundRobin } from './roundrobin.ts';
import { hashSource } from './source.ts';
import { staticRoundRobin } from './static-rr.ts';
import { hashUri } from './uri.ts';
import { hashUrlParameter } from './url-param.ts';

export const policies: readonly PolicyRow[] = [
  { keyword: 'roundrobin', doc: 'each server in turn, by weight', create: roundRobin },
  { keyword: 'static-rr', doc: 'in turn, from a table made once', create: staticRoundRobin },
  { keyword: 'leastconn', doc: 'the server with the fewest connections', create: leastConnections },
  { keyword: 'first', doc: 'the first server that has room', create: first },
  { keyword: 'source', doc: 'by the address of the client', create: hashSource },
  { keyword: 'uri', doc: 'by the target of the request', create: hashUri },
  { keyword: 'url_param', doc: 'by a parameter of the query string', create: hashUrlParameter },
  { keyword: 'hdr', doc: 'by a header of the request', create: hashHeader },
  { keyword: 'random', doc: 'the less loaded of a few drawn at random', create: random },
  { keyword: 'rdp-cookie', doc: 'by the cookie of a remote desktop connection', create: hashRdpCookie },
  { keyword: 'hash', doc: 'by any sample of the request', create: hashExpression },
];

/** @throws {Error} for a word that the keyword table lets through and this one does not know: a mistake in the program */
export function policyRow(keyword: string): PolicyRow {
  const row = policies.find((each) => each.keyword === keyword);
  if (row === undefined) throw new Error(`no policy for 'balance ${keyword}'`);
  return row;
}
