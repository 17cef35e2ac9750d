/** `server` and `default-server` (manual, sections 4.2 and 5.2). */
import { isIP } from 'node:net';
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import type { ParseContext, Word } from '../../config/language.ts';
import { parseSample } from '../acl/parse.ts';
import type { ProxySettings, ServerSettings, ServerTls } from '../settings.ts';
import { loadAuthorities, loadCertificates } from '../tls/files.ts';
import { endpointOf, readAddress } from './address.ts';
import { readAlpn, sslOptionRows, takeFile } from './ssl.ts';
import { configurationOf, noted, type OptionRow, readOptions, takeChoice, takeName } from './support.ts';

export const SERVER_USAGE = '<name> <address>[:[<port>]] [<option>…]';

/** Reads the words after `server`. */
export function readServer(words: Cursor, proxy: ProxySettings, context: ParseContext): void {
  const place = words.peek()?.place;
  const name = takeName(words, 'the name of the server');
  const word = words.take('an address');
  const draft = { ...proxy.defaultServer, tls: { ...tlsDefaults(proxy.defaultServer) } } as ServerDraft;
  readOptions(words, SERVER_OPTIONS, UNSUPPORTED_SERVER_OPTIONS, draft, context, 'server');
  const { tls, encrypted, encryptedChecks, ...options } = draft;
  const server: ServerSettings = {
    ...SERVER_DEFAULTS,
    ...target(word),
    ...options,
    name,
    place: place!,
    id: options.id ?? 0,
  };
  const complete: ServerTls = {
    verify: configurationOf(context).global.sslDefaultServer.verify ?? 'required',
    ...tls,
    options: tls.options ?? {},
  };
  if (encrypted) server.ssl = complete;
  // Checks speak TLS when asked to, and when they go to the very port that requests go to.
  const samePort = server.checkPort === undefined && server.checkAddr === undefined;
  if (encryptedChecks ?? (encrypted && samePort)) server.checkTls = complete;
  proxy.servers.push(server);
}

/** Reads the words after `default-server`; they add to what was said before. */
export function readDefaultServer(words: Cursor, proxy: ProxySettings, context: ParseContext): void {
  const draft = { ...proxy.defaultServer, tls: { ...tlsDefaults(proxy.defaultServer) } } as ServerDraft;
  words.peek() ?? words.take('at least one option');
  readOptions(words, SERVER_OPTIONS, UNSUPPORTED_SERVER_OPTIONS, draft, context, 'default-server');
  proxy.defaultServer = draft;
}

/** What options fill. The words about TLS take effect only with `ssl` or `check-ssl`, wherever those stand. */
interface ServerDraft extends Partial<Omit<ServerSettings, 'ssl' | 'checkTls'>> {
  tls: Partial<ServerTls>;
  encrypted?: boolean;
  encryptedChecks?: boolean;
}

function tlsDefaults(defaults: Partial<ServerSettings>): Partial<ServerTls> {
  const { tls } = defaults as Partial<ServerDraft>;
  return tls === undefined ? {} : { ...tls, options: { ...tls.options } };
}

const SERVER_DEFAULTS = {
  check: false,
  inter: 2000,
  rise: 2,
  fall: 3,
  weight: 1,
  backup: false,
  disabled: false,
  initAddr: ['last', 'libc'],
};

function target(word: Word): Pick<ServerSettings, 'endpoint' | 'host' | 'port' | 'portOffset'> {
  const address = readAddress(word.text, word, "'server'");
  if (address.datagram) throw new WordError(`'${word.text}' is for datagrams`, word.place);
  if (address.high !== address.low) throw new WordError('a server has one port, not a range', word.place);
  if (address.kind !== 'tcp') return { endpoint: endpointOf(address), host: address.host };
  if (address.sign !== undefined) {
    const portOffset = Number(`${address.sign}${address.low}`);
    return { endpoint: endpointOf(address, 0), host: address.host, portOffset };
  }
  if (!address.low) return { endpoint: endpointOf(address, 0), host: address.host, portOffset: 0 };
  return { endpoint: endpointOf(address), host: address.host, port: address.low };
}

