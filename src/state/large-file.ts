import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../plan/hash.ts';
import { readJson, writeJson } from './files.ts';
import { stateHome } from './paths.ts';

interface Hashed {
  readonly size: number;
  readonly mtimeMs: number;
  readonly sha256: string;
}

/** sha256 (hex) of a file of many megabytes: reckoned again only when its size or time differ from last time's. */
export function hashOfLargeFile(path: string): string {
  const { size, mtimeMs } = statSync(path);
  const notes = join(stateHome(), '.hashes.json');
  const known = readJson<Record<string, Hashed>>(notes) ?? {};
  const before = known[path];
  if (before?.size === size && before.mtimeMs === mtimeMs) return before.sha256;
  const hash = sha256(readFileSync(path));
  try {
    writeJson(notes, { ...known, [path]: { size, mtimeMs, sha256: hash } satisfies Hashed });
  } catch {
    // Nowhere to note it: it is reckoned again.
  }
  return hash;
}
