/** `bind` (manual, sections 4.2 and 5.1): where to listen, and how. */
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import type { ParseContext, Word } from '../../config/language.ts';
import type { BindSettings, ProxySettings, StatsSocket } from '../settings.ts';
import { loadAuthorities, loadCertificates } from '../tls/files.ts';
import { endpointOf, readAddress } from './address.ts';
import { readAlpn, sslOptionRows, takeFile } from './ssl.ts';
import { noted, type OptionRow, readOptions, takeChoice } from './support.ts';

export const BIND_USAGE = '[<address>]:<port>[-<port>] [, …] [<option>…]';

/** Reads the words after `bind`; one listener for each address and port. */
export function readBind(words: Cursor, proxy: ProxySettings, context: ParseContext): void {
  proxy.saysBind = true;
  const word = words.take('an address with a port (*:80) or a path');
  const found = readListeners(word);
  const draft: BindDraft = { tls: undefined, encrypted: false };
  readOptions(words, BIND_OPTIONS, UNSUPPORTED_BIND_OPTIONS, draft, context, 'bind');
  const { tls, encrypted, ...rest } = draft;
  for (const listener of found) {
    proxy.binds.push({
      ...listener,
      acceptProxy: false,
      ...rest,
      ...(encrypted ? { ssl: tls ?? newTls() } : {}),
    });
  }
}

/** Listeners of an address list, `10.0.0.1:80,10.0.0.1:8000-8003`. Also the old `listen name *:8080`. */
export function readListeners(word: Word): Pick<BindSettings, 'endpoint' | 'place' | 'text'>[] {
  return word.text.split(',').flatMap((text) => {
    const address = readAddress(text, word, "'bind'");
    if (address.datagram)
      throw new WordError(`'${text}' is for datagrams; 'bind' wants a stream`, word.place);
    if (address.kind !== 'tcp') return [{ endpoint: endpointOf(address), place: word.place, text }];
    if (!address.low || address.sign !== undefined) {
      const written = text.replace(/:$/, '');
      throw new WordError(
        `no port in '${text}'`,
        word.place,
        `write it behind a colon: ${written === '' ? '*' : written}:80`,
      );
    }
    const count = address.high! - address.low + 1;
    return Array.from({ length: count }, (_, i) => ({
      endpoint: endpointOf(address, address.low! + i),
      place: word.place,
      text,
    }));
  });
}

interface BindDraft extends Partial<Omit<BindSettings, 'ssl' | 'endpoint' | 'place' | 'text'>> {
  tls: NonNullable<BindSettings['ssl']> | undefined;
  /** `ssl` was said; without it the TLS words have no effect, as in HAProxy. */
  encrypted: boolean;
}

const newTls = (): NonNullable<BindSettings['ssl']> => ({
  crt: [],
  certificates: [],
  options: {},
});

function tlsOf(draft: BindDraft): NonNullable<BindSettings['ssl']> {
  draft.tls ??= newTls();
  return draft.tls;
}

/** Owner and mode of a unix socket: `bind` and `stats socket` take the same words. */
const SOCKET_OPTIONS: OptionRow<{ mode?: number }>[] = [
  {
    keyword: 'mode',
    usage: '<mode>',
    doc: 'Permissions of the unix socket, in octal',
    parse: (words, draft) => {
      const word = words.take('a mode');
      if (!/^[0-7]{3,4}$/.test(word.text))
        words.fail(`'${word.text}' is not a mode`, word, 'modes are octal: 660');
      draft.mode = Number.parseInt(word.text, 8);
    },
  },
  noted('user', '<user>', 'Owner of the unix socket'),
  noted('uid', '<uid>', 'Owner of the unix socket, by number'),
  noted('group', '<group>', 'Group of the unix socket'),
  noted('gid', '<gid>', 'Group of the unix socket, by number'),
];