type Plain = Omit<ServerDraft, 'tls'>;
/** Settings of exactly this type; `sendProxy`, which is 1 or 2, is no number at large. */
type KeysOf<T> = {
  [K in keyof Plain]-?: [T, NonNullable<Plain[K]>] extends [NonNullable<Plain[K]>, T] ? K : never;
}[keyof Plain];

function flag(keyword: string, key: KeysOf<boolean>, value: boolean, doc: string): OptionRow<ServerDraft> {
  return {
    keyword,
    usage: '',
    doc,
    parse: (_words, draft) => {
      draft[key] = value;
    },
  };
}

function number(
  keyword: string,
  key: KeysOf<number>,
  doc: string,
  min = 0,
  max = 2 ** 31 - 1,
): OptionRow<ServerDraft> {
  return {
    keyword,
    usage: '<number>',
    doc,
    parse: (words, draft) => {
      draft[key] = words.integer('a number', min, max);
    },
  };
}

function delay(
  keyword: string,
  key: KeysOf<number>,
  doc: string,
  min = 0,
  unit: 'ms' | 's' = 'ms',
): OptionRow<ServerDraft> {
  return {
    keyword,
    usage: '<delay>',
    doc,
    parse: (words, draft) => {
      const value = words.duration('a delay', unit);
      if (value < min) words.fail(`'${keyword}' cannot be ${value} ms`);
      draft[key] = value;
    },
  };
}

function text(keyword: string, key: KeysOf<string>, usage: string, doc: string): OptionRow<ServerDraft> {
  return {
    keyword,
    usage,
    doc,
    parse: (words, draft) => {
      draft[key] = words.take(usage.slice(1, -1)).text;
    },
  };
}

