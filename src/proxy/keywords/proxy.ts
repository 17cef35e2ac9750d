/** The keywords of `defaults`, `frontend`, `backend` and `listen`, in the order of the manual's matrix (section 4.1). */
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import type { ParseContext } from '../../config/language.ts';
import { parseAclTest, parseCondition } from '../acl/parse.ts';
import type { LogFormat, RuleSet } from '../expressions.ts';
import { parseLogFormat } from '../logs/parse.ts';
import { parseRule } from '../rules/parse.ts';
import type { CookieSettings, ProxySettings } from '../settings.ts';
import { BALANCE_ROWS, readBalance } from './balance.ts';
import { BIND_USAGE, readBind } from './bind.ts';
import { CHECKS } from './checks.ts';
import { ERRORS } from './errors.ts';
import { LEGACY } from './legacy.ts';
import { LOG_USAGE, readLogTarget } from './log.ts';
import { OPTIONS } from './options.ts';
import type { ProxyKeyword, Side } from './proxy-keyword.ts';
import { readDefaultServer, readServer, SERVER_USAGE } from './server.ts';
import { STATS } from './stats.ts';
import { configurationOf, takeChoice, takeName } from './support.ts';
import { TIMEOUTS, takeTimeout } from './timeouts.ts';

type NumberKey = {
  [K in keyof ProxySettings]-?: NonNullable<ProxySettings[K]> extends number ? K : never;
}[keyof ProxySettings];
type RuleKey =
  | 'tcpRequestConnection'
  | 'tcpRequestSession'
  | 'tcpRequestContent'
  | 'tcpResponseContent'
  | 'httpRequest'
  | 'httpResponse'
  | 'httpAfterResponse';

function count(keyword: string, key: NumberKey, side: Side, doc: string, min = 0): ProxyKeyword {
  return {
    keyword,
    usage: '<number>',
    doc,
    side,
    parse: (words, proxy) => {
      (proxy as Record<NumberKey, number>)[key] = words.integer('a number', min, 2 ** 31 - 1);
      words.end();
    },
  };
}

function rules(set: RuleSet, key: RuleKey, side: Side, doc: string): ProxyKeyword {
  return {
    keyword: set,
    usage: '<action> [<argument>…] [{if|unless} <condition>]',
    doc,
    side,
    defaults: 'named',
    parse: (words, proxy, context) => {
      proxy[key].push(parseRule(words, context, proxy, set));
    },
  };
}

function format(
  keyword: string,
  key: 'logFormat' | 'errorLogFormat' | 'uniqueIdFormat',
  doc: string,
  support?: 'noted',
): ProxyKeyword {
  return {
    keyword,
    support,
    usage: '<format>',
    doc,
    side: 'frontend',
    parse: (words, proxy, context) => {
      const word = words.take('a log format');
      words.end();
      // A unique id is made while the request is there, log lines when it is gone.
      const where = key === 'uniqueIdFormat' ? 'http-request' : 'log';
      proxy[key] = parseLogFormat(word.text, word.place, context, where);
    },
  };
}

function capture(where: 'request' | 'response'): ProxyKeyword {
  return {
    keyword: `capture ${where} header`,
    usage: '<name> len <length>',
    doc: `Keep a ${where} header for the log`,
    side: 'frontend',
    defaults: 'never',
    parse: (words, proxy) => {
      const header = words.take('the name of a header').text;
      takeChoice(words, 'word', ['len']);
      proxy.captures.push({ where, header, length: words.integer('a length', 1, 65535) });
      words.end();
    },
  };
}

const captureCookie: ProxyKeyword = {
  keyword: 'capture cookie',
  usage: '<name> len <length>',
  doc: 'Keep a cookie of request and response for the log; without "=" at its end the name is a beginning',
  side: 'frontend',
  defaults: 'never',
  parse: (words, proxy) => {
    const name = words.take('the name of a cookie').text;
    takeChoice(words, 'word', ['len']);
    proxy.captureCookie = { name, length: words.integer('a length', 1, 65535) };
    words.end();
  },
};

