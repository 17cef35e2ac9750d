import { LabError } from '../errors.ts';
import type { CaseResult, Unfit } from './suite.ts';

const CODE = 'suite.unfit';

/** To be thrown by a suite that finds out that it cannot be tried here: its cases are skipped, and say why. */
export function cannotTry(reason: string, hint?: string): LabError {
  return new LabError(reason, { code: CODE, hints: hint === undefined ? [] : [hint] });
}

/** What such an error says; nothing for any other. */
export function unfitOf(error: unknown): Unfit | undefined {
  if (!(error instanceof LabError) || error.fields.code !== CODE) return undefined;
  return { reason: error.message, hint: error.fields.hints?.[0] };
}

/** A case, or a suite, that could not be tried. */
export function skipped(name: string, { reason, hint }: Unfit): CaseResult {
  return { name, ms: 0, skipped: hint ? `${reason} (${hint})` : reason };
}
