import { type Clock, Deadline, now } from '../sockets/timers.ts';

/** Time for what happens seldom (checks, runtime sockets): one closure an alarm. Tests bring their own. */
export interface AlarmClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Runs something once, later; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Alarms on the engine's one clock. */
export function alarmClock(clock: Clock): AlarmClock {
  return {
    now,
    after(ms, run) {
      const entry = new Alarm(run);
      clock.arm(entry, now() + ms);
      return () => clock.drop(entry);
    },
  };
}

class Alarm extends Deadline {
  readonly #run: () => void;

  constructor(run: () => void) {
    super();
    this.#run = run;
  }

  override expired(): void {
    this.deadline = Infinity;
    this.#run();
  }
}