export const BIND_OPTIONS: readonly OptionRow<BindDraft>[] = [
  ...SOCKET_OPTIONS,
  {
    keyword: 'name',
    usage: '<name>',
    doc: 'Name of the listener in statistics',
    parse: (words, draft) => {
      draft.name = words.take('a name').text;
    },
  },
  {
    keyword: 'accept-proxy',
    usage: '',
    doc: 'Expect the PROXY protocol before anything else',
    parse: (_words, draft) => {
      draft.acceptProxy = true;
    },
  },
  noted('backlog', '<backlog>', 'Connections that may wait to be accepted'),
  {
    keyword: 'maxconn',
    usage: '<maxconn>',
    doc: 'Most connections at a time on this listener',
    parse: (words, draft) => {
      draft.maxconn = words.integer('a number of connections');
    },
  },
  {
    keyword: 'v4v6',
    usage: '',
    doc: 'Accept IPv4 too on an IPv6 address',
    parse: (_words, draft) => {
      draft.v6only = false;
    },
  },
  {
    keyword: 'v6only',
    usage: '',
    doc: 'Accept IPv6 only',
    parse: (_words, draft) => {
      draft.v6only = true;
    },
  },
  {
    keyword: 'ssl',
    usage: '',
    doc: 'Speak TLS with clients',
    parse: (_words, draft) => {
      draft.encrypted = true;
    },
  },
  {
    keyword: 'crt',
    usage: '<file>',
    doc: 'Certificate and key in one PEM file, or a folder of them',
    parse: (words, draft, context) => {
      const { text, place } = takeFile(words, context, 'crtBase');
      const tls = tlsOf(draft);
      tls.crt.push(text);
      tls.certificates.push(...loadCertificates(text, place, context));
    },
  },
  {
    keyword: 'ca-file',
    usage: '<file>',
    doc: 'Authorities that client certificates are checked against',
    parse: (words, draft, context) => {
      const { text, place } = takeFile(words, context, 'caBase');
      tlsOf(draft).caFile = text;
      tlsOf(draft).authorities = loadAuthorities(text, place, context);
    },
  },
  {
    keyword: 'verify',
    usage: 'none|optional|required',
    doc: 'Whether clients must show a certificate',
    parse: (words, draft) => {
      tlsOf(draft).verify = takeChoice(words, 'way to verify', ['none', 'optional', 'required']);
    },
  },
  {
    keyword: 'alpn',
    usage: '<protocols>',
    doc: 'Protocols to agree on in the handshake',
    parse: (words, draft) => {
      tlsOf(draft).alpn = readAlpn(words);
    },
  },
  {
    keyword: 'no-alpn',
    usage: '',
    doc: 'Agree on no protocol in the handshake',
    parse: (_words, draft) => {
      tlsOf(draft).alpn = [];
    },
  },
  {
    keyword: 'strict-sni',
    usage: '',
    doc: 'Refuse handshakes for names without a certificate',
    parse: (_words, draft) => {
      tlsOf(draft).strictSni = true;
    },
  },
  ...sslOptionRows((draft: BindDraft) => tlsOf(draft).options),
  noted('npn', '<protocols>', 'Protocols, in the extension that came before ALPN'),
  noted('curves', '<curves>', 'Curves of the key exchange'),
  noted('ecdhe', '<curve>', 'Curve of the key exchange'),
  noted('prefer-client-ciphers', '', 'Follow the order of the client'),
  noted('ca-verify-file', '<file>', 'Authorities that are not named to clients'),
  noted('crl-file', '<file>', 'Client certificates that were called back'),
  noted('ca-ignore-err', '<errors>', 'Errors of authorities to let pass'),
  noted('crt-ignore-err', '<errors>', 'Errors of certificates to let pass'),
  noted('no-ca-names', '', 'Name no authorities to clients'),
  noted('allow-0rtt', '', 'Accept early data'),
  noted('tls-ticket-keys', '<file>', 'Keys of session tickets'),
  noted('defer-accept', '', 'Accept once the first bytes came'),
  noted('tfo', '', 'TCP Fast Open'),
  noted('mss', '<size>', 'Largest TCP segment'),
  noted('tcp-ut', '<delay>', 'How long sent bytes may stay unacknowledged'),
  noted('nice', '<nice>', 'Priority of the connections'),
  noted('process', '<set>', 'Which threads accept'),
  noted('thread', '<set>', 'Which threads accept'),
  noted('shards', '<number>', 'How many sockets to spread connections over'),
  noted('id', '<id>', 'Number of the listener in statistics'),
  noted('interface', '<name>', 'Network interface to listen on'),
  noted('transparent', '', 'Listen on an address that is not of this machine'),
  noted('level', '<level>', 'Rights, on runtime sockets'),
  noted('severity-output', '<format>', 'Severity before answers, on runtime sockets'),
  noted('quic-force-retry', '', 'Prove addresses of QUIC clients'),
];

/** Known to HAProxy, refused by name here. */
export const UNSUPPORTED_BIND_OPTIONS = [
  'accept-netscaler-cip',
  'ca-sign-file',
  'ca-sign-pass',
  'client-sigalgs',
  'crt-list',
  'ech',
  'expose-fd',
  'generate-certificates',
  'guid-prefix',
  'idle-ping',
  'ktls',
  'namespace',
  'nbconn',
  'ocsp-update',
  'proto',
  'quic-cc-algo',
  'quic-socket',
  'sigalgs',
];

/** `stats socket <address> [<option>…]` in the global section. */
export function readStatsSocket(words: Cursor, context: ParseContext): StatsSocket {
  const word = words.take('a path or an address');
  const address = readAddress(word.text, word, "'stats socket'");
  if (address.kind === 'tcp' && !address.low) throw new WordError(`no port in '${word.text}'`, word.place);
  const socket: StatsSocket = { endpoint: endpointOf(address), level: 'operator', place: word.place };
  readOptions(words, STATS_SOCKET_OPTIONS, UNSUPPORTED_BIND_OPTIONS, socket, context, 'stats socket');
  return socket;
}

export const STATS_SOCKET_OPTIONS: readonly OptionRow<StatsSocket>[] = [
  ...SOCKET_OPTIONS,
  {
    keyword: 'level',
    usage: 'user|operator|admin',
    doc: 'What commands may do',
    parse: (words, draft) => {
      draft.level = takeChoice(words, 'level', ['user', 'operator', 'admin']);
    },
  },
  // No notice: what it is for, a reload without a lost connection, is there without it.
  {
    ...noted('expose-fd', 'listeners', 'Read; a successor takes the listening sockets over without it'),
    support: 'full',
  },
  noted('process', '<set>', 'Which process answers'),
  noted('thread', '<set>', 'Which threads answer'),
  noted('severity-output', '<format>', 'Severity before answers'),
  noted('backlog', '<backlog>', 'Connections that may wait to be accepted'),
  noted('maxconn', '<maxconn>', 'Most sessions at a time'),
  noted('name', '<name>', 'Name of the socket'),
  noted('id', '<id>', 'Number of the socket'),
  noted('nice', '<nice>', 'Priority of the sessions'),
];
