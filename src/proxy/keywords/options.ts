/** `option …` (manual, section 4.2). Most are switches; the rest take words of their own. */
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import type { ProxyOptions, ProxySettings } from '../settings.ts';
import type { ProxyKeyword, Side } from './proxy-keyword.ts';

type Switches = {
  [K in keyof ProxyOptions]-?: ProxyOptions[K] extends boolean ? K : never;
}[keyof ProxyOptions];

function toggle(name: string, key: Switches, side: Side, doc: string): ProxyKeyword {
  const set = (value: boolean) => (words: Cursor, proxy: ProxySettings) => {
    words.end();
    proxy.options[key] = value;
  };
  return { keyword: `option ${name}`, usage: '', doc, side, parse: set(true), without: set(false) };
}

/** Which way connections are used: each of the three says it instead of the others. */
function connection(
  name: string,
  how: ProxyOptions['connection'],
  doc: string,
  support?: 'noted',
): ProxyKeyword {
  return {
    keyword: `option ${name}`,
    usage: '',
    doc,
    side: 'both',
    support,
    parse: (words, proxy) => {
      words.end();
      proxy.options.connection = how;
    },
    without: (words, proxy) => {
      words.end();
      if (proxy.options.connection === how) proxy.options.connection = 'keep-alive';
    },
  };
}

function logging(
  name: string,
  doc: string,
  forms: { plain: ProxyOptions['log']; clf?: ProxyOptions['log'] },
): ProxyKeyword {
  return {
    keyword: `option ${name}`,
    usage: forms.clf === undefined ? '' : '[clf]',
    doc,
    side: 'frontend',
    parse: (words, proxy) => {
      const clf = forms.clf !== undefined && words.accept('clf');
      words.end();
      proxy.options.log = clf ? forms.clf : forms.plain;
      proxy.logFormat = undefined;
    },
  };
}

/** Read and not acted on. */
function idle(name: string, side: Side, doc: string): ProxyKeyword {
  const end = (words: Cursor) => words.end();
  return { keyword: `option ${name}`, usage: '', doc, side, support: 'noted', parse: end, without: end };
}

