/**
 * One coarse clock for all timeouts. Nothing is armed per request: a deadline stands in one slot of a wheel and may
 * move later without telling anyone; the sweep reads it when it gets there and files it again if it is not due.
 */

/** Monotonic milliseconds, fresh. */
export function now(): number {
  return performance.now();
}

/** Something with a moment after which `expired` is called. */
export abstract class Deadline {
  /** Milliseconds on the monotonic clock; Infinity is never. Moved with `Clock.arm`. */
  deadline = Infinity;
  /** Where it stands in the wheel. These belong to the clock. */
  filedAt = Infinity;
  previous: Deadline | undefined = undefined;
  next: Deadline | undefined = undefined;

  /** Called once per expiry, from the sweep; arm it anew to go on. */
  abstract expired(nowMs: number): void;
}

/** Head of a slot's list. */
class Slot extends Deadline {
  override expired(): void {}
}

const SLOTS = 512;

export class Clock {
  /** Milliseconds between two sweeps: how late an expiry may be. */
  readonly step: number;
  readonly #due = new Slot();
  readonly #slots: Slot[] = Array.from({ length: SLOTS }, () => new Slot());
  #swept: number;
  #size = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(step = 20) {
    this.step = step;
    this.#swept = Math.floor(now() / step);
  }

  /** Sets the deadline. Moving it later costs an assignment; only an earlier one is filed anew. */
  arm(entry: Deadline, deadline: number): void {
    entry.deadline = deadline;
    if (deadline < entry.filedAt) this.#file(entry);
  }

  /** Takes the entry out for good, e.g. when its connection is gone. */
  drop(entry: Deadline): void {
    entry.deadline = Infinity;
    if (entry.filedAt !== Infinity) this.#unlink(entry);
  }

  /** Calls what is due. Run by the clock's own timer; tests call it with a time of their own. */
  sweep(nowMs: number): void {
    const until = Math.floor(nowMs / this.step);
    // After a long pause each slot is visited once, however many turns were missed.
    const from = Math.max(this.#swept + 1, until - SLOTS + 1);
    this.#swept = Math.max(this.#swept, until);
    for (let tick = from; tick <= until; tick++) this.#sweepSlot(this.#slots[tick % SLOTS]!, nowMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sweepSlot(slot: Slot, nowMs: number): void {
    // The list moves aside first: what expires may file itself into this very slot, or drop a neighbour.
    const due = this.#due;
    due.next = slot.next;
    if (due.next !== undefined) due.next.previous = due;
    slot.next = undefined;
    for (let entry = due.next; entry !== undefined; entry = due.next) {
      this.#unlink(entry);
      if (entry.deadline <= nowMs) entry.expired(nowMs);
      else if (entry.deadline !== Infinity) this.#file(entry);
    }
  }

  #file(entry: Deadline): void {
    if (entry.filedAt !== Infinity) this.#unlink(entry);
    if (this.#timer === undefined) this.#start();
    // At most one turn ahead: what is further away is looked at again then.
    const due = Math.ceil(entry.deadline / this.step);
    const tick = Math.min(Math.max(due, this.#swept + 1), this.#swept + SLOTS - 1);
    const slot = this.#slots[tick % SLOTS]!;
    entry.filedAt = tick * this.step;
    entry.previous = slot;
    entry.next = slot.next;
    if (slot.next !== undefined) slot.next.previous = entry;
    slot.next = entry;
    this.#size++;
  }

  #unlink(entry: Deadline): void {
    entry.previous!.next = entry.next;
    if (entry.next !== undefined) entry.next.previous = entry.previous;
    entry.previous = undefined;
    entry.next = undefined;
    entry.filedAt = Infinity;
    this.#size--;
  }

  #start(): void {
    this.#swept = Math.floor(now() / this.step);
    this.#timer = setInterval(() => {
      this.sweep(now());
      if (this.#size === 0) this.stop();
    }, this.step);
  }
}
