/** `timeout …` (manual, section 4.2). Bare numbers are milliseconds. */
import type { Cursor } from '../../config/cursor.ts';
import type { Timeouts } from '../settings.ts';
import type { ProxyKeyword, Side } from './proxy-keyword.ts';

interface TimeoutRow {
  readonly name: string;
  readonly key: keyof Timeouts;
  readonly side: Side;
  readonly doc: string;
}

const ROWS: readonly TimeoutRow[] = [
  { name: 'client', key: 'client', side: 'frontend', doc: 'Longest silence of a client' },
  {
    name: 'client-fin',
    key: 'clientFin',
    side: 'frontend',
    doc: 'Longest silence of a client that is half closed',
  },
  { name: 'connect', key: 'connect', side: 'backend', doc: 'Longest wait for a connection to a server' },
  { name: 'server', key: 'server', side: 'backend', doc: 'Longest silence of a server' },
  {
    name: 'server-fin',
    key: 'serverFin',
    side: 'backend',
    doc: 'Longest silence of a server that is half closed',
  },
  { name: 'http-request', key: 'httpRequest', side: 'both', doc: 'Longest wait for a whole request head' },
  { name: 'http-keep-alive', key: 'httpKeepAlive', side: 'both', doc: 'Longest wait for the next request' },
  { name: 'queue', key: 'queue', side: 'backend', doc: 'Longest wait for a server with room' },
  { name: 'tunnel', key: 'tunnel', side: 'backend', doc: 'Longest silence of both sides of a tunnel' },
  {
    name: 'check',
    key: 'check',
    side: 'backend',
    doc: 'Longest wait for the answer to a check, once connected',
  },
  { name: 'tarpit', key: 'tarpit', side: 'both', doc: 'How long a tarpit holds a client' },
];

export const TIMEOUTS: readonly ProxyKeyword[] = ROWS.map(({ name, key, side, doc }) => ({
  keyword: `timeout ${name}`,
  usage: '<time>',
  doc,
  side,
  parse: (words, proxy) => {
    proxy.timeouts[key] = takeTimeout(words);
  },
}));

/** Timers count milliseconds in 31 bits, here as in HAProxy. */
const LONGEST = 2 ** 31 - 1;

export function takeTimeout(words: Cursor, unit: 'ms' | 's' = 'ms'): number {
  const value = words.duration('a time', unit);
  if (value > LONGEST) words.fail('that is longer than timers can count', undefined, 'the longest is 24d');
  words.end();
  return value;
}
