/** A rewrite that cannot be done (no room left for it) ends the transaction, as HAProxy's strict mode does. */
import { VERDICT, type Verdict } from '../expressions.ts';
import type { Reply, Transaction } from '../transaction.ts';

const FAILED: Reply = { status: 500, errorPage: true, termination: 'PR' };

export function done(tx: Transaction, succeeded: boolean): Verdict {
  if (succeeded) return VERDICT.next;
  tx.reply = FAILED;
  tx.frontend.counters.wrew++;
  return VERDICT.done;
}
