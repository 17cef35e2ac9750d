import { EXIT, LabError } from '../errors.ts';
import type { LabProvider } from '../providers/provider.ts';
import type { Topology } from '../topology/topology.ts';

/** The lab as a shell script. @throws LabError `script.provider` where nothing could be typed by hand. */
export function scriptOf(topology: Topology, provider: LabProvider): Promise<string> {
  if (provider.script) return provider.script(topology);
  throw new LabError(`provider '${topology.provider}' cannot be typed by hand`, {
    code: 'script.provider',
    exit: EXIT.refused,
    hints: ['lablb up --dry-run --format sh --provider lxd', 'lablb up --dry-run'],
  });
}
