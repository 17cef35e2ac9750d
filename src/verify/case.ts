import { LabError } from '../errors.ts';
import { curlCommand, showCommand, type Target } from './request.ts';
import type { CaseResult, SuiteContext } from './suite.ts';
import { unfitOf } from './unfit.ts';

/** What a case found: `failure` when it does not hold, else `proof`, what was seen that shows it. */
export interface Finding {
  readonly proof: string;
  readonly failure?: string;
  /** What to try when it does not hold. */
  readonly hints?: readonly string[];
  readonly data?: Readonly<Record<string, unknown>>;
}

/**
 * One case with what is shown of it: a heading, whatever `attempt` says, and the verdict.
 *
 *     roundrobin · site1.test · 12 requests from proxyha
 *       curl -s -H 'Host: site1.test' http://192.168.1.149/
 *       …
 *     ✔ in turn: 12 of 12
 */
export async function tryCase(
  suite: string,
  name: string,
  about: string,
  context: SuiteContext,
  attempt: () => Promise<Finding>,
): Promise<CaseResult> {
  const { say, signal, colours: c } = context;
  const started = performance.now();
  signal.throwIfAborted();
  say([suite, c.bold(name), about].filter(Boolean).join(' · '));
  const { proof, failure, hints = [], data } = await attempt().catch(stopped);
  say(failure === undefined ? `${c.green('✔')} ${proof}` : `${c.red('✖')} ${failure}`);
  for (const hint of hints) say(`    try: ${hint}`);
  return { name, ms: performance.now() - started, failure, data };
}

/**
 * What stopped a case or a suite, as its finding.
 *
 * @throws whatever stops more than that: interrupted, a program is missing, nothing to try here, a fault of lablb.
 */
export function stopped(error: unknown): Finding {
  if (!(error instanceof LabError) || error.fields.exit !== undefined || unfitOf(error)) throw error;
  const { stderr = '', hints } = error.fields;
  const failure = [error.message, ...stderr.trim().split('\n').filter(Boolean).slice(-3)].join('; ');
  return { proof: '', failure, hints };
}

/** Shows a request as the command that anyone can type. */
export function sayCommand({ say, colours: c }: SuiteContext, target: Target): void {
  say(`  ${c.dim(showCommand(curlCommand(target)))}`);
}

/** Shows that the commands were not what sent the requests. */
export function sayWithoutCurl({ say, colours: c }: SuiteContext): void {
  say(`  ${c.yellow('curl is not installed: lablb sent the same requests itself')}`);
}