/** Read and not acted on. `usage` words are counted unless it ends in `…`. */
function idle(keyword: string, usage: string, side: Side, doc: string): ProxyKeyword {
  const parse = (words: Cursor) => {
    if (usage.endsWith('…')) {
      words.rest();
      return;
    }
    for (const what of usage.split(' ')) words.take(what);
    words.end();
  };
  return { keyword, usage, doc, side, support: 'noted', parse };
}

export const PROXY_KEYWORDS: readonly ProxyKeyword[] = [
  {
    keyword: 'acl',
    usage: '<name> <criterion> [<flag>…] [<value>…]',
    doc: 'Name a test; lines of the same name are alternatives',
    side: 'both',
    defaults: 'named',
    parse: (words, proxy, context) => {
      const name = takeName(words, 'the name of an ACL');
      const test = parseAclTest(words, context, proxy);
      const known = proxy.acls.get(name);
      if (known === undefined) proxy.acls.set(name, [test]);
      else known.push(test);
    },
  },
  idle('backlog', '<number>', 'frontend', 'Connections that may wait to be accepted'),
  {
    keyword: 'balance',
    usage: BALANCE_ROWS.map((row) => row.keyword).join('|'),
    doc: 'How to choose a server',
    side: 'backend',
    parse: (words, proxy, context) => {
      const { algorithm, args, expression } = readBalance(words, context);
      proxy.balance = { algorithm, args, expression };
    },
  },
  {
    keyword: 'bind',
    usage: BIND_USAGE,
    doc: 'Where to listen',
    side: 'frontend',
    defaults: 'never',
    parse: readBind,
  },
  captureCookie,
  capture('request'),
  capture('response'),
  {
    keyword: 'cookie',
    usage:
      '<name> [rewrite|insert|prefix] [indirect] [nocache] [postonly] [preserve] [httponly] [secure] [domain <domain>]… [maxidle <time>] [maxlife <time>] [attr <attribute>]…',
    doc: 'Keep a user at one server by a cookie; maxidle and maxlife have no effect',
    side: 'backend',
    parse: (words, proxy, context) => {
      proxy.cookie = readCookie(words, context);
    },
    without: (words, proxy) => {
      words.end();
      proxy.cookie = undefined;
    },
  },
  {
    keyword: 'default-server',
    usage: '<option>…',
    doc: 'Options of the servers below',
    side: 'backend',
    parse: readDefaultServer,
  },
  {
    keyword: 'default_backend',
    usage: '<backend>',
    doc: 'Where requests go that no `use_backend` took',
    side: 'frontend',
    parse: (words, proxy) => {
      proxy.defaultBackend = words.take('the name of a backend').text;
      words.end();
    },
  },
  {
    keyword: 'description',
    usage: '<text>',
    doc: 'What the proxy is for',
    side: 'both',
    defaults: 'never',
    parse: (words, proxy) => {
      proxy.description = words
        .rest()
        .map((word) => word.text)
        .join(' ');
    },
  },
  {
    keyword: 'disabled',
    usage: '',
    doc: 'Do not start it',
    side: 'both',
    parse: (words, proxy) => {
      words.end();
      proxy.disabled = true;
    },
  },
  {
    keyword: 'enabled',
    usage: '',
    doc: 'Start it although the defaults say `disabled`',
    side: 'both',
    parse: (words, proxy) => {
      words.end();
      proxy.disabled = false;
    },
  },
  ...ERRORS,
  format('error-log-format', 'errorLogFormat', 'How to log connections that failed early', 'noted'),
  count('fullconn', 'fullconn', 'backend', 'Load at which servers reach their maxconn'),
  {
    keyword: 'hash-type',
    usage: '{map-based|consistent} [{sdbm|djb2|wt6|crc32|none} [avalanche]]',
    doc: 'How hashes find servers',
    side: 'backend',
    parse: (words, proxy) => {
      const method = takeChoice(words, 'method', ['map-based', 'consistent']);
      const named = words.peek() !== undefined;
      const chosen = named
        ? takeChoice(words, 'hash function', ['sdbm', 'djb2', 'wt6', 'crc32', 'none'])
        : 'sdbm';
      // The ring needs well spread hashes: `consistent` alone means `consistent sdbm avalanche`.
      const spread = named ? words.accept('avalanche') : method === 'consistent';
      const modifier = spread ? 'avalanche' : undefined;
      words.end();
      proxy.hashType = { method, function: chosen, modifier };
    },
  },
  rules('http-request', 'httpRequest', 'both', 'A rule for requests'),
  rules('http-response', 'httpResponse', 'both', 'A rule for responses of servers'),
  rules(
    'http-after-response',
    'httpAfterResponse',
    'both',
    'A rule for all responses, also those of the proxy itself',
  ),
  {
    keyword: 'http-reuse',
    usage: 'never|safe|aggressive|always',
    doc: 'Whether idle connections to servers serve other clients',
    side: 'backend',
    parse: (words, proxy) => {
      proxy.options.httpReuse = takeChoice(words, 'way', ['never', 'safe', 'aggressive', 'always']);
      words.end();
    },
  },
  {
    ...count('id', 'id', 'both', 'Number of the proxy in statistics', 1),
    defaults: 'never',
  },
  {
    keyword: 'log',
    usage: `global | ${LOG_USAGE}`,
    doc: 'Where to log',
    side: 'both',
    parse: (words, proxy) => {
      if (words.accept('global')) {
        words.end();
        proxy.logGlobal = true;
      } else proxy.logs.push(readLogTarget(words));
    },
    without: (words, proxy) => {
      words.end();
      proxy.logs = [];
      proxy.logGlobal = false;
    },
  },
  format('log-format', 'logFormat', 'How to log'),
  {
    keyword: 'log-tag',
    usage: '<text>',
    doc: 'Name of the program in log lines',
    side: 'both',
    parse: (words, proxy) => {
      proxy.logTag = words.take('a tag').text;
      words.end();
    },
  },
  count('maxconn', 'maxconn', 'frontend', 'Most connections at a time'),
  {
    keyword: 'mode',
    usage: 'tcp|http',
    doc: 'Whether to read HTTP',
    side: 'both',
    parse: (words, proxy) => {
      const next = words.peek();
      if (next !== undefined && ['health', 'log', 'spop', 'haterm'].includes(next.text)) {
        throw new WordError(`'mode ${next.text}' is not supported by this engine yet`, next.place);
      }
      proxy.mode = takeChoice(words, 'mode', ['tcp', 'http']);
      words.end();
    },
  },
  {
    keyword: 'monitor fail',
    usage: '{if|unless} <condition>',
    doc: 'When the monitor page reports failure',
    side: 'frontend',
    defaults: 'never',
    parse: (words, proxy, context) => {
      const condition = parseCondition(words, context, proxy);
      if (condition === undefined) {
        throw new WordError(
          "'monitor fail' wants a condition",
          words.endPlace(),
          "write 'if' or 'unless' with it",
        );
      }
      proxy.monitorFail.push(condition);
    },
  },
  {
    keyword: 'monitor-uri',
    usage: '<uri>',
    doc: 'A page that says that the proxy is alive',
    side: 'frontend',
    parse: (words, proxy) => {
      proxy.monitorUri = words.take('a path').text;
      words.end();
    },
  },
  ...OPTIONS,
  ...CHECKS,
  {
    keyword: 'redirect',
    usage:
      '{location|prefix|scheme} <to> [code <code>] [drop-query] [append-slash] [set-cookie …] [{if|unless} <condition>]',
    doc: 'Redirect, after all `http-request` rules',
    side: 'both',
    defaults: 'never',
    parse: (words, proxy, context) => {
      words.position = 0;
      redirectsOf(proxy).push(parseRule(words, context, proxy, 'http-request'));
    },
  },
  count('retries', 'retries', 'backend', 'How often to try again to connect'),
  {
    keyword: 'retry-on',
    usage: '<event>…',
    doc: 'After which failures to send a request again',
    side: 'backend',
    parse: (words, proxy) => {
      const events: string[] = [];
      do events.push(takeChoice(words, 'event', RETRY_EVENTS));
      while (words.peek() !== undefined);
      proxy.retryOn = events;
    },
  },
  {
    keyword: 'server',
    usage: SERVER_USAGE,
    doc: 'A server to forward to',
    side: 'backend',
    defaults: 'never',
    strict: true,
    parse: readServer,
  },
  {
    keyword: 'source',
    usage: '<address>[:<port>]',
    doc: 'Address to connect to servers from',
    side: 'backend',
    support: 'noted',
    parse: (words, proxy, context) => {
      words.position = 0;
      readDefaultServer(words, proxy, context);
    },
  },
  ...STATS,
  rules('tcp-request connection', 'tcpRequestConnection', 'frontend', 'A rule for new connections'),
  rules('tcp-request session', 'tcpRequestSession', 'frontend', 'A rule for connections after handshakes'),
  rules('tcp-request content', 'tcpRequestContent', 'both', 'A rule for the first bytes of clients'),
  rules('tcp-response content', 'tcpResponseContent', 'backend', 'A rule for the first bytes of servers'),
  {
    keyword: 'tcp-request inspect-delay',
    usage: '<time>',
    doc: 'How long rules may wait for bytes of clients',
    side: 'both',
    defaults: 'named',
    parse: (words, proxy) => {
      proxy.inspectDelay = takeTimeout(words);
    },
  },
  ...TIMEOUTS,
  format('unique-id-format', 'uniqueIdFormat', 'What names a request'),
  {
    keyword: 'unique-id-header',
    usage: '<name>',
    doc: 'Header that carries the name of a request',
    side: 'frontend',
    parse: (words, proxy) => {
      proxy.uniqueIdHeader = words.take('the name of a header').text;
      words.end();
    },
  },
  {
    keyword: 'use_backend',
    usage: '<backend> [{if|unless} <condition>]',
    doc: 'Where requests go that meet the condition',
    side: 'frontend',
    defaults: 'never',
    parse: (words, proxy, context) => {
      const word = words.take('the name of a backend');
      const name = nameOrFormat(word.text, () =>
        parseLogFormat(word.text, word.place, context, 'use_backend'),
      );
      const condition = parseCondition(words, context, proxy, 'use_backend');
      words.end();
      proxy.useBackends.push({ name, condition, place: word.place });
    },
  },
  {
    keyword: 'use-server',
    usage: '<server> [{if|unless} <condition>]',
    doc: 'Which server takes requests that meet the condition',
    side: 'backend',
    defaults: 'never',
    parse: (words, proxy, context) => {
      const word = words.take('the name of a server');
      const name = nameOrFormat(word.text, () =>
        parseLogFormat(word.text, word.place, context, 'use-server'),
      );
      const condition = parseCondition(words, context, proxy, 'use-server');
      words.end();
      proxy.useServers.push({ name, condition, place: word.place });
    },
  },
  ...LEGACY,
  idle('bind-process', '…', 'both', 'Which processes run it'),
  idle('clitcpka-cnt', '<count>', 'frontend', 'TCP keep-alive towards clients: probes'),
  idle('clitcpka-idle', '<time>', 'frontend', 'TCP keep-alive towards clients: silence before probes'),
  idle('clitcpka-intvl', '<time>', 'frontend', 'TCP keep-alive towards clients: time between probes'),
  idle('compression algo', '…', 'both', 'Compress responses; they pass as they are'),
  idle('compression algo-res', '…', 'both', 'Compress responses; they pass as they are'),
  idle('compression direction', '<direction>', 'both', 'What to compress'),
  idle('compression minsize-res', '<size>', 'both', 'Smallest response to compress'),
  idle('compression offload', '…', 'both', 'Keep servers from compressing'),
  idle('compression type', '…', 'both', 'Which responses to compress'),
  idle('compression type-res', '…', 'both', 'Which responses to compress'),
  idle('filter compression', '…', 'both', 'Where responses are compressed'),
  idle('grace', '<time>', 'frontend', 'How long to go on when stopping (HAProxy 1.x)'),
  idle('load-server-state-from-file', '<which>', 'backend', 'Remember the state of servers'),
  idle('log-format-sd', '<format>', 'frontend', 'Structured data of RFC 5424'),
  idle('max-keep-alive-queue', '<number>', 'backend', 'Queue beyond which another server is better'),
  idle('server-state-file-name', '…', 'backend', 'Where the state of servers is'),
  idle('srvtcpka-cnt', '<count>', 'backend', 'TCP keep-alive towards servers: probes'),
  idle('srvtcpka-idle', '<time>', 'backend', 'TCP keep-alive towards servers: silence before probes'),
  idle('srvtcpka-intvl', '<time>', 'backend', 'TCP keep-alive towards servers: time between probes'),
  idle('tcp-response inspect-delay', '<time>', 'backend', 'How long rules may wait for bytes of servers'),
];

