import { LabError } from '../errors.ts';
import { providerFor } from '../providers/providers.ts';
import { type LabRecord, readRecord } from '../state/record.ts';
import { planUp, remember } from './up.ts';
import { loadLab, type Which, whichLab } from './which.ts';

/**
 * The lab that a command means, also one that lablb did not bring up: made by its script on a host, it is just what its
 * topology says, and is remembered from now on.
 *
 * @throws LabError as `whichLab`, when there is no such lab.
 */
export async function whichLabOrAdopted(which: Which): Promise<LabRecord> {
  try {
    return await whichLab(which);
  } catch (error) {
    const adopted = isUnknown(error) && which.name === undefined ? await adopt(which.topology) : undefined;
    if (adopted) return adopted;
    throw error;
  }
}

async function adopt(file: string | undefined): Promise<LabRecord | undefined> {
  const topology = await loadLab(file).catch(() => undefined);
  // Nothing of a local lab outlives its record.
  if (!topology || topology.provider === 'local') return undefined;
  const { plan, wish } = await planUp(topology, await providerFor(topology), {});
  if (plan.steps.length > 0) return undefined;
  remember(topology, wish.desired, { finished: true });
  return readRecord(topology.name);
}

function isUnknown(error: unknown): boolean {
  return error instanceof LabError && error.fields.code === 'lab.unknown';
}
