import { LabError } from '../errors.ts';

const CODE = 'suite.unfit';

/** To be thrown by a suite that finds out that it cannot be tried here: its cases are skipped, and say why. */
export function cannotTry(reason: string, hint?: string): LabError {
  return new LabError(reason, { code: CODE, hints: hint === undefined ? [] : [hint] });
}

export function isUnfit(error: unknown): error is LabError {
  return error instanceof LabError && error.fields.code === CODE;
}