export const OPTIONS: readonly ProxyKeyword[] = [
  logging('httplog', 'Log requests in the HTTP format', { plain: 'http', clf: 'http-clf' }),
  logging('tcplog', 'Log connections in the TCP format', { plain: 'tcp' }),
  logging('httpslog', 'Log requests in the HTTPS format', { plain: 'https' }),
  toggle('dontlognull', 'dontlognull', 'frontend', 'Do not log connections that sent nothing'),
  toggle('dontlog-normal', 'dontlogNormal', 'frontend', 'Log only what went wrong'),
  toggle('log-separate-errors', 'logSeparateErrors', 'frontend', 'Log what went wrong at level err'),
  toggle('log-health-checks', 'logHealthChecks', 'backend', 'Log every change of a check'),
  connection('http-keep-alive', 'keep-alive', 'Keep connections on both sides'),
  connection(
    'http-server-close',
    'server-close',
    'Keep the connection of the client, close that of the server',
  ),
  connection('httpclose', 'close', 'Close both connections after each response'),
  toggle('abortonclose', 'abortonclose', 'backend', 'Drop waiting requests of clients that went away'),
  toggle('allbackups', 'allbackups', 'backend', 'Use all backup servers at once'),
  toggle('http-ignore-probes', 'httpIgnoreProbes', 'frontend', 'Do not answer connections that sent nothing'),
  toggle(
    'http-buffer-request',
    'httpBufferRequest',
    'both',
    'Wait for the body before the rules and the choice of a server',
  ),
  toggle('persist', 'persist', 'backend', 'Follow the cookie even to a server that is down'),
  {
    keyword: 'option redispatch',
    usage: '[<interval>]',
    doc: 'Retry on another server',
    side: 'backend',
    parse: (words, proxy) => {
      proxy.redispatch = words.peek() === undefined ? -1 : words.integer('an interval', -10000, 10000);
      words.end();
    },
    without: (words, proxy) => {
      words.end();
      proxy.redispatch = 0;
    },
  },
  {
    keyword: 'option forwardfor',
    usage: '[except <network>] [header <name>] [if-none]',
    doc: 'Add X-Forwarded-For with the address of the client',
    side: 'both',
    parse: (words, proxy) => {
      proxy.forwardFor = { header: 'X-Forwarded-For', ifNone: false, ...forwarding(words, true) };
    },
    without: (words, proxy) => {
      words.end();
      proxy.forwardFor = undefined;
    },
  },
  {
    keyword: 'option originalto',
    usage: '[except <network>] [header <name>]',
    doc: 'Add X-Original-To with the address that the client connected to',
    side: 'both',
    parse: (words, proxy) => {
      const { header = 'X-Original-To', except } = forwarding(words, false);
      proxy.originalTo = { header, except };
    },
    without: (words, proxy) => {
      words.end();
      proxy.originalTo = undefined;
    },
  },
  idle('accept-invalid-http-request', 'frontend', 'Let odd characters in requests pass'),
  idle('accept-invalid-http-response', 'backend', 'Let odd characters in responses pass'),
  idle('checkcache', 'backend', 'Refuse responses that would cache a cookie'),
  idle('clitcpka', 'frontend', 'TCP keep-alive towards clients'),
  idle('contstats', 'frontend', 'Count bytes while they flow'),
  idle('disable-h2-upgrade', 'frontend', 'Do not upgrade to HTTP/2 from a preface'),
  idle('forwarded', 'both', 'Add the Forwarded header'),
  idle('h1-case-adjust-bogus-client', 'frontend', 'Change the case of header names for clients'),
  idle('h1-case-adjust-bogus-server', 'backend', 'Change the case of header names for servers'),
  idle('http-no-delay', 'both', 'Send small pieces at once, as is always done'),
  idle('http-pretend-keepalive', 'backend', 'Promise servers to keep the connection'),
  idle('http-use-htx', 'both', 'How HAProxy holds messages; there is one way'),
  idle('http-use-proxy-header', 'frontend', 'Read Proxy-Connection'),
  idle('idle-close-on-response', 'frontend', 'Close idle connections with the next response when stopping'),
  idle('independent-streams', 'both', 'Count the silence of each direction by itself'),
  idle('logasap', 'frontend', 'Log when the response begins'),
  idle('nolinger', 'both', 'Close without waiting for unsent bytes'),
  idle('prefer-last-server', 'backend', 'Stay with the server of the last request'),
  idle('socket-stats', 'frontend', 'Count for each listening socket'),
  idle('splice-auto', 'both', 'Let the kernel move bytes when it pays'),
  idle('splice-request', 'both', 'Let the kernel move bytes of requests'),
  idle('splice-response', 'both', 'Let the kernel move bytes of responses'),
  idle('srvtcpka', 'backend', 'TCP keep-alive towards servers'),
  idle('tcp-smart-accept', 'frontend', 'Delay the first acknowledgement of clients'),
  idle('tcp-smart-connect', 'backend', 'Delay the first acknowledgement of servers'),
  idle('tcpka', 'both', 'TCP keep-alive towards both'),
];

function forwarding(words: Cursor, ifNone: boolean): { header?: string; except?: string; ifNone?: boolean } {
  const read: { header?: string; except?: string; ifNone?: boolean } = {};
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    if (words.accept('except')) {
      const network = words.take('a network');
      if (!NETWORK.test(network.text)) {
        throw new WordError(`'${network.text}' is not a network`, network.place, 'write 127.0.0.0/8');
      }
      read.except = network.text;
    } else if (words.accept('header')) read.header = words.take('the name of a header').text;
    else if (ifNone && words.accept('if-none')) read.ifNone = true;
    else words.end();
  }
  return read;
}

const NETWORK =
  /^(\d{1,3}(\.\d{1,3}){0,3}(\/(\d{1,2}|\d{1,3}(\.\d{1,3}){3}))?|[0-9a-f:.]*:[0-9a-f:.]*(\/\d{1,3})?)$/i;
