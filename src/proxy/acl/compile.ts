import type { AclTest, CompileEnv, Condition, Sample, SampleExpression } from '../expressions.ts';
import type { Transaction } from '../transaction.ts';

export function compileSample(_expression: SampleExpression, _env: CompileEnv): (tx: Transaction) => Sample {
  throw new Error('in the making');
}

export function compileAcl(_test: AclTest, _env: CompileEnv): (tx: Transaction) => boolean {
  throw new Error('in the making');
}

/** Undefined when there is no condition: the rule always applies. */
export function compileCondition(
  _condition: Condition | undefined,
  _env: CompileEnv,
): ((tx: Transaction) => boolean) | undefined {
  throw new Error('in the making');
}
