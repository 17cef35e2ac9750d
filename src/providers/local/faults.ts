import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultName } from '../../os/faults.ts';
import { readJson, writeJson } from '../../state/files.ts';
import type { NodeFolder } from './folder.ts';

/**
 * What a local node was made to fail with: `fault.json` in its folder, there from before the first change until the
 * service is itself again.
 */
export interface LocalFault {
  readonly how: FaultName;
  readonly service: string;
  /** Milliseconds. */
  readonly delay: number;
}

export function faultOf(folder: NodeFolder): LocalFault | undefined {
  return readJson<LocalFault>(pathIn(folder));
}

export function noteFault(folder: NodeFolder, fault: LocalFault): void {
  writeJson(pathIn(folder), fault);
}

export function forgetFault(folder: NodeFolder): void {
  rmSync(pathIn(folder), { force: true });
}

/** What the web server of a local node is told beside its own arguments; the last word on a flag holds. */
export const FAULT_ARGUMENTS: Readonly<Record<FaultName, (fault: LocalFault) => readonly string[]>> = {
  stop: () => [],
  freeze: () => [],
  slow: ({ delay }) => ['--delay', String(delay)],
  // Some port of the system's choice: it runs, and nobody finds it.
  refuse: () => ['--port', '0'],
  error: () => ['--always', '500'],
};

function pathIn(folder: NodeFolder): string {
  return join(folder.root, 'fault.json');
}
