import { createHash } from 'node:crypto';

/** sha256, hex: how contents are compared. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/**
 * What a service runs with, as one value: its definition and the files it reads, by content. Computed from what
 * should be (when planning) and from what is (when a provider starts it); equal means nothing to reload. The order of
 * the paths is of no account.
 */
export function revisionOf(paths: readonly string[], hashOf: (path: string) => string | undefined): string {
  const read = paths.toSorted().map((path) => `${path}=${hashOf(path) ?? 'absent'}`);
  return sha256(read.join('\n')).slice(0, 16);
}
