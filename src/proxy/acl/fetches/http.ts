/** Fetches that read HTTP requests and responses (manual, section 7.3.6). */
import type { ParseContext } from '../../../config/language.ts';
import { didYouMean, type Place } from '../../../errors.ts';
import { basicCredentials, groupsOf, isUser } from '../../auth.ts';
import type { BytesTest, CompileEnv, FetchRow, Phase, Sample, SampleType } from '../../expressions.ts';
import { type Head, type HeaderName, headerName, VALUE, VALUE_END } from '../../http1/head.ts';
import { configurationOf } from '../../keywords/support.ts';
import type { Transaction } from '../../transaction.ts';
import { formatAddress, parseAddress } from '../address.ts';
import { allFields, allParts, anyPart, cookieValues, countParts, fieldAt, partAt } from '../header-values.ts';
import { originOf, pathAndQueryOf, pathEnd, pathOf, pathStart, queryOf } from '../target.ts';
import { toNumber } from '../values.ts';

const AUTHORIZATION = headerName('authorization');
const HOST = headerName('host');
const COOKIE = headerName('cookie');
const SET_COOKIE = headerName('set-cookie');

export const HTTP_FETCHES: readonly FetchRow[] = [
  // ── request line ───────────────────────────────────────────────────────────────────────────────────────────────
  {
    ...ofRequest('method', 'meth', 'The request method.', (tx) => tx.request.method),
    compileBytes: (_args, _env, test) => (tx) =>
      test(tx.request.bytes, tx.request.methodStart, tx.request.methodEnd),
  },
  {
    ...ofRequest('path', 'str', 'The path, without the query.', (tx) => pathOf(tx.request)),
    compileBytes: (_args, _env, test) => (tx) => {
      const start = pathStart(tx.request);
      return start >= 0 && test(tx.request.bytes, start, pathEnd(tx.request, start));
    },
  },
  {
    ...ofRequest('pathq', 'str', 'The path with the query.', (tx) => pathAndQueryOf(tx.request)),
    compileBytes: (_args, _env, test) => (tx) => {
      const start = pathStart(tx.request);
      return start >= 0 && test(tx.request.bytes, start, tx.request.targetEnd);
    },
  },
  {
    ...ofRequest('url', 'str', 'The whole request target, as it came.', (tx) => tx.request.target),
    compileBytes: (_args, _env, test) => (tx) =>
      test(tx.request.bytes, tx.request.targetStart, tx.request.targetEnd),
  },
  ofRequest('query', 'str', 'What follows the question mark.', (tx) => queryOf(tx.request)),
  ofRequest('base', 'str', 'The first Host header followed by the path.', (tx) => base(tx.request, pathOf)),
  ofRequest('baseq', 'str', 'The first Host header followed by path and query.', (tx) =>
    base(tx.request, pathAndQueryOf),
  ),
  ofRequest('url_ip', 'ip', 'The address in an absolute request target.', (tx) =>
    hostAddress(originOf(tx.request)?.authority),
  ),
  ofRequest('url_port', 'int', 'The port in an absolute request target, 80 when it has none.', (tx) => {
    const origin = originOf(tx.request);
    return origin && Number(/:(\d+)$/.exec(origin.authority)?.[1] ?? 80);
  }),
  ...['req.ver', 'req_ver'].map((keyword) =>
    ofRequest(keyword, 'str', 'The version of the request: 1.1.', (tx) => version(tx.request)),
  ),
  ...['url_param', 'urlp'].map((keyword) =>
    parameter(keyword, 'str', 'A parameter of the query.', (value) => value),
  ),
  parameter('urlp_val', 'int', 'A parameter of the query, as a number.', toNumber),
  ...['req.proto_http', 'req_proto_http'].map(
    (keyword): FetchRow => ({
      ...ofRequest(
        keyword,
        'bool',
        'Whether the request is HTTP.',
        (tx) => tx.frontend.settings.mode === 'http',
      ),
      phase: 'transaction',
    }),
  ),
  {
    ...ofRequest(
      'http_first_req',
      'bool',
      'Whether it is the first request on the connection.',
      (tx) => tx.client.requests <= 1,
    ),
    phase: 'transaction',
  },

  // ── response line ──────────────────────────────────────────────────────────────────────────────────────────────
  {
    ...ofRequest('status', 'int', 'The status of the response.', (tx) => tx.response.status || undefined),
    phase: 'outcome',
  },
  ...['res.ver', 'resp_ver'].map(
    (keyword): FetchRow => ({
      ...ofRequest(keyword, 'str', 'The version of the response: 1.1.', (tx) => version(tx.response)),
      phase: 'response',
    }),
  ),

  // ── header fields ──────────────────────────────────────────────────────────────────────────────────────────────
  ...headerFamily('req.', 'request', () => (tx) => tx.request),
  ...headerFamily('res.', 'response', () => (tx) => tx.response),
  ...headerFamily('', 'transaction', (env) =>
    env.side === 'response' ? (tx) => tx.response : (tx) => tx.request,
  ),
  ...headerFamily('s', 'response', () => (tx) => tx.response),

  // ── cookies ────────────────────────────────────────────────────────────────────────────────────────────────────
  ...cookieFamily('req.cook', 'request', () => true),
  ...cookieFamily('cook', 'request', () => true),
  ...cookieFamily('res.cook', 'response', () => false),
  ...cookieFamily('scook', 'response', () => false),
  ...cookieFamily('cookie', 'transaction', (env) => env.side !== 'response').slice(0, 1),

  // ── what was kept of the request ───────────────────────────────────────────────────────────────────────────────
  {
    ...ofRequest(
      'capture.req.method',
      'str',
      'The method, as it came.',
      (tx) => tx.requestLine.split(' ', 1)[0],
    ),
    phase: 'transaction',
  },
  {
    ...ofRequest(
      'capture.req.uri',
      'str',
      'The request target, as it came.',
      (tx) => tx.requestLine.split(' ', 2)[1],
    ),
    phase: 'transaction',
  },
  {
    ...ofRequest(
      'capture.req.ver',
      'str',
      'The version of the request: HTTP/1.1.',
      (tx) => tx.requestLine.split(' ', 3)[2],
    ),
    phase: 'transaction',
  },
  {
    ...ofRequest('capture.res.ver', 'str', 'The version of the response: HTTP/1.1.', (tx) =>
      tx.response.status === 0 ? undefined : `HTTP/${version(tx.response)}`,
    ),
    phase: 'outcome',
  },
  capture(
    'capture.req.hdr',
    'transaction',
    'A captured request header, by its number.',
    (tx) => tx.requestCaptures,
  ),
  capture(
    'capture.res.hdr',
    'outcome',
    'A captured response header, by its number.',
    (tx) => tx.responseCaptures,
  ),
  {
    ...ofRequest('unique-id', 'str', 'The unique id of the request.', (tx) => tx.uniqueId || undefined),
    phase: 'transaction',
  },

  // ── authentication ─────────────────────────────────────────────────────────────────────────────────────────────
  {
    keyword: 'http_auth',
    usage: '(<userlist>)',
    doc: 'Whether the request names a user of the list by the right password.',
    type: 'bool',
    phase: 'request',
    check: knownUserlist,
    compile: ([name], env) => {
      const list = env.configuration.userlists.get(name!)!;
      return (tx) => {
        const credentials = basicCredentials(tx.request);
        return credentials !== undefined && isUser(list, credentials);
      };
    },
  },
  {
    keyword: 'http_auth_group',
    usage: '(<userlist>)',
    doc: 'The groups of the user that the request names by the right password.',
    type: 'str',
    phase: 'request',
    check: knownUserlist,
    compile: ([name], env) => {
      const list = env.configuration.userlists.get(name!)!;
      return (tx) => {
        const credentials = basicCredentials(tx.request);
        return credentials !== undefined && isUser(list, credentials) ? credentials.user : undefined;
      };
    },
    compileAll: ([name], env) => {
      const list = env.configuration.userlists.get(name!)!;
      return (tx) => {
        const credentials = basicCredentials(tx.request);
        return credentials !== undefined && isUser(list, credentials) ? groupsOf(list, credentials.user) : [];
      };
    },
  },
  ofRequest(
    'http_auth_user',
    'str',
    'The user that the request names, not verified.',
    (tx) => basicCredentials(tx.request)?.user,
  ),
  ofRequest(
    'http_auth_pass',
    'str',
    'The password that the request carries, not verified.',
    (tx) => basicCredentials(tx.request)?.password,
  ),
  ofRequest(
    'http_auth_type',
    'str',
    'The scheme of the Authorization header.',
    (tx) => authorization(tx.request)?.[1],
  ),
  {
    keyword: 'http_auth_bearer',
    usage: '([<header>])',
    doc: 'The token of an Authorization (or another) header with the scheme Bearer.',
    type: 'str',
    phase: 'request',
    check: (args) => (args.length <= 1 ? undefined : 'wants at most one header name'),
    compile: ([header = 'authorization']) => {
      const name = headerName(header);
      return (tx) => /^Bearer +(.*)$/i.exec(tx.request.get(name) ?? '')?.[1];
    },
  },
];

