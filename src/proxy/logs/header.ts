/** What stands before the message of a log line (manual, keyword `log`): a row a format. */
import type { LogTarget } from '../settings.ts';
import { isoDate, type SecondText, syslogDate } from './dates.ts';

/** Level 0–7 of this message, and the wall clock. */
export type Header = (level: number, nowMs: number) => string;

interface HeaderParts {
  readonly tag: string;
  readonly pid: number;
  /** From `log-send-hostname`. */
  readonly hostname: string | undefined;
}

/** Makes the header of lines to a target. Levels above `minLevel` in severity are sent as it. */
export function compileHeader(target: LogTarget, parts: HeaderParts): Header {
  const render = HEADERS[target.format](parts);
  const { facility, minLevel } = target;
  return (level, nowMs) => {
    const sent = Math.max(level, minLevel);
    return render(facility * 8 + sent, sent, nowMs);
  };
}

type Render = (priority: number, level: number, nowMs: number) => string;

const HEADERS: Record<LogTarget['format'], (parts: HeaderParts) => Render> = {
  local: (parts) => bsd(parts, parts.hostname),
  rfc3164: (parts) => bsd(parts, parts.hostname ?? 'localhost'),
  rfc5424: ({ tag, pid, hostname }) => {
    const date = isoDate();
    const rest = ` ${hostname ?? '-'} ${tag} ${pid} - - `;
    return (priority, _level, now) => `<${priority}>1 ${microseconds(date, now)}${rest}`;
  },
  short: () => (_priority, level) => `<${level}>`,
  raw: () => () => '',
  timed: () => {
    const date = isoDate();
    return (_priority, level, now) => `<${level}>${microseconds(date, now)} `;
  },
  iso: () => {
    const date = isoDate();
    return (_priority, _level, now) => `${microseconds(date, now)} `;
  },
  priority: () => (priority) => `<${priority}>`,
};

/** `<134>Nov 21 21:00:00 host haproxy[42]: `, the same text for a whole second. */
function bsd({ tag, pid }: HeaderParts, hostname: string | undefined): Render {
  const date = syslogDate();
  const rest = `${hostname === undefined ? ' ' : ` ${hostname} `}${tag}[${pid}]: `;
  let second = Number.NaN;
  const texts: string[] = [];
  return (priority, level, now) => {
    const thisSecond = Math.floor(now / 1000);
    if (thisSecond !== second) {
      second = thisSecond;
      texts.length = 0;
    }
    return (texts[level] ??= `<${priority}>${date.at(now)}${rest}`);
  };
}

/** `2026-11-21T21:00:00.123456+00:00`. The clock has milliseconds; the format wants six digits. */
function microseconds(date: SecondText, now: number): string {
  const text = date.at(now);
  const fraction = String(Math.floor(now) % 1000).padStart(3, '0');
  return `${text.slice(0, 19)}.${fraction}000${text.slice(19)}`;
}
