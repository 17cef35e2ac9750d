import { EXIT, LabError } from '../errors.ts';
import type { LabRecord } from '../state/record.ts';
import { stopped } from './case.ts';
import type { SuiteResult } from './junit.ts';
import type { CaseResult, Suite, SuiteContext } from './suite.ts';
import { skipped, unfitOf } from './unfit.ts';

/**
 * Runs suites one after another. One that has nothing to try in this lab is a case that was skipped, with its reason
 * and the way out; one that cannot go on is a case that failed.
 *
 * @throws LabError when all of it is pointless: the balancer has no address yet, interrupted, refused, or a program is
 * missing.
 */
export async function runSuites(suites: readonly Suite[], context: SuiteContext): Promise<SuiteResult[]> {
  refuseHalfUp(context.record);
  const results: SuiteResult[] = [];
  for (const suite of suites) {
    const unfit = suite.unfit?.(context.record.topology);
    const cases = unfit ? [skipped(suite.name, unfit)] : await attempt(suite, context);
    for (const one of cases) showSkipped(suite, one, context);
    results.push({ suite: suite.name, cases });
  }
  return results;
}

/** While the first `up` is at work, or after one that did not come so far. */
function refuseHalfUp({ name, desired }: LabRecord): void {
  const proxy = desired.nodes.find(({ role, address }) => role === 'proxy' && address === undefined);
  if (!proxy) return;
  throw new LabError(`${name} is not up as a whole: it is not known yet where its balancer is`, {
    code: 'lab.unfinished',
    node: proxy.name,
    exit: EXIT.failed,
    hints: ['lablb up   (wait for the one that is at work, or go on where one ended)', 'lablb status'],
  });
}

/** Whether a single case could be tried. */
export function provedSomething(results: readonly SuiteResult[]): boolean {
  return results.some(({ cases }) => cases.some((one) => one.skipped === undefined));
}

async function attempt(suite: Suite, context: SuiteContext): Promise<readonly CaseResult[]> {
  const started = performance.now();
  try {
    return await suite.run(context);
  } catch (error) {
    const unfit = unfitOf(error);
    if (unfit) return [skipped(suite.name, unfit)];
    const { failure, hints = [] } = stopped(error);
    context.say(`${context.colours.red('✖')} ${failure}`);
    for (const hint of hints) context.say(`    try: ${hint}`);
    return [{ name: suite.name, ms: performance.now() - started, failure }];
  }
}

function showSkipped({ name: suite }: Suite, one: CaseResult, context: SuiteContext): void {
  if (one.skipped === undefined) return;
  const what = one.name === suite ? suite : `${suite} · ${one.name}`;
  context.say(`${context.colours.yellow('○')} ${what}: skipped, ${one.skipped}`);
}
