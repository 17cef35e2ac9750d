import { pause } from './pause.ts';
import { proxyStates, type SiteState } from './stats.ts';
import type { SuiteContext } from './suite.ts';

const SERVERS_UP_WITHIN_MS = 10_000;

/**
 * Turns begin when every server takes part: right after the start some may still be waiting for their checks.
 * Hands back the sites that lack servers even after a bounded wait.
 */
export async function waitForServers({
  record,
  provider,
  signal,
}: SuiteContext): Promise<readonly SiteState[]> {
  const deadline = Date.now() + SERVERS_UP_WITHIN_MS;
  for (;;) {
    const notUp = (await proxyStates(record, provider)).filter(({ up, total }) => up < total);
    if (notUp.length === 0 || Date.now() >= deadline) return notUp;
    await pause(100, signal);
  }
}

/** `failure`, and what the balancer itself says of its servers when some are down. */
export function withServersDown(failure: string, notUp: readonly SiteState[]): string {
  const down = notUp.map(({ name, up, total }) => `${name} ${up}/${total}`).join(', ');
  return down ? `${failure}; the balancer has servers down (up: ${down})` : failure;
}
