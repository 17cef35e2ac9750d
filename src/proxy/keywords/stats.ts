/** `stats …` of proxies (manual, section 4.2): the statistics page. */
import { WordError } from '../../config/cursor.ts';
import { parseCondition } from '../acl/parse.ts';
import { parseRule } from '../rules/parse.ts';
import type { ProxySettings, StatsSettings } from '../settings.ts';
import type { ProxyKeyword } from './proxy-keyword.ts';
import { takeTimeout } from './timeouts.ts';

export const STATS: readonly ProxyKeyword[] = [
  {
    keyword: 'stats enable',
    usage: '',
    doc: 'Serve the statistics page',
    side: 'both',
    parse: (words, proxy) => {
      words.end();
      own(proxy);
    },
  },
  {
    keyword: 'stats uri',
    usage: '<prefix>',
    doc: 'Where the page is',
    side: 'both',
    parse: (words, proxy) => {
      own(proxy).uri = words.take('a path').text;
      words.end();
    },
  },
  {
    keyword: 'stats realm',
    usage: '<realm>',
    doc: 'What the browser shows when it asks for a password',
    side: 'both',
    parse: (words, proxy) => {
      own(proxy).realm = words.take('a realm').text;
      words.end();
    },
  },
  {
    keyword: 'stats refresh',
    usage: '<delay>',
    doc: 'How often the page loads itself again; bare numbers are seconds',
    side: 'both',
    parse: (words, proxy) => {
      own(proxy).refresh = Math.floor(takeTimeout(words, 's') / 1000);
    },
  },
  {
    keyword: 'stats auth',
    usage: '<user>:<password>',
    doc: 'Who may see the page',
    side: 'both',
    parse: (words, proxy) => {
      const { text } = words.take('<user>:<password>');
      const colon = text.indexOf(':');
      if (colon < 1)
        words.fail('user and password stand with a colon between them', undefined, 'write user:password');
      own(proxy).auth.push({ user: text.slice(0, colon), password: text.slice(colon + 1) });
      words.end();
    },
  },
  {
    keyword: 'stats admin',
    usage: '{if|unless} <condition>',
    doc: 'Who may change servers on the page',
    side: 'both',
    defaults: 'never',
    parse: (words, proxy, context) => {
      const condition = parseCondition(words, context, proxy);
      if (condition === undefined) {
        throw new WordError(
          "'stats admin' wants a condition",
          words.endPlace(),
          "write 'if' or 'unless' with it",
        );
      }
      own(proxy).admin.push(condition);
    },
  },
  {
    keyword: 'stats http-request',
    usage: '{allow|deny|auth [realm <realm>]} [{if|unless} <condition>]',
    doc: 'Rules for requests of the page',
    side: 'both',
    defaults: 'never',
    parse: (words, proxy, context) => {
      own(proxy).httpRequest.push(parseRule(words, context, proxy, 'stats http-request'));
    },
  },
  {
    keyword: 'stats scope',
    usage: '<proxy>|.',
    doc: 'Which proxies the page shows',
    side: 'both',
    parse: (words, proxy) => {
      own(proxy).scope.push(words.take('the name of a proxy').text);
      words.end();
    },
  },
  {
    keyword: 'stats hide-version',
    usage: '',
    doc: 'Do not show the version',
    side: 'both',
    parse: (words, proxy) => {
      words.end();
      own(proxy).hideVersion = true;
    },
  },
  {
    keyword: 'stats show-legends',
    usage: '',
    doc: 'Show details when the pointer rests on a name',
    side: 'both',
    parse: (words, proxy) => {
      words.end();
      own(proxy).showLegends = true;
    },
  },
  {
    keyword: 'stats show-modules',
    usage: '',
    doc: 'Show the statistics of modules',
    side: 'both',
    support: 'noted',
    parse: (words) => words.end(),
  },
  {
    keyword: 'stats show-node',
    usage: '[<name>]',
    doc: 'Show the name of the machine',
    side: 'both',
    parse: (words, proxy) => {
      own(proxy).showNode = words.peek() === undefined ? '' : words.take('a name').text;
      words.end();
    },
  },
  {
    keyword: 'stats show-desc',
    usage: '[<text>]',
    doc: 'Show a description',
    side: 'both',
    parse: (words, proxy) => {
      own(proxy).showDesc = words
        .rest()
        .map((word) => word.text)
        .join(' ');
    },
  },
];

/** The proxy's own settings. The first `stats` line of a section puts aside all that `defaults` said, as in HAProxy. */
function own(proxy: ProxySettings): StatsSettings {
  if (proxy.stats === undefined || proxy.stats === proxy.from?.stats) {
    proxy.stats = {
      enabled: true,
      uri: '/haproxy?stats',
      realm: 'HAProxy Statistics',
      refresh: 0,
      auth: [],
      admin: [],
      httpRequest: [],
      scope: [],
      hideVersion: false,
      showLegends: false,
    };
  }
  return proxy.stats;
}
