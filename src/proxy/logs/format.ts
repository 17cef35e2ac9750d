import type { CompileEnv, LogFormat } from '../expressions.ts';
import type { Transaction } from '../transaction.ts';

export function compileLogFormat(_format: LogFormat, _env: CompileEnv): (tx: Transaction) => string {
  throw new Error('in the making');
}
