import { LabError } from '../errors.ts';
import { familyOf } from '../os/families.ts';
import type { DesiredNode } from '../plan/desired.ts';
import type { LabProvider } from '../providers/provider.ts';
import { withLock } from '../state/lock.ts';
import { type LabRecord, lockPath } from '../state/record.ts';
import { healNode } from './faults.ts';

/** Restarts a machine, and waits for its address; a node that is none has its services restarted, in their order. */
export function restartNode(record: LabRecord, node: DesiredNode, provider: LabProvider): Promise<void> {
  return withLock(lockPath(record.name), 'lablb restart', async () => {
    if (provider.restart) return provider.restart(node.name);
    await healNode(node, provider);
    for (const { name } of node.services) {
      const argv = familyOf(node.family).service('restart', name);
      const { exitStatus, stderr } = await provider.exec(node.name, argv, { timeoutMs: 60_000 });
      if (exitStatus === 0) continue;
      throw new LabError(`service ${name} does not start again`, {
        code: 'node.command-failed',
        node: node.name,
        command: argv,
        exitStatus,
        stderr,
      });
    }
  });
}
