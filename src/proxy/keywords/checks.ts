/** Health checks: `option httpchk`, `http-check …`, `tcp-check …` (manual, section 4.2). */
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import type { ParseContext } from '../../config/language.ts';
import { checkRegex } from '../acl/regex.ts';
import type { CheckSettings, ProxySettings } from '../settings.ts';
import type { ProxyKeyword } from './proxy-keyword.ts';
import { takeChoice } from './support.ts';

type Http = NonNullable<CheckSettings['http']>;

const newHttp = (): Http => ({ method: 'OPTIONS', uri: '/', version: 'HTTP/1.0', headers: [] });

function checkType(name: string, type: CheckSettings['type'], doc: string): ProxyKeyword {
  return {
    keyword: `option ${name}`,
    usage: '',
    doc,
    side: 'backend',
    parse: (words, proxy) => {
      words.end();
      proxy.check.type = type;
    },
    without: (words, proxy) => {
      words.end();
      if (proxy.check.type === type) proxy.check.type = 'tcp';
    },
  };
}

export const CHECKS: readonly ProxyKeyword[] = [
  checkType('ssl-hello-chk', 'ssl-hello', 'Check that the server answers a TLS greeting'),
  checkType('tcp-check', 'tcp-check', 'Check by the steps of the `tcp-check` lines'),
  {
    keyword: 'option httpchk',
    usage: '[<method>] [<uri> [<version>]]',
    doc: 'Check by a request',
    side: 'backend',
    parse: readHttpchk,
    without: (words, proxy) => {
      words.end();
      if (proxy.check.type === 'http') proxy.check.type = 'tcp';
    },
  },
  {
    keyword: 'http-check send',
    usage: '[meth <method>] [uri <uri>] [ver <version>] [hdr <name> <value>]… [body <text>]',
    doc: 'The request of the check',
    side: 'backend',
    parse: (words, proxy) => {
      proxy.check.http = readSend(words, proxy.check.http ?? newHttp());
    },
  },
  {
    keyword: 'http-check expect',
    usage: '[!] {status|rstatus|string|rstring} <pattern>',
    doc: 'The answer that makes the check good',
    side: 'backend',
    parse: (words, proxy) => {
      proxy.check.expect = readExpect(words);
    },
  },
  {
    keyword: 'http-check disable-on-404',
    usage: '',
    doc: 'An answer 404 lets the server finish, without new sessions',
    side: 'backend',
    parse: (words, proxy) => {
      words.end();
      proxy.check.disableOn404 = true;
    },
  },
  {
    keyword: 'http-check send-state',
    usage: '',
    doc: 'Tell the server its state in a header',
    side: 'backend',
    parse: (words, proxy) => {
      words.end();
      proxy.check.sendState = true;
    },
  },
  {
    keyword: 'http-check comment',
    usage: '<text>',
    doc: 'A name for the next step',
    side: 'backend',
    parse: (words) => {
      words.take('a text');
      words.end();
    },
  },
  {
    keyword: 'tcp-check connect',
    usage: '[default] [port <port>] [ssl] [send-proxy] [comment <text>]',
    doc: 'Connect to the server',
    side: 'backend',
    parse: (words, proxy) => {
      proxy.check.tcpSteps.push(readConnect(words));
    },
  },
  {
    keyword: 'tcp-check send',
    usage: '<text> [comment <text>]',
    doc: 'Send text',
    side: 'backend',
    parse: (words, proxy) => {
      proxy.check.tcpSteps.push({ kind: 'send', data: words.take('a text').text });
      endWithComment(words);
    },
  },
  {
    keyword: 'tcp-check send-binary',
    usage: '<hex> [comment <text>]',
    doc: 'Send bytes, written in hexadecimal',
    side: 'backend',
    parse: (words, proxy) => {
      proxy.check.tcpSteps.push({
        kind: 'send',
        data: Buffer.from(takeHex(words), 'hex').toString('latin1'),
      });
      endWithComment(words);
    },
  },
  {
    keyword: 'tcp-check expect',
    usage: '[min-recv <n>] [comment <text>] [!] {string|rstring|binary} <pattern>',
    doc: 'Wait for an answer',
    side: 'backend',
    parse: (words, proxy) => {
      readExpectOptions(words);
      const negate = words.accept('!');
      const match = takeChoice(words, 'way to match', ['string', 'rstring', 'binary']);
      const value = match === 'binary' ? takeHex(words) : takePattern(words, match === 'rstring');
      endWithComment(words);
      proxy.check.tcpSteps.push({ kind: 'expect', match, value, negate });
    },
  },
  {
    keyword: 'tcp-check comment',
    usage: '<text>',
    doc: 'A name for the next step',
    side: 'backend',
    parse: (words) => {
      words.take('a text');
      words.end();
    },
  },
];

/**
 * One argument is the target, two are method and target, three add the version. HAProxy 1.x had the headers in the
 * version, behind `\r\n`; that is read too, with a warning that shows the lines of today.
 */
