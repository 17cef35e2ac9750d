import { providerFor } from '../providers/providers.ts';
import { type LabRecord, readRecord } from '../state/record.ts';
import type { Topology } from '../topology/topology.ts';
import { planUp, remember } from './up.ts';

/**
 * A lab that is there though lablb does not remember it: made by its script on a host, or its record is lost. What of it
 * is there is looked at, and it is remembered from now on; undefined when nothing of it is.
 */
export async function adopt(topology: Topology): Promise<LabRecord | undefined> {
  const provider = await providerFor(topology);
  const observed = await provider.observe(topology.name);
  if (![...observed.nodes.values()].some(({ state }) => state === 'running' || state === 'stopped'))
    return undefined;
  const { plan, wish } = await planUp(topology, provider, { observed });
  remember(topology, wish.desired, { finished: plan.steps.length === 0 });
  return readRecord(topology.name);
}