/** ACL keywords that stand for a fetch and a matcher: `path_beg` is `path -m beg`. */
export interface AclKeywordRow {
  readonly keyword: string;
  readonly fetch: string;
  readonly matcher: string;
}

const DERIVED = ['beg', 'dir', 'dom', 'end', 'len', 'reg', 'sub'];

export const ACL_KEYWORDS: readonly AclKeywordRow[] = [
  ...Object.entries({
    base: 'base',
    cook: 'req.cook',
    hdr: 'hdr',
    path: 'path',
    scook: 'res.cook',
    shdr: 'res.hdr',
    url: 'url',
    urlp: 'urlp',
    'req.hdr': 'req.hdr',
    'res.hdr': 'res.hdr',
    url_param: 'urlp',
  }).flatMap(([name, fetch]) =>
    DERIVED.map((matcher) => ({ keyword: `${name}_${matcher}`, fetch, matcher })),
  ),
  { keyword: 'payload', fetch: 'payload', matcher: 'bin' },
  { keyword: 'payload_lv', fetch: 'payload_lv', matcher: 'bin' },
  { keyword: 'req.ssl_ver', fetch: 'req.ssl_ver', matcher: 'ver' },
  { keyword: 'req_ssl_ver', fetch: 'req_ssl_ver', matcher: 'ver' },
  { keyword: 'ssl_fc_sni_end', fetch: 'ssl_fc_sni', matcher: 'end' },
  { keyword: 'ssl_fc_sni_reg', fetch: 'ssl_fc_sni', matcher: 'reg' },
];

// ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function ofRequest(
  keyword: string,
  type: SampleType,
  doc: string,
  read: (tx: Transaction) => Sample,
): FetchRow {
  return { keyword, usage: '', doc, type, phase: 'request', check: wantsNone, compile: () => read };
}

type Pick = (env: CompileEnv) => (tx: Transaction) => Head;

/** `hdr`, `fhdr`, their counts, and `hdr_val`, `hdr_ip`, for one side. */
function headerFamily(prefix: string, phase: Phase, pick: Pick): FetchRow[] {
  const common = { usage: '([<name>[,<occurrence>]])', phase, check: headerArguments } as const;
  const count = { usage: '([<name>])', phase, check: headerArguments, type: 'int' } as const;
  const hdr: FetchRow = {
    ...common,
    keyword: `${prefix}hdr`,
    doc: 'A comma-separated part of a header field: the last one, or by its occurrence; ACLs look at all.',
    type: 'str',
    compile: (args, env) => {
      const head = pick(env);
      const name = fieldName(args[0]);
      const occurrence = Number(args[1] ?? -1);
      return (tx) => partAt(head(tx), name, occurrence);
    },
    compileAll: (args, env) => allOf(args, pick(env), partAt, allParts),
    compileBytes: (args, env, test) => {
      const head = pick(env);
      const name = fieldName(args[0]);
      if (args[1] === undefined) return (tx) => anyPart(head(tx), name, test);
      return oneOf(head, name, Number(args[1]), test);
    },
  };
  const value: FetchRow = {
    ...common,
    keyword: `${prefix}hdr_val`,
    doc: 'A part of a header field, as a number.',
    type: 'int',
    compile: (args, env) => {
      const read = hdr.compile(args, env);
      return (tx) => toNumber(read(tx));
    },
    compileAll: (args, env) => mapAll(hdr.compileAll!(args, env), toNumber),
  };
  const ip: FetchRow = {
    ...common,
    keyword: `${prefix}hdr_ip`,
    doc: 'A part of a header field, as an address.',
    type: 'ip',
    compile: (args, env) => {
      const read = hdr.compile(args, env);
      return (tx) => hostAddress(read(tx) as string | undefined);
    },
    compileAll: (args, env) =>
      mapAll(hdr.compileAll!(args, env), (v) => hostAddress(v as string | undefined)),
  };
  const hdrCount: FetchRow = {
    ...count,
    keyword: `${prefix}hdr_cnt`,
    doc: 'How many comma-separated parts the header fields of a name have.',
    compile: ([text], env) => {
      const head = pick(env);
      const name = fieldName(text);
      return (tx) => countParts(head(tx), name);
    },
  };
  const rows = [hdr, value, ip, hdrCount];
  if (!prefix.endsWith('.')) return rows;
  return [
    ...rows,
    {
      ...common,
      keyword: `${prefix}fhdr`,
      doc: 'A whole header field: the last one, or by its occurrence; ACLs look at all.',
      type: 'str',
      compile: (args, env) => {
        const head = pick(env);
        const name = fieldName(args[0]);
        const occurrence = Number(args[1] ?? -1);
        return (tx) => fieldAt(head(tx), name, occurrence);
      },
      compileAll: (args, env) => allOf(args, pick(env), fieldAt, allFields),
    },
    {
      ...count,
      keyword: `${prefix}fhdr_cnt`,
      doc: 'How many header fields of a name there are.',
      compile: ([text], env) => {
        const head = pick(env);
        const name = fieldName(text);
        return (tx) => allFields(head(tx), name).length;
      },
    },
    {
      keyword: `${prefix}hdr_names`,
      usage: '([<delimiter>])',
      doc: 'The names of all header fields, with a delimiter (comma) between them.',
      type: 'str',
      phase,
      check: (args) => (args.length <= 1 ? undefined : 'wants at most a delimiter'),
      compile: ([delimiter = ','], env) => {
        const head = pick(env);
        return (tx) => names(head(tx)).join(delimiter);
      },
    },
    {
      keyword: `${prefix}hdrs`,
      usage: '',
      doc: 'All header fields as they stand, with the blank line after them.',
      type: 'bin',
      phase,
      check: wantsNone,
      compile: (_args, env) => {
        const head = pick(env);
        return (tx) => wholeFields(head(tx));
      },
    },
  ];
}