function readHttpchk(words: Cursor, proxy: ProxySettings, context: ParseContext): void {
  const args = words.rest();
  const http = newHttp();
  if (args.length === 1) http.uri = args[0]!.text;
  if (args.length >= 2) [http.method, http.uri] = [args[0]!.text, args[1]!.text];
  if (args.length >= 3) {
    const written = args.slice(2);
    const [version, ...lines] = written
      .map((word) => word.text)
      .join(' ')
      .split('\r\n');
    http.version = version!.trim() || 'HTTP/1.0';
    const blank = lines.indexOf('');
    const heads = (blank < 0 ? lines : lines.slice(0, blank)).filter((line) => line !== '');
    http.headers = heads.map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1)
        throw new WordError(`'${line}' is not a header`, written[0]!.place, 'a header is name: value');
      return { name: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() };
    });
    const body = blank < 0 ? '' : lines.slice(blank + 1).join('\r\n');
    if (body !== '') http.body = body;
    if (lines.length > 0) {
      const headers = http.headers.map(({ name, value }) => ` hdr ${name} ${quoted(value)}`).join('');
      const today = `http-check send meth ${http.method} uri ${http.uri} ver ${http.version}${headers}`;
      context.report(
        'warning',
        "headers behind the version of 'option httpchk' (HAProxy 1.x)",
        written[0]!.place,
        `today: 'option httpchk' and a line '${today}'`,
      );
    }
  }
  proxy.check.type = 'http';
  proxy.check.http = http;
}

function readSend(words: Cursor, before: Http): Http {
  const http: Http = { ...before, headers: [] };
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.position++;
    if (word.text === 'meth') http.method = words.take('a method').text;
    else if (word.text === 'uri') http.uri = words.take('a target').text;
    else if (word.text === 'ver') http.version = words.take('a version').text;
    else if (word.text === 'hdr') {
      const name = words.take('the name of a header').text;
      http.headers.push({ name, value: words.take('the value of the header').text });
    } else if (word.text === 'body') http.body = words.take('a text').text;
    else if (word.text === 'comment') words.take('a text');
    else if (word.text === 'uri-lf' || word.text === 'body-lf') {
      words.fail(`'${word.text}' of 'http-check send' is not supported by this engine yet`, word);
    } else {
      words.position--;
      takeChoice(words, "word of 'http-check send'", ['meth', 'uri', 'ver', 'hdr', 'body', 'comment']);
    }
  }
  return http;
}

function readExpect(words: Cursor): NonNullable<CheckSettings['expect']> {
  readExpectOptions(words);
  const negate = words.accept('!');
  const next = words.peek();
  if (next?.text === 'hdr' || next?.text === 'fhdr' || next?.text === 'string-lf') {
    words.fail(`'${next.text}' of 'http-check expect' is not supported by this engine yet`, next);
  }
  const kind = takeChoice(words, 'way to match', ['status', 'rstatus', 'string', 'rstring']);
  const word = words.peek();
  const value = takePattern(words, kind.startsWith('r'));
  if (kind === 'status' && !/^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$/.test(value)) {
    words.fail(`'${value}' is not a list of statuses`, word, 'write 200 or 200-399');
  }
  words.end();
  return { kind, value, negate };
}

/** What HAProxy reports with the result; the checks here have their own wording. */
function readExpectOptions(words: Cursor): void {
  for (;;) {
    const name = words.peek()?.text ?? '';
    if (!EXPECT_OPTIONS.includes(name)) return;
    words.position++;
    words.take(`a value for '${name}'`);
  }
}

const EXPECT_OPTIONS = [
  'min-recv',
  'comment',
  'ok-status',
  'error-status',
  'tout-status',
  'on-success',
  'on-error',
  'status-code',
];

function takePattern(words: Cursor, regex: boolean): string {
  const word = words.take('a pattern');
  const complaint = regex ? checkRegex(word.text) : undefined;
  if (complaint !== undefined) words.fail(complaint, word);
  return word.text;
}

function readConnect(words: Cursor): CheckSettings['tcpSteps'][number] {
  const step: Extract<CheckSettings['tcpSteps'][number], { kind: 'connect' }> = { kind: 'connect' };
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.position++;
    if (word.text === 'port') step.port = words.integer('a port', 1, 65535);
    else if (word.text === 'ssl') step.ssl = true;
    else if (word.text === 'send-proxy') step.sendProxy = true;
    else if (word.text === 'comment') words.take('a text');
    else if (word.text !== 'default' && word.text !== 'linger') {
      if (['addr', 'sni', 'alpn', 'proto', 'via-socks4'].includes(word.text)) {
        words.fail(`'${word.text}' of 'tcp-check connect' is not supported by this engine yet`, word);
      }
      words.position--;
      takeChoice(words, "word of 'tcp-check connect'", [
        'default',
        'port',
        'ssl',
        'send-proxy',
        'linger',
        'comment',
      ]);
    }
  }
  return step;
}

function takeHex(words: Cursor): string {
  const word = words.take('bytes in hexadecimal');
  if (!/^([0-9a-f]{2})+$/i.test(word.text)) words.fail(`'${word.text}' is not hexadecimal`, word);
  return word.text;
}

function endWithComment(words: Cursor): void {
  if (words.accept('comment')) words.take('a text');
  words.end();
}

function quoted(value: string): string {
  return /^[\w.:/-]+$/.test(value) ? value : `"${value}"`;
}
