import { failureToJson } from '../cli/failure.ts';
import { LabError } from '../errors.ts';
import type { DestroyOptions, LabProvider, NodeName } from '../providers/provider.ts';
import { withLockIfRoom } from '../state/lock.ts';
import { forget, type LabRecord, lockPath, writeRecord } from '../state/record.ts';
import { plural } from '../text.ts';

export interface DownReport {
  readonly gone: readonly NodeName[];
  /** Packages that lablb installed on machines that were there before, and that stay. */
  readonly left: Readonly<Record<NodeName, readonly string[]>>;
  /** What stays because the next lab comes up sooner with it. */
  readonly kept: readonly string[];
  /** What could not be taken away, why, and is lablb's no more (`forget`). */
  readonly forgotten: readonly string[];
}

export interface DownOptions extends DestroyOptions {
  /** Give up what cannot be taken away: a machine that is gone for good must not hold its lab for ever. */
  readonly forget?: boolean;
  /** Told of each node as it goes. */
  readonly gone?: (node: NodeName, ms: number) => void;
  /** What is under way is waited for; then it throws. */
  readonly signal?: AbortSignal;
}

/**
 * Takes a lab away: every node that it may have, at once; then what lablb remembers of it. What is gone already
 * is no error. When a node resists, the record stays, so that the next `down` knows of it, unless it is to be forgotten.
 *
 * @throws LabError `down.incomplete`, or the reason of `signal`.
 */
export function takeDown(
  record: LabRecord,
  provider: LabProvider,
  options: DownOptions = {},
): Promise<DownReport> {
  return withLockIfRoom(lockPath(record.name), 'lablb down', async () => {
    const observed = await provider.observe(record.name);
    const ours = [...observed.nodes].filter(([, node]) => node.state !== 'foreign').map(([name]) => name);
    const foreign = [...observed.nodes].filter(([, node]) => node.state === 'foreign').map(([name]) => name);
    noteLeaving(record);
    const nodes = [...new Set([...record.nodes, ...ours])].filter((name) => !foreign.includes(name));
    const outcomes = await Promise.allSettled(
      nodes.map(async (name) => {
        const started = performance.now();
        const left = await provider.destroy(name, options);
        if (observed.nodes.has(name)) options.gone?.(name, performance.now() - started);
        return left;
      }),
    );
    options.signal?.throwIfAborted();
    const failed = outcomes.flatMap((outcome, i) =>
      outcome.status === 'rejected' ? [`${nodes[i]}: ${failureToJson(outcome.reason).error.message}`] : [],
    );
    if (failed.length > 0 && !options.forget) {
      const how = record.provider === 'ssh' ? 'not given back' : 'still there';
      throw new LabError(
        `${failed.length} of ${plural(nodes.length, 'node')} ${failed.length === 1 ? 'is' : 'are'} ${how}`,
        {
          code: 'down.incomplete',
          stderr: failed.join('\n'),
          hints: [
            'lablb down   (once more, when the cause is gone)',
            'lablb down --forget   (gives it up, and leaves it as it is)',
          ],
        },
      );
    }
    const kept = (await provider.tidy?.(options)) ?? [];
    forget(record.name);
    const gone = nodes.filter((name, i) => observed.nodes.has(name) && outcomes[i]!.status === 'fulfilled');
    const left = outcomes.flatMap((outcome, i): [NodeName, readonly string[]][] => {
      const packages = (outcome.status === 'fulfilled' && outcome.value?.packages) || [];
      return packages.length > 0 ? [[nodes[i]!, packages]] : [];
    });
    return { gone, left: Object.fromEntries(left), kept, forgotten: failed };
  });
}

/** For `status`, should this not come to its end. */
function noteLeaving(record: LabRecord): void {
  try {
    writeRecord({ ...record, leaving: true });
  } catch {
    // A full disk is a reason to take a lab down.
  }
}