type PickCookieSide = (env: CompileEnv) => boolean;

function cookieFamily(keyword: string, phase: Phase, isRequest: PickCookieSide): FetchRow[] {
  const all = (args: readonly string[], env: CompileEnv) => {
    const request = isRequest(env);
    const [name] = args;
    return (tx: Transaction) => {
      const fields = request ? tx.request.getAll(COOKIE) : tx.response.getAll(SET_COOKIE);
      return fields.flatMap((field) => cookieValues(field, name, request));
    };
  };
  const common = {
    usage: '([<name>])',
    phase,
    check: (args: readonly string[]) => (args.length <= 1 ? undefined : 'wants at most one cookie name'),
  };
  const last = (args: readonly string[], env: CompileEnv) => {
    const read = all(args, env);
    return (tx: Transaction) => read(tx).at(-1);
  };
  return [
    {
      ...common,
      keyword,
      doc: 'The value of a cookie: the last one; ACLs look at all.',
      type: 'str',
      compile: last,
      compileAll: all,
    },
    {
      ...common,
      keyword: `${keyword}_cnt`,
      doc: 'How often a cookie occurs.',
      type: 'int',
      compile: (args, env) => {
        const read = all(args, env);
        return (tx) => read(tx).length;
      },
    },
    {
      ...common,
      keyword: `${keyword}_val`,
      doc: 'The value of a cookie, as a number.',
      type: 'int',
      compile: (args, env) => {
        const read = last(args, env);
        return (tx) => toNumber(read(tx));
      },
    },
  ];
}

function parameter(
  keyword: string,
  type: SampleType,
  doc: string,
  convert: (value: Sample) => Sample,
): FetchRow {
  const delimiters = (args: readonly string[]) => args[1] ?? '?';
  return {
    keyword,
    usage: '([<name>[,<delimiter>]])',
    doc,
    type,
    phase: 'request',
    check: (args) =>
      args.length > 2
        ? 'wants a name and a delimiter'
        : (args[1]?.length ?? 1) === 1
          ? undefined
          : 'the delimiter is one character',
    compile: (args) => {
      const delimiter = delimiters(args);
      return (tx) => convert(parameters(tx.request.target, args[0] || undefined, delimiter, 1)[0]);
    },
    compileAll: (args) => {
      const delimiter = delimiters(args);
      return (tx) => parameters(tx.request.target, args[0] || undefined, delimiter, 1000).map(convert);
    },
  };
}

function capture(
  keyword: string,
  phase: Phase,
  doc: string,
  list: (tx: Transaction) => readonly (string | undefined)[] | undefined,
): FetchRow {
  return {
    keyword,
    usage: '(<index>)',
    doc,
    type: 'str',
    phase,
    check: (args) =>
      args.length === 1 && /^\d+$/.test(args[0]!) ? undefined : 'wants the number of a capture',
    compile: ([text]) => {
      const index = Number(text);
      return (tx) => list(tx)?.[index];
    },
  };
}

// ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

