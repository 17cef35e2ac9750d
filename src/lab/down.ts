import { failureToJson } from '../cli/failure.ts';
import { LabError } from '../errors.ts';
import type { LabProvider } from '../providers/provider.ts';
import { withLock } from '../state/lock.ts';
import { forget, type LabRecord, lockPath } from '../state/record.ts';

/**
 * Takes a lab away: every node that it may have, at once; then what lablb remembers of it. What is gone already
 * is no error. When a node resists, the record stays, so that the next `down` knows of it.
 *
 * @throws LabError `down.incomplete`.
 */
export function takeDown(record: LabRecord, provider: LabProvider): Promise<readonly string[]> {
  return withLock(lockPath(record.name), 'lablb down', async () => {
    const observed = await provider.observe(record.name);
    const ours = [...observed.nodes].filter(([, node]) => node.state !== 'foreign').map(([name]) => name);
    const foreign = [...observed.nodes].filter(([, node]) => node.state === 'foreign').map(([name]) => name);
    const nodes = [...new Set([...record.nodes, ...ours])].filter((name) => !foreign.includes(name));
    const outcomes = await Promise.allSettled(nodes.map((name) => provider.destroy(name)));
    const failed = outcomes.flatMap((outcome, i) =>
      outcome.status === 'rejected' ? [`${nodes[i]}: ${failureToJson(outcome.reason).error.message}`] : [],
    );
    if (failed.length > 0) {
      throw new LabError(`${failed.length} of ${nodes.length} nodes are still there`, {
        code: 'down.incomplete',
        stderr: failed.join('\n'),
        hints: ['lablb down   (once more, when the cause is gone)'],
      });
    }
    await provider.tidy?.();
    forget(record.name);
    return nodes.filter((name) => observed.nodes.has(name));
  });
}
