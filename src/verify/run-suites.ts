import { LabError } from '../errors.ts';
import type { SuiteResult } from './junit.ts';
import type { CaseResult, Suite, SuiteContext, Unfit } from './suite.ts';
import { isUnfit } from './unfit.ts';

/**
 * Runs suites one after another. One that has nothing to try in this lab is a case that was skipped, with its reason
 * and the way out; one that cannot go on is a case that failed.
 *
 * @throws LabError when all of it is pointless: interrupted, refused, or a program is missing.
 */
export async function runSuites(suites: readonly Suite[], context: SuiteContext): Promise<SuiteResult[]> {
  const results: SuiteResult[] = [];
  for (const suite of suites) {
    const unfit = suite.unfit?.(context.record.topology);
    const cases = unfit ? [skip(suite, unfit)] : await attempt(suite, context);
    for (const one of cases) showSkipped(suite, one, context);
    results.push({ suite: suite.name, cases });
  }
  return results;
}

/** Whether a single case could be tried. */
export function provedSomething(results: readonly SuiteResult[]): boolean {
  return results.some(({ cases }) => cases.some((one) => one.skipped === undefined));
}

function skip({ name }: Suite, { reason, hint }: Unfit): CaseResult {
  return { name, ms: 0, skipped: hint ? `${reason} (${hint})` : reason };
}

async function attempt(suite: Suite, context: SuiteContext): Promise<readonly CaseResult[]> {
  const started = performance.now();
  try {
    return await suite.run(context);
  } catch (error) {
    if (isUnfit(error)) return [skip(suite, { reason: error.message, hint: error.fields.hints?.[0] })];
    if (!(error instanceof LabError) || error.fields.exit !== undefined) throw error;
    const failure = [error.message, ...(error.fields.stderr?.trim().split('\n').slice(-3) ?? [])].join('; ');
    context.say(`${context.colours.red('✖')} ${failure}`);
    for (const hint of error.fields.hints ?? []) context.say(`    try: ${hint}`);
    return [{ name: suite.name, ms: performance.now() - started, failure }];
  }
}

function showSkipped({ name: suite }: Suite, { name, skipped }: CaseResult, context: SuiteContext): void {
  if (skipped === undefined) return;
  const what = name === suite ? suite : `${suite} · ${name}`;
  context.say(`${context.colours.yellow('○')} ${what}: skipped, ${skipped}`);
}
