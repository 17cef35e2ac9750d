/** Makes one flat function of a set of rules. */
import { compileCondition, compileOutcome, OUTCOME } from '../acl/compile.ts';
import { type CompileEnv, type Rule, type RuleSet, VERDICT, type Verdict } from '../expressions.ts';
import type { Transaction } from '../transaction.ts';

type Run = (tx: Transaction) => Verdict;

/** One flat function for a whole rule set; undefined when there are no rules. */
export function compileRules(rules: readonly Rule[], env: CompileEnv, set: RuleSet): Run | undefined {
  if (rules.length === 0) return undefined;
  const sided: CompileEnv = { ...env, side: RESPONSE_SETS.includes(set) ? 'response' : 'request' };
  const actions = rules.map((rule) => rule.action.compile(rule.args, sided, set));
  if (WAITING_SETS.includes(set)) return waiting(rules, actions, sided);
  const conditions = rules.map((rule) => compileCondition(rule.condition, sided));
  return (tx) => {
    for (let i = 0; i < actions.length; i++) {
      const condition = conditions[i];
      if (condition !== undefined && !condition(tx)) continue;
      const verdict = actions[i]!(tx);
      if (verdict !== VERDICT.next) return verdict;
    }
    return VERDICT.next;
  };
}

const RESPONSE_SETS: readonly RuleSet[] = ['http-response', 'http-after-response', 'tcp-response content'];

/** Sets whose rules may need bytes that are still to come: the first rule that cannot be decided holds all up. */
const WAITING_SETS: readonly RuleSet[] = ['tcp-request content', 'tcp-response content'];

function waiting(rules: readonly Rule[], actions: readonly Run[], env: CompileEnv): Run {
  const outcomes = rules.map((rule) => compileOutcome(rule.condition, env));
  return (tx) => {
    for (let i = 0; i < actions.length; i++) {
      const outcome = outcomes[i]?.(tx) ?? OUTCOME.pass;
      if (outcome === OUTCOME.unknown) return VERDICT.wait;
      if (outcome === OUTCOME.fail) continue;
      const verdict = actions[i]!(tx);
      if (verdict !== VERDICT.next) return verdict;
    }
    return VERDICT.next;
  };
}
