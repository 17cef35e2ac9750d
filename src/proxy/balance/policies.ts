/** The policies by the word after `balance`. Adding one: a file with its function, a row here, a row in keywords/balance.ts. */
import type { PolicyRow } from './policy.ts';
import { roundRobin } from './roundrobin.ts';

export const policies: readonly PolicyRow[] = [
  { keyword: 'roundrobin', doc: 'each server in turn, by weight', create: roundRobin },
];

export function policyRow(keyword: string): PolicyRow {
  return policies.find((row) => row.keyword === keyword) ?? policies[0]!;
}
