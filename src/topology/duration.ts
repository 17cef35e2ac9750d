const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** What `milliseconds` reads: HAProxy's way of writing times (manual, section 2.5), from milliseconds to hours. */
export const DURATION = /^\d{1,9}(?:ms|s|m|h)?$/;
export const DAY_MS = 24 * UNIT_MS.h;

/** `1500`, `'500ms'`, `'2s'` … in milliseconds. */
export function milliseconds(value: number | string): number {
  if (typeof value === 'number') return value;
  const unit = value.replace(/^\d+/, '') || 'ms';
  return Number.parseInt(value, 10) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** Milliseconds in the largest unit of the two that most times are written in: `1500ms`, `2s`. */
export function durationText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
