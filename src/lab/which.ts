import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { meantIn } from '../cli/here.ts';
import { EXIT, LabError } from '../errors.ts';
import { allRecords, type LabRecord, readRecord, requireRecord } from '../state/record.ts';
import { loadLab } from './load.ts';

export interface Which {
  /** A topology's path, or a lab's name. */
  readonly topology?: string;
  readonly name?: string;
}

/**
 * The lab that a command means: the one named, the one of the file, the one of the folder's topology; in a folder
 * without any, the only one there is. A lab that is up is known by its record, so its file may be broken or gone.
 *
 * @throws LabError `lab.unknown` when that lab is not up, `lab.which` when it could be several.
 */
export async function whichLab({ topology, name }: Which): Promise<LabRecord> {
  if (name !== undefined && topology !== undefined) throw bothNamed();
  if (name !== undefined) return requireRecord(name);
  if (topology !== undefined) return existsSync(topology) ? labOfFile(topology) : requireRecord(topology);
  const { files, labs } = meantIn(process.cwd());
  if (files.length === 1) return labOfFile(files[0]!);
  if (labs.length === 1) return labs[0]!;
  throw labs.length > 1 ? whichOfThem(labs) : noneIsUp(files[0]);
}

/** The name of the lab that is meant, which may be down by now. */
export async function nameMeant(which: Which): Promise<string> {
  const { topology, name } = which;
  if (name !== undefined && topology === undefined) return name;
  try {
    return (await whichLab(which)).name;
  } catch (error) {
    if (!(error instanceof LabError) || error.fields.code !== 'lab.unknown') throw error;
    return topology === undefined || existsSync(topology) ? (await loadLab(topology)).name : topology;
  }
}

async function labOfFile(file: string): Promise<LabRecord> {
  const known = allRecords().find((record) => record.file === resolve(file));
  if (known) return known;
  const topology = await loadLab(file);
  const record = readRecord(topology.name) ?? (await (await import('./adopt.ts')).adopt(topology));
  if (record) return record;
  throw new LabError(`${topology.name} is not up`, {
    code: 'lab.unknown',
    exit: EXIT.refused,
    hints: [`lablb up ${file}`, ...others(allRecords())],
  });
}

function bothNamed(): LabError {
  return new LabError('a topology and --name: which of the two is meant?', {
    code: 'usage',
    exit: EXIT.refused,
    hints: ['one of them'],
  });
}

function noneIsUp(here: string | undefined): LabError {
  const inFolder = here !== undefined;
  return new LabError(inFolder ? 'no lab of this folder is up' : 'no lab is up', {
    code: 'lab.unknown',
    exit: EXIT.refused,
    hints: inFolder ? [`lablb up ${here}`, ...others(allRecords())] : ['lablb up FILE', 'lablb init'],
  });
}

function whichOfThem(records: readonly LabRecord[]): LabError {
  return new LabError(`which lab? there are ${records.map((record) => record.name).join(', ')}`, {
    code: 'lab.which',
    exit: EXIT.refused,
    hints: records.map((record) => `--name ${record.name}`),
  });
}

/** Labs that are up, and are not the one that is meant. */
function others(records: readonly LabRecord[]): string[] {
  return records.map(({ name }) => `--name ${name}   (another lab, which is up)`);
}
