import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from './folder.ts';

/** Writes by rename, so that whoever reads sees the old or the new, never a half. Folders are made. */
export function writeAtomically(path: string, content: string | Uint8Array, mode = 0o644): void {
  makeFolder(dirname(path));
  const draft = `${path}.${process.pid}.new`;
  try {
    writeFileSync(draft, content, { mode });
    chmodSync(draft, mode); // the umask is not asked
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw Object.assign(error as Error, { path }); // nobody knows the draft, and a failed write names no file
  }
}

/** The JSON in a file of lablb's own; undefined when it is absent or was cut short. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

export function writeJson(path: string, value: unknown, mode = 0o600): void {
  writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`, mode);
}
