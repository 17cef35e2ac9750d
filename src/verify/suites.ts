import { EXIT, LabError, nearest } from '../errors.ts';
import { acl } from './acl.ts';
import { dns } from './dns.ts';
import { errorfiles } from './errorfiles.ts';
import { failover } from './failover.ts';
import { headers } from './headers.ts';
import { l4 } from './l4.ts';
import { leastconn } from './leastconn.ts';
import { logging } from './logging.ts';
import { redirect } from './redirect.ts';
import { roundrobin } from './roundrobin.ts';
import { source } from './source.ts';
import { statistics } from './statistics.ts';
import type { Suite } from './suite.ts';
import { tls } from './tls.ts';

/** Every suite of `lablb test`, in the order in which they run. */
export const SUITES: readonly Suite[] = [
  roundrobin,
  leastconn,
  source,
  acl,
  headers,
  errorfiles,
  l4,
  tls,
  redirect,
  logging,
  statistics,
  dns,
  failover,
];

/** Stands for all of them. */
export const ALL = 'all';

/** The suites of these names; all of them when none is named, or `all` is. @throws LabError `suite.unknown`. */
export function suitesNamed(names: readonly string[]): readonly Suite[] {
  const found = [...new Set(names)].flatMap(suiteNamed);
  return found.length === 0 ? SUITES : SUITES.filter((suite) => found.includes(suite));
}

function suiteNamed(name: string): readonly Suite[] {
  if (name === ALL) return SUITES;
  const suite = SUITES.find((known) => known.name === name);
  if (suite) return [suite];
  const known = [...SUITES.map((one) => one.name), ALL];
  const near = nearest(name, known);
  throw new LabError(`unknown suite '${name}'${near ? `; did you mean '${near}'?` : ''}`, {
    code: 'suite.unknown',
    exit: EXIT.refused,
    hints: [`one of: ${known.join(', ')}`],
  });
}