function oneOf(
  head: (tx: Transaction) => Head,
  name: HeaderName | undefined,
  occurrence: number,
  test: BytesTest,
) {
  return (tx: Transaction) => {
    const message = head(tx);
    let place = 0;
    const wanted = occurrence > 0 ? occurrence : countParts(message, name) + 1 + occurrence;
    return anyPart(message, name, (bytes, start, end) => ++place === wanted && test(bytes, start, end));
  };
}

/** All values, or the one that an occurrence names. */
function allOf(
  args: readonly string[],
  head: (tx: Transaction) => Head,
  one: (head: Head, name: HeaderName | undefined, occurrence: number) => string | undefined,
  all: (head: Head, name: HeaderName | undefined) => string[],
): (tx: Transaction) => readonly Sample[] {
  const name = fieldName(args[0]);
  if (args[1] === undefined) return (tx) => all(head(tx), name);
  const occurrence = Number(args[1]);
  return (tx) => {
    const value = one(head(tx), name, occurrence);
    return value === undefined ? [] : [value];
  };
}

function mapAll(
  read: (tx: Transaction) => readonly Sample[],
  convert: (value: Sample) => Sample,
): (tx: Transaction) => readonly Sample[] {
  return (tx) => read(tx).map(convert);
}

function base(head: Head, path: (head: Head) => string | undefined): string | undefined {
  const host = head.get(HOST) ?? '';
  const rest = path(head);
  return rest === undefined && host === '' ? undefined : host + (rest ?? '');
}

function version(head: Head): string {
  return head.minor === 0 ? '1.0' : '1.1';
}

/** `1.2.3.4`, `1.2.3.4:80`, `[::1]:80`, `::1`. */
function hostAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const host = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(text)?.[1] ?? text;
  const address = parseAddress(host);
  return address && formatAddress(address);
}

/** The first `most` values of a parameter, any name when undefined; not decoded. */
export function parameters(
  target: string,
  name: string | undefined,
  delimiter: string,
  most: number,
): string[] {
  const values: string[] = [];
  const start = target.indexOf(delimiter);
  if (start < 0) return values;
  let at = start + 1;
  while (at <= target.length && values.length < most) {
    let end = at;
    while (end < target.length && !isParameterEnd(target[end]!, delimiter)) end++;
    const equals = target.indexOf('=', at);
    if (equals >= 0 && equals < end && (name === undefined || target.slice(at, equals) === name))
      values.push(target.slice(equals + 1, end));
    at = end + 1;
  }
  return values;
}

function isParameterEnd(c: string, delimiter: string): boolean {
  return c === '&' || c === ';' || (delimiter !== '?' && c === delimiter);
}

function names(head: Head): string[] {
  const list: string[] = [];
  for (let i = 0; i < head.count; i++) if (head.isAlive(i)) list.push(head.name(i));
  return list;
}

function wholeFields(head: Head): string {
  const { fields } = head;
  let text = '';
  for (let i = 0; i < head.count; i++)
    if (head.isAlive(i))
      text += `${head.name(i)}: ${head.slice(fields[4 * i + VALUE]!, fields[4 * i + VALUE_END]!)}\r\n`;
  return `${text}\r\n`;
}

function authorization(head: Head): RegExpExecArray | null {
  return /^(\S+) +(.*)$/.exec(head.get(AUTHORIZATION) ?? '');
}

// ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────────

function wantsNone(args: readonly string[]): string | undefined {
  return args.length === 0 ? undefined : 'takes no arguments';
}

/** Without a name any header will do. */
function fieldName(text: string | undefined): HeaderName | undefined {
  return text === undefined || text === '' ? undefined : headerName(text);
}

function headerArguments(args: readonly string[]): string | undefined {
  const [name = '', occurrence = '1'] = args;
  if (args.length > 2) return 'wants a header name and an occurrence';
  if (/[\s()]/.test(name)) return `'${name}' is not a header name`;
  if (!/^-?[1-9]\d*$/.test(occurrence))
    return `'${occurrence}' is not an occurrence: 1, 2 … or -1, -2 … from the last`;
  if (Number(occurrence) < -10) return 'occurrences from the last go up to -10';
  return undefined;
}

function knownUserlist(args: readonly string[], context: ParseContext, place: Place): string | undefined {
  if (args.length !== 1) return 'wants a userlist';
  context.later(() => {
    const { userlists } = configurationOf(context);
    if (!userlists.has(args[0]!))
      context.report(
        'error',
        `there is no userlist '${args[0]}'`,
        place,
        didYouMean(args[0]!, userlists.keys()),
      );
  });
  return undefined;
}
