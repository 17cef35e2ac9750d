/** Protocol versions, oldest first, as configurations name them. */
import type { SslOptions } from '../settings.ts';

export const VERSIONS = ['SSLv3', 'TLSv1.0', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
export type Version = (typeof VERSIONS)[number];

/** Since HAProxy 2.2 (manual, `ssl-min-ver`). */
const OLDEST_BY_DEFAULT: Version = 'TLSv1.2';

/**
 * The oldest and the newest version that options leave. `no-tlsv…` counts only where no bound is given; of versions
 * with a hole between them the newer ones are taken.
 */
export function versionRange({ minVersion, maxVersion, excluded = [] }: SslOptions): {
  min: Version;
  max: Version;
} {
  const max = VERSIONS.indexOf((maxVersion as Version | undefined) ?? 'TLSv1.3');
  const byDefault = Math.min(VERSIONS.indexOf(OLDEST_BY_DEFAULT), max);
  const min = minVersion === undefined ? byDefault : VERSIONS.indexOf(minVersion as Version);
  const bounded = minVersion !== undefined || maxVersion !== undefined;
  const left = VERSIONS.slice(min, max + 1).filter((version) => bounded || !excluded.includes(version));
  const newest = left.at(-1) ?? VERSIONS[max]!;
  let oldest = VERSIONS.indexOf(newest);
  while (oldest > min && left.includes(VERSIONS[oldest - 1]!)) oldest--;
  return { min: VERSIONS[oldest]!, max: newest };
}
