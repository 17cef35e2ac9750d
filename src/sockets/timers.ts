/**
 * One coarse clock for all timeouts. Nothing is armed per request: whoever has a deadline stands in one of a few
 * lists and a sweep looks at it. A deadline may move without telling anyone; the sweep reads it when it gets there.
 */

/** Monotonic milliseconds, fresh. */
export function now(): number {
  return performance.now();
}

/** Something with a moment after which `expired` is called. `deadline` is read at each sweep: Infinity is never. */
export interface Deadline {
  deadline: number;
  /** Called once per expiry, from the sweep. Set `deadline` anew to go on. */
  expired(nowMs: number): void;
  /** Place in the clock's list; −1 when it stands in none. Belongs to the clock. */
  slot: number;
}