const RETRY_EVENTS = [
  'none',
  'conn-failure',
  'empty-response',
  'junk-response',
  'response-timeout',
  '0rtt-rejected',
  'all-retryable-errors',
  '401',
  '403',
  '404',
  '408',
  '421',
  '425',
  '429',
  '500',
  '501',
  '502',
  '503',
  '504',
];

/** Names of sections with `%` in them are log formats, made for each request. */
function nameOrFormat(text: string, parse: () => LogFormat): string | LogFormat {
  return text.includes('%') ? parse() : text;
}

const redirects = new WeakMap<ProxySettings, ProxySettings['httpRequest']>();

/** `redirect` rules of a section: they act after its `http-request` rules, wherever they stand. */
export function redirectsOf(proxy: ProxySettings): ProxySettings['httpRequest'] {
  const known = redirects.get(proxy);
  if (known !== undefined) return known;
  const made: ProxySettings['httpRequest'] = [];
  redirects.set(proxy, made);
  return made;
}

function readCookie(words: Cursor, context: ParseContext): CookieSettings {
  const cookie: CookieSettings = {
    name: words.take('the name of a cookie').text,
    mode: 'none',
    indirect: false,
    nocache: false,
    postonly: false,
    preserve: false,
    httponly: false,
    secure: false,
    domains: [],
    attrs: [],
  };
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    const name = takeChoice(words, "word of 'cookie'", COOKIE_WORDS);
    if (name === 'insert' || name === 'rewrite' || name === 'prefix') {
      if (cookie.mode !== 'none')
        words.fail(`'${name}' after '${cookie.mode}': a cookie has one of them`, word);
      cookie.mode = name;
    } else if (name === 'domain') cookie.domains.push(words.take('a domain').text);
    else if (name === 'attr') cookie.attrs.push(words.take('an attribute').text);
    else if (name === 'maxidle' || name === 'maxlife') {
      words.duration('a time', 's');
      configurationOf(context).noted.push({ keyword: `cookie … ${name}`, place: word.place });
    } else if (name === 'dynamic')
      words.fail("'dynamic' of 'cookie' is not supported by this engine yet", word);
    else cookie[name] = true;
  }
  return cookie;
}

const COOKIE_WORDS = [
  'insert',
  'rewrite',
  'prefix',
  'indirect',
  'nocache',
  'postonly',
  'preserve',
  'httponly',
  'secure',
  'domain',
  'attr',
  'maxidle',
  'maxlife',
  'dynamic',
] as const;
