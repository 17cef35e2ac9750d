/**
 * Forms of HAProxy 1.x, which tutorials still show and HAProxy of today refuses. Where the meaning is clear they are
 * read, with a warning that shows the line of today; otherwise they are refused with it.
 */
import { Cursor, WordError } from '../../config/cursor.ts';
import type { ParseContext, Word } from '../../config/language.ts';
import type { RuleSet } from '../expressions.ts';
import { parseRule } from '../rules/parse.ts';
import type { ProxySettings, Timeouts } from '../settings.ts';
import type { ProxyKeyword, Side } from './proxy-keyword.ts';
import { takeTimeout } from './timeouts.ts';

function oldTimeout(keyword: string, name: string, key: keyof Timeouts, side: Side): ProxyKeyword {
  return {
    keyword,
    usage: '<time>',
    doc: `HAProxy 1.x; today: timeout ${name}`,
    side,
    parse: (words, proxy, context) => {
      const value = words.peek()?.text ?? '';
      proxy.timeouts[key] = takeTimeout(words);
      warn(words, context, `timeout ${name} ${value}`);
    },
  };
}

/** `reqadd Name:\ value` → `http-request add-header Name value`. */
function oldAdd(keyword: string, set: 'http-request' | 'http-response'): ProxyKeyword {
  return {
    keyword,
    usage: '<header> [{if|unless} <condition>]',
    doc: `HAProxy 1.x; today: ${set} add-header`,
    side: 'both',
    defaults: 'named',
    parse: (words, proxy, context) => {
      const word = words.take('a header');
      const colon = word.text.indexOf(':');
      if (colon < 1)
        throw new WordError(
          `'${word.text}' is not a header`,
          word.place,
          `write ${set} add-header <name> <value>`,
        );
      const name = word.text.slice(0, colon);
      // A log format stands there today, so that a percent sign has to be doubled.
      const value = word.text
        .slice(colon + 1)
        .trim()
        .replaceAll('%', '%%');
      const rest = [value, ...words.rest().map((w) => w.text)];
      warn(words, context, [set, 'add-header', name, quoted(value), ...rest.slice(1)].join(' '));
      rewrite(words, ['add-header', name, ...rest], set, proxy, context);
    },
  };
}

/** Expressions over whole header lines have no counterpart word for word. */
function refused(keyword: string, today: string, side: Side = 'both'): ProxyKeyword {
  return {
    keyword,
    usage: '…',
    doc: `HAProxy 1.x, refused; today: ${today}`,
    side,
    parse: (words) => {
      throw new WordError(
        `'${keyword}' went away with HAProxy 2.1`,
        words.words[0]!.place,
        `today: ${today}`,
      );
    },
  };
}

export const LEGACY: readonly ProxyKeyword[] = [
  oldTimeout('clitimeout', 'client', 'client', 'frontend'),
  oldTimeout('contimeout', 'connect', 'connect', 'backend'),
  oldTimeout('srvtimeout', 'server', 'server', 'backend'),
  oldTimeout('timeout clitimeout', 'client', 'client', 'frontend'),
  oldTimeout('timeout contimeout', 'connect', 'connect', 'backend'),
  oldTimeout('timeout srvtimeout', 'server', 'server', 'backend'),
  {
    keyword: 'redispatch',
    usage: '',
    doc: 'HAProxy 1.x; today: option redispatch',
    side: 'backend',
    parse: (words, proxy, context) => {
      words.end();
      proxy.redispatch = -1;
      warn(words, context, 'option redispatch');
    },
  },
  {
    keyword: 'option forceclose',
    usage: '',
    doc: 'HAProxy 1.x; today: option httpclose',
    side: 'both',
    parse: (words, proxy, context) => {
      words.end();
      proxy.options.connection = 'close';
      warn(words, context, 'option httpclose');
    },
  },
  {
    keyword: 'option http-tunnel',
    usage: '',
    doc: 'HAProxy 1.x; had its last effect in 2.0',
    side: 'both',
    parse: (words, _proxy, context) => {
      words.end();
      const place = words.words[0]!.place;
      context.report(
        'warning',
        "'option http-tunnel' (HAProxy 1.x) has no effect",
        place,
        'leave the line out',
      );
    },
  },
  {
    keyword: 'block',
    usage: '{if|unless} <condition>',
    doc: 'HAProxy 1.x; today: http-request deny',
    side: 'both',
    defaults: 'named',
    parse: (words, proxy, context) => {
      const rest = words.rest().map((word) => word.text);
      warn(words, context, ['http-request deny', ...rest].join(' '));
      rewrite(words, ['deny', ...rest], 'http-request', proxy, context);
    },
  },
  oldAdd('reqadd', 'http-request'),
  oldAdd('rspadd', 'http-response'),
  ...['reqdel', 'reqidel'].map((k) => refused(k, 'http-request del-header <name>')),
  ...['rspdel', 'rspidel'].map((k) => refused(k, 'http-response del-header <name>')),
  ...['reqrep', 'reqirep'].map((k) =>
    refused(k, 'http-request replace-path <regex> <path>, or replace-header <name> <regex> <value>'),
  ),
  ...['rsprep', 'rspirep'].map((k) => refused(k, 'http-response replace-header <name> <regex> <value>')),
  ...['reqdeny', 'reqideny'].map((k) => refused(k, 'http-request deny if { hdr(<name>) -m reg <regex> }')),
  ...['rspdeny', 'rspideny'].map((k) =>
    refused(k, 'http-response deny if { res.hdr(<name>) -m reg <regex> }'),
  ),
  ...['reqtarpit', 'reqitarpit'].map((k) =>
    refused(k, 'http-request tarpit if { hdr(<name>) -m reg <regex> }'),
  ),
  ...['reqallow', 'reqiallow', 'reqpass', 'reqipass'].map((k) =>
    refused(k, 'http-request allow if <condition>'),
  ),
  refused('reqsetbe', 'use_backend <backend> if <condition>'),
  refused('reqisetbe', 'use_backend <backend> if <condition>'),
  refused('appsession', 'cookie <name>, or stick-table with stick store-response', 'backend'),
  refused('monitor-net', 'http-request return status 200 if { src <network> }', 'frontend'),
];

/** Warns about the whole line, with the line of today. */
export function warn(words: Cursor, context: ParseContext, today: string): void {
  const first = words.words[0]!.place;
  const message = `'${words.keyword}' is a form of HAProxy 1.x`;
  context.report('warning', message, { ...first, length: words.keyword.length }, `today: a line '${today}'`);
}

/** Reads the rule of today, at the place of the old one. */
function rewrite(
  words: Cursor,
  today: readonly string[],
  set: Extract<RuleSet, 'http-request' | 'http-response'>,
  proxy: ProxySettings,
  context: ParseContext,
): void {
  const old = words.words;
  // The last words are those of the condition and keep their places.
  const moved = today.map(
    (text, i): Word => ({ text, place: (old[old.length - today.length + i] ?? old[0]!).place }),
  );
  const rules = set === 'http-request' ? proxy.httpRequest : proxy.httpResponse;
  rules.push(parseRule(new Cursor(moved, 0, set), context, proxy, set));
}

function quoted(value: string): string {
  return /^[\w.:/-]+$/.test(value) ? value : `"${value}"`;
}
