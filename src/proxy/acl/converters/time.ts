/** Converters from seconds since 1970 to dates (manual, section 7.3.1). */
import type { ConverterRow } from '../../expressions.ts';

export const TIME_CONVERTERS: readonly ConverterRow[] = [
  formatted('ltime', 'The date in local time, as strftime(3) formats it.', false),
  formatted('utime', 'The date in UTC, as strftime(3) formats it.', true),
  {
    keyword: 'http_date',
    usage: '([<offset>[,<unit>]])',
    doc: 'The date as HTTP writes it; unit s, ms or us.',
    input: 'int',
    output: 'str',
    check: ([offset = '0', unit = 's', more]) =>
      more === undefined && /^-?\d+$/.test(offset) && UNITS[unit] !== undefined
        ? undefined
        : 'wants an offset and a unit (s, ms, us)',
    compile: ([offset = '0', unit = 's']) => {
      const add = Number(offset);
      const perSecond = UNITS[unit]!;
      return (value) => {
        const moment = (value as number) + add;
        const seconds = Math.floor(moment / perSecond);
        const text = new Date(seconds * 1000).toUTCString();
        // Finer units add their part of the second as a bare number, as HAProxy does.
        return perSecond === 1 ? text : text.replace(' GMT', `.${moment - seconds * perSecond} GMT`);
      };
    },
  },
];

/** How many of them a second has. */
const UNITS: Record<string, number> = { s: 1, ms: 1000, us: 1_000_000 };

function formatted(keyword: string, doc: string, utc: boolean): ConverterRow {
  return {
    keyword,
    usage: '(<format>[,<offset>])',
    doc,
    input: 'int',
    output: 'str',
    check: ([format, offset = '0', more]) =>
      format !== undefined && more === undefined && /^-?\d+$/.test(offset)
        ? undefined
        : 'wants a format and an offset in seconds',
    compile: ([format, offset = '0']) => {
      const add = Number(offset);
      return (value) => strftime(format!, new Date(((value as number) + add) * 1000), utc);
    },
  };
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

/** strftime(3) in the C locale; conversions it does not know stand as they are. */
function strftime(format: string, date: Date, utc: boolean): string {
  // A date whose UTC parts are the wanted ones.
  const zone = utc ? 0 : -date.getTimezoneOffset();
  const d = new Date(date.getTime() + zone * 60_000);
  const two = (n: number) => String(n).padStart(2, '0');
  const space = (n: number) => String(n).padStart(2, ' ');
  const hour12 = d.getUTCHours() % 12 || 12;
  const dayOfYear = Math.floor(
    (Date.UTC(d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate()) - Date.UTC(d.getUTCFullYear(), 0, 1)) /
      86_400_000,
  );
  const week = (first: number) => Math.floor((dayOfYear + 7 - ((d.getUTCDay() - first + 7) % 7)) / 7);
  const one = (c: string): string => {
    switch (c) {
      case 'a':
        return DAYS[d.getUTCDay()]!.slice(0, 3);
      case 'A':
        return DAYS[d.getUTCDay()]!;
      case 'b':
      case 'h':
        return MONTHS[d.getUTCMonth()]!.slice(0, 3);
      case 'B':
        return MONTHS[d.getUTCMonth()]!;
      case 'c':
        return many('%a %b %e %H:%M:%S %Y');
      case 'C':
        return two(Math.floor(d.getUTCFullYear() / 100));
      case 'd':
        return two(d.getUTCDate());
      case 'D':
      case 'x':
        return many('%m/%d/%y');
      case 'e':
        return space(d.getUTCDate());
      case 'F':
        return many('%Y-%m-%d');
      case 'H':
        return two(d.getUTCHours());
      case 'I':
        return two(hour12);
      case 'j':
        return String(dayOfYear + 1).padStart(3, '0');
      case 'k':
        return space(d.getUTCHours());
      case 'l':
        return space(hour12);
      case 'm':
        return two(d.getUTCMonth() + 1);
      case 'M':
        return two(d.getUTCMinutes());
      case 'n':
        return '\n';
      case 'p':
        return d.getUTCHours() < 12 ? 'AM' : 'PM';
      case 'r':
        return many('%I:%M:%S %p');
      case 'R':
        return many('%H:%M');
      case 's':
        return String(Math.floor(date.getTime() / 1000));
      case 'S':
        return two(d.getUTCSeconds());
      case 't':
        return '\t';
      case 'T':
      case 'X':
        return many('%H:%M:%S');
      case 'u':
        return String(d.getUTCDay() || 7);
      case 'U':
        return two(week(0));
      case 'w':
        return String(d.getUTCDay());
      case 'W':
        return two(week(1));
      case 'y':
        return two(d.getUTCFullYear() % 100);
      case 'Y':
        return String(d.getUTCFullYear());
      case 'z':
        return `${zone < 0 ? '-' : '+'}${two(Math.floor(Math.abs(zone) / 60))}${two(Math.abs(zone) % 60)}`;
      case 'Z':
        return utc ? 'UTC' : zoneName(date);
      case '%':
        return '%';
      default:
        return `%${c}`;
    }
  };
  const many = (text: string): string => text.replace(/%([A-Za-z%])/g, (_, c: string) => one(c));
  return many(format);
}

function zoneName(date: Date): string {
  return /\b([A-Z]{2,5})$/.exec(date.toLocaleTimeString('en-US', { timeZoneName: 'short' }))?.[1] ?? '';
}
