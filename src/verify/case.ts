import { curlCommand, showCommand, type Target } from './request.ts';
import type { CaseResult, SuiteContext } from './suite.ts';

/** What a case found: `failure` when it does not hold, else `proof`, what was seen that shows it. */
export interface Finding {
  readonly proof: string;
  readonly failure?: string;
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
  const { proof, failure, data } = await attempt();
  say(failure === undefined ? `${c.green('✔')} ${proof}` : `${c.red('✖')} ${failure}`);
  return { name, ms: performance.now() - started, failure, data };
}

/** Shows a request as the command that anyone can type. */
export function sayCommand({ say, colours: c }: SuiteContext, target: Target): void {
  say(`  ${c.dim(showCommand(curlCommand(target)))}`);
}

/** Shows that the commands were not what sent the requests. */
export function sayWithoutCurl({ say, colours: c }: SuiteContext): void {
  say(`  ${c.yellow('curl is not installed: lablb sent the same requests itself')}`);
}
