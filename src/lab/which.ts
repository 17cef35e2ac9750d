import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { EXIT, LabError } from '../errors.ts';
import { allRecords, type LabRecord, readRecord, requireRecord } from '../state/record.ts';
import type { ParseOptions } from '../topology/parse.ts';
import type { ProviderName, Topology } from '../topology/topology.ts';

export interface Which {
  /** A topology's path, or a lab's name. */
  readonly topology?: string;
  readonly name?: string;
  readonly cwd?: string;
}

/**
 * The lab that a command means: the one named, the one of the file, the one of the folder's only topology, or the
 * only one there is. A lab that is up is known by its record, so its file may be broken or gone.
 *
 * @throws LabError `lab.unknown` when that lab is not up, `lab.which` when it could be several.
 */
export async function whichLab({ topology, name, cwd = process.cwd() }: Which): Promise<LabRecord> {
  if (name !== undefined) return requireRecord(name);
  if (topology !== undefined) {
    return existsSync(resolve(cwd, topology)) ? labOfFile(resolve(cwd, topology)) : requireRecord(topology);
  }
  const records = allRecords();
  const { findTopology } = await import('../topology/load.ts');
  const here = await findTopology(cwd).catch(() => undefined);
  if (here) {
    const found = await labOfFile(resolve(here)).catch((error) => {
      if (records.length === 1) return records[0]!;
      throw error;
    });
    return found;
  }
  if (records.length === 1) return records[0]!;
  throw records.length === 0 ? noneIsUp() : whichOfThem(records);
}

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
  const near = relative(process.cwd(), file);
  return { ...(await loadTopology(near.startsWith('..') ? file : near, { provider, warn })), file };
}

async function labOfFile(file: string): Promise<LabRecord> {
  const known = allRecords().find((record) => record.file === file);
  if (known) return known;
  const { loadTopology } = await import('../topology/load.ts');
  const { name } = await loadTopology(file);
  const record = readRecord(name);
  if (record) return record;
  throw new LabError(`${name} is not up`, { code: 'lab.unknown', exit: EXIT.refused, hints: ['lablb up'] });
}

function noneIsUp(): LabError {
  return new LabError('no lab is up', {
    code: 'lab.unknown',
    exit: EXIT.refused,
    hints: ['lablb up', 'lablb init'],
  });
}

function whichOfThem(records: readonly LabRecord[]): LabError {
  return new LabError(`which lab? there are ${records.map((record) => record.name).join(', ')}`, {
    code: 'lab.which',
    exit: EXIT.refused,
    hints: records.map((record) => `--name ${record.name}`),
  });
}
