import { resolve } from 'node:path';
import { nearPath } from '../text.ts';
import type { ParseOptions } from '../topology/parse.ts';
import type { ProviderName, Topology } from '../topology/topology.ts';

/**
 * The checked topology of a file: the one given, else the folder's only one. Findings name the file as a person in
 * this folder would; the topology has its absolute path.
 */
export async function loadLab(
  topology: string | undefined,
  provider?: ProviderName,
  warn?: ParseOptions['warn'],
): Promise<Topology> {
  const { findTopology, loadTopology } = await import('../topology/load.ts');
  const file = resolve(topology ?? (await findTopology(process.cwd())));
  return { ...(await loadTopology(nearPath(file), { provider, warn })), file };
}
