import type { CompileEnv, Rule, RuleSet, Verdict } from '../expressions.ts';
import type { Transaction } from '../transaction.ts';

/** One flat function for a whole rule set; undefined when there are no rules. */
export function compileRules(
  _rules: readonly Rule[],
  _env: CompileEnv,
  _set: RuleSet,
): ((tx: Transaction) => Verdict) | undefined {
  throw new Error('in the making');
}
