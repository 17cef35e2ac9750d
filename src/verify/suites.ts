import { EXIT, LabError, nearest } from '../errors.ts';
import { roundrobin } from './roundrobin.ts';
import type { Suite } from './suite.ts';

/** Every suite of `lablb test`, in the order in which they run. */
const SUITES: readonly Suite[] = [roundrobin];

/** The suites of these names; all of them when none is named. @throws LabError `suite.unknown`. */
export function suitesNamed(names: readonly string[]): readonly Suite[] {
  if (names.length === 0) return SUITES;
  return names.map((name) => {
    const suite = SUITES.find((known) => known.name === name);
    if (suite) return suite;
    const known = SUITES.map((one) => one.name);
    const near = nearest(name, known);
    throw new LabError(`unknown suite '${name}'${near ? `; did you mean '${near}'?` : ''}`, {
      code: 'suite.unknown',
      exit: EXIT.refused,
      hints: [`one of: ${known.join(', ')}`],
    });
  });
}
