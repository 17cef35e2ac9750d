import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Clock, Deadline, now } from '../../src/sockets/timers.ts';

const STEP = 20;
const clocks: Clock[] = [];

/**
 * A clock, and a time from which the test sweeps it on: its own timer never comes to run, for the tests do not wait.
 */
function newClock(): { clock: Clock; start: number } {
  const clock = new Clock(STEP);
  clocks.push(clock);
  const start = Math.ceil(now() / STEP + 1) * STEP;
  return { clock, start };
}

afterEach(() => {
  for (const clock of clocks.splice(0)) clock.stop();
});

class Alarm extends Deadline {
  readonly rang: number[] = [];
  readonly #onRing: (alarm: Alarm, at: number) => void;

  constructor(onRing: (alarm: Alarm, at: number) => void = () => {}) {
    super();
    this.#onRing = onRing;
  }

  override expired(at: number): void {
    this.rang.push(at);
    this.#onRing(this, at);
  }
}

/** Sweeps at every step up to a time, as the clock's timer would. */
function sweepUntil(clock: Clock, from: number, until: number): void {
  for (let at = from; at <= until; at += STEP) clock.sweep(at);
}

describe('a deadline', () => {
  it('is told once, when it is over and not before, at most a step late', () => {
    const { clock, start } = newClock();
    const alarm = new Alarm();
    clock.arm(alarm, start + 100);
    sweepUntil(clock, start, start + 80);
    expect(alarm.rang).toEqual([]);
    sweepUntil(clock, start + 100, start + 400);
    expect(alarm.rang).toHaveLength(1);
    expect(alarm.rang[0]! - (start + 100)).toBeLessThanOrEqual(STEP);
  });

  it('moves later and earlier', () => {
    const { clock, start } = newClock();
    const later = new Alarm();
    const earlier = new Alarm();
    clock.arm(later, start + 100);
    clock.arm(later, start + 1000);
    clock.arm(earlier, start + 1000);
    clock.arm(earlier, start + 100);
    sweepUntil(clock, start, start + 500);
    expect([later.rang.length, earlier.rang.length]).toEqual([0, 1]);
    sweepUntil(clock, start + 520, start + 1100);
    expect([later.rang.length, earlier.rang.length]).toEqual([1, 1]);
  });

  it('may be further away than the wheel is long', () => {
    const { clock, start } = newClock();
    const alarm = new Alarm();
    const far = start + STEP * 512 * 3 + 50;
    clock.arm(alarm, far);
    sweepUntil(clock, start, far - STEP);
    expect(alarm.rang).toEqual([]);
    sweepUntil(clock, far - STEP, far + 2 * STEP);
    expect(alarm.rang).toHaveLength(1);
  });

  it('is never told after it was dropped, or put off for ever', () => {
    const { clock, start } = newClock();
    const dropped = new Alarm();
    const putOff = new Alarm();
    clock.arm(dropped, start + 100);
    clock.arm(putOff, start + 100);
    clock.drop(dropped);
    clock.arm(putOff, Infinity);
    sweepUntil(clock, start, start + 1000);
    expect([...dropped.rang, ...putOff.rang]).toEqual([]);
    clock.arm(putOff, start + 1100);
    sweepUntil(clock, start + 1020, start + 1200);
    expect(putOff.rang).toHaveLength(1);
  });

  it('may be armed again, and others dropped, while it is told', () => {
    const { clock, start } = newClock();
    const victim = new Alarm();
    const again = new Alarm((alarm, at) => {
      if (alarm.rang.length < 3) clock.arm(alarm, at + 100);
      clock.drop(victim);
    });
    clock.arm(victim, start + 100);
    clock.arm(again, start + 100);
    sweepUntil(clock, start, start + 1000);
    expect(again.rang).toHaveLength(3);
    // Both were due at once: whoever came first was told first.
    expect(victim.rang.length).toBeLessThanOrEqual(1);
  });

  it('is told once after a pause of the process, however long', () => {
    const { clock, start } = newClock();
    const alarms = [50, 5_000, 50_000].map((after) => {
      const alarm = new Alarm();
      clock.arm(alarm, start + after);
      return alarm;
    });
    const woken = start + 60_000;
    clock.sweep(woken);
    sweepUntil(clock, woken + STEP, woken + 200);
    expect(alarms.map((alarm) => alarm.rang.length)).toEqual([1, 1, 1]);
  });

  it('holds for any number of them, armed, moved and dropped in any order', () => {
    const action = fc.record({
      who: fc.nat(9),
      what: fc.constantFrom('arm', 'arm', 'arm', 'drop', 'sweep'),
      ms: fc.nat(30_000),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const { clock, start } = newClock();
        let time = start;
        const due = Array.from({ length: 10 }, () => Infinity);
        const told = due.map(() => 0);
        const alarms = due.map(
          (_, i) =>
            new Alarm(() => {
              expect(due[i], 'told too early').toBeLessThanOrEqual(time);
              due[i] = Infinity;
              told[i]!++;
            }),
        );
        for (const { who, what, ms } of actions) {
          if (what === 'arm') clock.arm(alarms[who]!, (due[who] = time + ms));
          else if (what === 'drop') {
            clock.drop(alarms[who]!);
            due[who] = Infinity;
          } else {
            const until = time + ms;
            while (time < until) clock.sweep((time += STEP));
            for (const each of due) expect(each, 'not told in time').toBeGreaterThan(time - 2 * STEP);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('the clock', () => {
  it('runs by itself while there is something to wait for', async () => {
    const clock = new Clock(5);
    clocks.push(clock);
    const due = now() + 30;
    const rang = await new Promise<number>((resolve) => {
      clock.arm(new Alarm((_, at) => resolve(at)), due);
    });
    expect(rang).toBeGreaterThanOrEqual(due);
  });
});