export const SERVER_OPTIONS: readonly OptionRow<ServerDraft>[] = [
  flag('check', 'check', true, 'Check the health of the server'),
  flag('no-check', 'check', false, 'Do not check its health'),
  delay('inter', 'inter', 'Time between two checks', 1),
  delay('fastinter', 'fastInter', 'Time between two checks while the state is changing', 1),
  delay('downinter', 'downInter', 'Time between two checks while it is down', 1),
  number('rise', 'rise', 'Good checks in a row that make it up', 1),
  number('fall', 'fall', 'Bad checks in a row that make it down', 1),
  number('port', 'checkPort', 'Port for checks', 1, 65535),
  {
    keyword: 'addr',
    usage: '<address>',
    doc: 'Address for checks',
    parse: (words, draft) => {
      const word = words.take('an address');
      const address = readAddress(word.text, word, "'addr'");
      draft.checkAddr = address.host;
      if (address.low) draft.checkPort = address.low;
    },
  },
  number('weight', 'weight', 'Share of the load, relative to the others', 0, 256),
  flag('backup', 'backup', true, 'Take load only when no other server is up'),
  flag('no-backup', 'backup', false, 'Take load like the others'),
  flag('disabled', 'disabled', true, 'Start in maintenance'),
  flag('enabled', 'disabled', false, 'Start in service'),
  number('maxconn', 'maxconn', 'Most requests at a time; more wait in the queue'),
  number('minconn', 'minconn', 'With maxconn: the limit while the load is low'),
  number('maxqueue', 'maxqueue', 'Most requests that wait for this server'),
  text('cookie', 'cookie', '<value>', 'Value of the persistence cookie'),
  delay('slowstart', 'slowstart', 'Time over which the weight grows after it came up', 0),
  {
    keyword: 'observe',
    usage: 'layer4|layer7',
    doc: 'Judge its health by real traffic too',
    parse: (words, draft) => {
      draft.observe = takeChoice(words, 'thing to observe', ['layer4', 'layer7']);
    },
  },
  number('error-limit', 'errorLimit', 'Errors seen by `observe` before `on-error` acts', 1),
  {
    keyword: 'on-error',
    usage: 'fastinter|fail-check|sudden-death|mark-down',
    doc: 'What to do after so many errors',
    parse: (words, draft) => {
      draft.onError = takeChoice(words, 'action', ['fastinter', 'fail-check', 'sudden-death', 'mark-down']);
    },
  },
  {
    keyword: 'on-marked-down',
    usage: 'shutdown-sessions',
    doc: 'What to do with its sessions when it goes down',
    parse: (words, draft) => {
      draft.onMarkedDown = takeChoice(words, 'action', ['shutdown-sessions']);
    },
  },
  {
    keyword: 'on-marked-up',
    usage: 'shutdown-backup-sessions',
    doc: 'What to do with sessions on backup servers when it comes up',
    parse: (words, draft) => {
      draft.onMarkedUp = takeChoice(words, 'action', ['shutdown-backup-sessions']);
    },
  },
  {
    keyword: 'send-proxy',
    usage: '',
    doc: 'Begin connections with the PROXY protocol, version 1',
    parse: (_words, draft) => {
      draft.sendProxy = 1;
    },
  },
  {
    keyword: 'send-proxy-v2',
    usage: '',
    doc: 'Begin connections with the PROXY protocol, version 2',
    parse: (_words, draft) => {
      draft.sendProxy = 2;
    },
  },
  ...['no-send-proxy', 'no-send-proxy-v2'].map(
    (keyword): OptionRow<ServerDraft> => ({
      keyword,
      usage: '',
      doc: 'Begin connections without the PROXY protocol',
      parse: (_words, draft) => {
        draft.sendProxy = undefined;
      },
    }),
  ),
  flag('check-send-proxy', 'checkSendProxy', true, 'Begin checks with the PROXY protocol too'),
  flag('ssl', 'encrypted', true, 'Speak TLS with the server'),
  flag('no-ssl', 'encrypted', false, 'Speak in the clear'),
  flag('check-ssl', 'encryptedChecks', true, 'Speak TLS in checks'),
  flag('no-check-ssl', 'encryptedChecks', false, 'Check in the clear'),
  {
    keyword: 'verify',
    usage: 'none|required',
    doc: 'Whether its certificate must be good',
    parse: (words, draft) => {
      draft.tls.verify = takeChoice(words, 'way to verify', ['none', 'required']);
    },
  },
  {
    keyword: 'ca-file',
    usage: '<file>',
    doc: 'Authorities that its certificate is checked against',
    parse: (words, draft, context) => {
      const { text, place } = takeFile(words, context, 'caBase');
      draft.tls.caFile = text;
      draft.tls.authorities = loadAuthorities(text, place, context);
    },
  },
  {
    keyword: 'crt',
    usage: '<file>',
    doc: 'Certificate to show to the server',
    parse: (words, draft, context) => {
      const { text, place } = takeFile(words, context, 'crtBase');
      draft.tls.crt = text;
      draft.tls.identity = loadCertificates(text, place, context)[0];
    },
  },
  {
    keyword: 'sni',
    usage: '<sample>',
    doc: 'Name in the handshake',
    parse: (words, draft, context) => {
      draft.tls.sni = parseSample(words.take('a sample expression'), context);
    },
  },
  {
    keyword: 'check-sni',
    usage: '<name>',
    doc: 'Name in the handshake of checks',
    parse: (words, draft) => {
      draft.tls.checkSni = words.take('a name').text;
    },
  },
  {
    keyword: 'verifyhost',
    usage: '<name>',
    doc: 'Name that its certificate must bear',
    parse: (words, draft) => {
      draft.tls.verifyHost = words.take('a name').text;
    },
  },
  {
    keyword: 'no-verifyhost',
    usage: '',
    doc: 'Any name in its certificate will do',
    parse: (_words, draft) => {
      draft.tls.verifyHost = undefined;
    },
  },
  {
    keyword: 'alpn',
    usage: '<protocols>',
    doc: 'Protocols to agree on in the handshake',
    parse: (words, draft) => {
      draft.tls.alpn = readAlpn(words);
    },
  },
  ...sslOptionRows((draft: ServerDraft) => {
    draft.tls.options ??= {};
    return draft.tls.options;
  }),
  text('redir', 'redir', '<prefix>', 'Redirect GET and HEAD requests there instead of forwarding them'),
  text('track', 'track', '[<backend>/]<server>', 'Have the health of another server'),
  {
    keyword: 'source',
    usage: '<address>[:<port>]',
    doc: 'Address to connect from',
    support: 'noted',
    parse: (words) => {
      const word = words.take('an address');
      readAddress(word.text, word, "'source'");
      const next = words.peek();
      if (next?.text === 'usesrc' || next?.text === 'interface') {
        words.fail(`'${next.text}' is not supported by this engine yet`, next);
      }
    },
  },
  {
    keyword: 'init-addr',
    usage: 'last|libc|none|<ip>[,…]',
    doc: 'How to find its address at start',
    parse: (words, draft) => {
      const word = words.take('a list of ways');
      draft.initAddr = word.text.split(',');
      const odd = draft.initAddr.find((way) => !['last', 'libc', 'none'].includes(way) && isIP(way) === 0);
      if (odd !== undefined) {
        words.fail(
          `'${odd}' is no way to find an address`,
          word,
          'there are last, libc, none and an IP address',
        );
      }
    },
  },
  number('pool-max-conn', 'poolMaxConn', 'Most idle connections kept; 0 keeps none', -1),
  delay(
    'pool-purge-delay',
    'poolPurgeDelay',
    'Time after which half of the idle connections are closed',
    0,
    's',
  ),
  number('id', 'id', 'Number of the server in statistics', 1),
  {
    keyword: 'proto',
    usage: 'h1',
    doc: 'Protocol to speak without agreeing on it',
    parse: (words) => {
      const word = words.take('a protocol');
      if (word.text !== 'h1') words.fail(`'proto ${word.text}' is not supported by this engine yet`, word);
    },
  },
  noted('resolvers', '<section>', 'Names are resolved at start, by the system'),
  noted('resolve-prefer', '<family>', 'Which family of addresses to prefer'),
  noted('resolve-net', '<networks>', 'Which addresses to prefer'),
  noted('resolve-opts', '<options>', 'How to resolve'),
  noted('max-reuse', '<count>', 'How often a connection is used again'),
  noted('pool-low-conn', '<max>', 'When to take idle connections of other threads'),
  noted('log-proto', '<protocol>', 'How messages are framed'),
  noted('check-alpn', '<protocols>', 'Protocols to agree on in checks'),
  noted('check-proto', '<name>', 'Protocol of checks'),
  noted('check-reuse-pool', '', 'Take idle connections for checks'),
  noted('npn', '<protocols>', 'Protocols, in the extension that came before ALPN'),
  noted('crl-file', '<file>', 'Certificates that were called back'),
  noted('ssl-reuse', '', 'Resume sessions'),
  noted('no-ssl-reuse', '', 'Do not resume sessions'),
  noted('allow-0rtt', '', 'Send early data'),
  noted('tfo', '', 'TCP Fast Open'),
  noted('no-tfo', '', 'No TCP Fast Open'),
  noted('tcp-ut', '<delay>', 'How long sent bytes may stay unacknowledged'),
  noted('stick', '', 'May be remembered in stick tables'),
  noted('non-stick', '', 'Is not remembered in stick tables'),
  noted('no-agent-check', '', 'No agent is asked'),
  noted('ws', 'auto|h1|h2', 'Protocol of WebSockets'),
];

/** Known to HAProxy, refused by name here. */
export const UNSUPPORTED_SERVER_OPTIONS = [
  'agent-addr',
  'agent-check',
  'agent-inter',
  'agent-port',
  'agent-send',
  'check-pool-conn-name',
  'check-via-socks4',
  'client-sigalgs',
  'curves',
  'guid',
  'hash-key',
  'idle-ping',
  'init-state',
  'interface',
  'log-bufsize',
  'namespace',
  'pool-conn-name',
  'proxy-v2-options',
  'send-proxy-v2-ssl',
  'send-proxy-v2-ssl-cn',
  'no-send-proxy-v2-ssl',
  'no-send-proxy-v2-ssl-cn',
  'set-proxy-v2-tlv-fmt',
  'shard',
  'sigalgs',
  'sni-auto',
  'socks4',
  'strict-maxconn',
  'usesrc',
];
