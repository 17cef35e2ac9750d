import { LabError } from '../errors.ts';
import type { DesiredNode } from '../plan/desired.ts';
import type { LabProvider } from '../providers/provider.ts';
import type { LabRecord } from '../state/record.ts';
import { askRuntime } from './runtime-socket.ts';
import { askPage } from './stats-page.ts';

/** The node whose statistics are meant. Of several proxies the first: the others have the same configuration. */
export function balancerOf({ name, desired }: LabRecord): DesiredNode {
  const node = desired.nodes.find(({ role }) => role === 'proxy');
  if (node) return node;
  throw new LabError(`${name} has no proxy node`, { code: 'balancer.missing' });
}

/**
 * The balancer's statistics as HAProxy's CSV: from its runtime socket, else from its statistics page.
 *
 * @throws LabError `balancer.socket` when neither answers.
 */
export async function balancerStats(
  record: LabRecord,
  provider: LabProvider,
  signal?: AbortSignal,
): Promise<string> {
  const node = balancerOf(record);
  try {
    return await askRuntime(node, provider, 'show stat', signal);
  } catch (error) {
    signal?.throwIfAborted();
    const csv = await askPage(node, record.topology, provider);
    if (csv === undefined) throw error;
    return csv;
  }
}
