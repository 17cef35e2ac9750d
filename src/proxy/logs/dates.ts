/** Dates in log lines. The text of a second is made once, then used for all lines of that second. */

export class SecondText {
  readonly #format: (date: Date) => string;
  #second = Number.NaN;
  #text = '';
  #ms = Number.NaN;
  #fine = '';

  constructor(format: (date: Date) => string) {
    this.#format = format;
  }

  /** For wall-clock milliseconds. */
  at(ms: number): string {
    const second = Math.floor(ms / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = this.#format(new Date(second * 1000));
    }
    return this.#text;
  }

  /** With the milliseconds after it: `….007`. Under load many lines share one. */
  withMilliseconds(ms: number): string {
    if (ms !== this.#ms) {
      this.#fine = this.at(ms) + milliseconds(ms);
      this.#ms = ms;
    }
    return this.#fine;
  }
}

/** `21/Nov/2026:21:00:00`, local time. */
export const localDate = () =>
  new SecondText((d) => `${two(d.getDate())}/${MONTHS[d.getMonth()]}/${d.getFullYear()}:${time(d)}`);

/** `21/Nov/2026:21:00:00 +0100`. */
export const localDateWithZone = () =>
  new SecondText(
    (d) => `${two(d.getDate())}/${MONTHS[d.getMonth()]}/${d.getFullYear()}:${time(d)} ${zone(d)}`,
  );

/** `21/Nov/2026:20:00:00 +0000`. */
export const utcDate = () =>
  new SecondText(
    (d) =>
      `${two(d.getUTCDate())}/${MONTHS[d.getUTCMonth()]}/${d.getUTCFullYear()}:${d.toISOString().slice(11, 19)} +0000`,
  );

/** `Nov 21 21:00:00`, the timestamp of RFC 3164. */
export const syslogDate = () =>
  new SecondText((d) => `${MONTHS[d.getMonth()]} ${String(d.getDate()).padStart(2)} ${time(d)}`);

/** `2026-11-21T21:00:00+01:00`, the timestamp of RFC 5424. */
export const isoDate = () =>
  new SecondText(
    (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${time(d)}${zone(d, ':')}`,
  );

/** `.007`: the milliseconds of a moment. */
export function milliseconds(ms: number): string {
  return THOUSAND[Math.floor(ms) % 1000]!;
}

/**
 * Wall-clock milliseconds of a moment on the monotonic clock. The two are compared anew each second, so that a clock
 * that is set shows in the log.
 */
export function wallClock(monotonic: number): number {
  if (Math.abs(monotonic - comparedAt) > 1000) {
    comparedAt = performance.now();
    offset = Date.now() - comparedAt;
  }
  return Math.floor(monotonic + offset);
}

let comparedAt = Number.NEGATIVE_INFINITY;
let offset = 0;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const THOUSAND = Array.from({ length: 1000 }, (_, i) => `.${String(i).padStart(3, '0')}`);

function time(d: Date): string {
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

function zone(d: Date, colon = ''): string {
  const minutes = -d.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${colon}${two(size % 60)}`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}
