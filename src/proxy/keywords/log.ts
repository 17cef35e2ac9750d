/** `log` (manual, sections 3.1 and 4.2): where messages go, with which facility and from which level on. */
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import type { Word } from '../../config/language.ts';
import type { LogTarget } from '../settings.ts';
import { readAddress } from './address.ts';
import { takeChoice } from './support.ts';

export const LOG_USAGE =
  '<target> [len <length>] [format <format>] [sample <ranges>:<size>] <facility> [<max level> [<min level>]]';

/** Reads the words after `log`. */
export function readLogTarget(words: Cursor): LogTarget {
  const to = readTarget(words.take('an address, a path, stdout or fd@<number>'));
  const target: LogTarget = { to, format: 'local', facility: 0, level: 7, minLevel: 0, length: 1024 };
  if (words.accept('len')) target.length = words.integer('the length of a line in bytes', 80, 65535);
  if (words.accept('format')) target.format = takeChoice(words, 'log format', FORMATS);
  if (words.accept('sample')) target.sample = readSample(words.take('<ranges>:<size>'));
  target.facility = position(words, 'facility', FACILITIES);
  if (words.peek() !== undefined) target.level = position(words, 'level', LEVELS);
  if (words.peek() !== undefined) target.minLevel = position(words, 'level', LEVELS);
  words.end();
  return target;
}

function readTarget(word: Word): LogTarget['to'] {
  if (word.text === 'stdout') return { kind: 'fd', fd: 1 };
  if (word.text === 'stderr') return { kind: 'fd', fd: 2 };
  if (word.text.startsWith('ring@'))
    throw new WordError("'ring@' is not supported by this engine yet", word.place);
  if (word.text.startsWith('tcp')) {
    const [kind] = word.text.split('@');
    if (kind !== word.text) {
      throw new WordError(
        `a log target cannot be '${kind}@'`,
        word.place,
        'syslog goes over UDP or a unix socket',
      );
    }
  }
  const address = readAddress(word.text, word, "'log'");
  if (address.kind === 'unix') return { kind: 'unix', path: address.host };
  if (address.kind === 'fd') return { kind: 'fd', fd: Number(address.host) };
  return { kind: 'udp', host: address.host, port: address.low ?? SYSLOG_PORT };
}

/** `1-3,5:10`: of every 10 messages the first three and the fifth. */
function readSample(word: Word): NonNullable<LogTarget['sample']> {
  const match = /^(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*):(\d+)$/.exec(word.text);
  const size = Number(match?.[2]);
  const ranges = (match?.[1] ?? '').split(',').map((range) => {
    const [low, high] = range.split('-').map(Number);
    return [low!, high ?? low!] as const;
  });
  const ordered = ranges.every(([low, high], i) => low <= high && low > (ranges[i - 1]?.[1] ?? 0));
  if (match === null || !ordered || ranges.at(-1)![1] > size) {
    throw new WordError(
      `'${word.text}' is not a sample of messages`,
      word.place,
      'write rising ranges and a size: 1-3,5:10',
    );
  }
  return { ranges, size };
}

function position(words: Cursor, what: string, names: readonly string[]): number {
  return names.indexOf(takeChoice(words, what, names));
}

const SYSLOG_PORT = 514;
const FORMATS = ['rfc3164', 'rfc5424', 'local', 'short', 'raw', 'timed', 'iso', 'priority'] as const;
/** By their numbers in RFC 5424, section 6.2.1, under the names of the manual. */
const FACILITIES =
  'kern user mail daemon auth syslog lpr news uucp cron auth2 ftp ntp audit alert cron2 local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );
export const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;
