import { dirname } from 'node:path';
import { allRecords, type LabRecord } from '../state/record.ts';
import { topologiesIn } from '../topology/load.ts';

/** What a command may mean that names no lab. */
export interface Here {
  /** Topologies of the folder, by name: a single one is meant, whether its lab is up or not. */
  readonly files: readonly string[];
  /** Else labs that are up: those of the folder's topologies; where there are none, all. */
  readonly labs: readonly LabRecord[];
}

export function meantIn(folder: string): Here {
  const files = topologiesIn(folder);
  if (files.length === 1) return { files, labs: [] };
  const labs = allRecords();
  if (files.length === 0) return { files, labs };
  return { files, labs: labs.filter(({ file }) => file !== undefined && dirname(file) === folder) };
}
