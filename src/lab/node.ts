import { EXIT, LabError, nearest } from '../errors.ts';
import type { DesiredNode } from '../plan/desired.ts';
import type { LabRecord } from '../state/record.ts';

/** A node of a lab that is up. @throws LabError `node.unknown` with the names that there are. */
export function nodeOf({ name, desired }: LabRecord, wanted: string): DesiredNode {
  const node = desired.nodes.find((one) => one.name === wanted);
  if (node) return node;
  const names = desired.nodes.map((one) => one.name);
  const near = nearest(wanted, names);
  throw new LabError(`${name} has no node '${wanted}'${near ? `; did you mean '${near}'?` : ''}`, {
    code: 'node.unknown',
    exit: EXIT.refused,
    hints: [`one of: ${names.join(', ')}`],
  });
}
