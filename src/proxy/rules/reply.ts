/** Actions that answer in place of a server: deny, tarpit, return, auth. */
import type { Cursor } from '../../config/cursor.ts';
import type { ParseContext } from '../../config/language.ts';
import {
  type ActionRow,
  type CompileEnv,
  type LogFormat,
  type RuleSet,
  VERDICT,
  type Verdict,
} from '../expressions.ts';
import { parseLogFormat } from '../logs/parse.ts';
import type { ProxySettings } from '../settings.ts';
import { ERROR_STATUSES } from '../stream/reply.ts';
import type { Reply, Transaction } from '../transaction.ts';
import { compileText, isAtEnd, takeFormat, takeHeaderName } from './words.ts';

interface ReplyArgs {
  readonly status: number;
  readonly content: Content;
  readonly type: string | undefined;
  readonly headers: readonly { readonly name: string; readonly format: LogFormat }[];
}

type Content =
  | { readonly kind: 'empty' }
  /** The proxy's page for the status. */
  | { readonly kind: 'page' }
  /** A whole HTTP message. */
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'format'; readonly format: LogFormat };

const BOTH: readonly RuleSet[] = ['http-request', 'http-response'];
const USAGE =
  '[status <code>] [content-type <type>] [default-errorfiles|errorfile <file>|file <file>|lf-file <file>|string <text>|lf-string <fmt>] [hdr <name> <fmt>]…';

export const REPLY_ACTIONS: readonly ActionRow[] = [
  {
    keyword: 'deny',
    usage: `[deny_status <code>] ${USAGE}`,
    doc: 'Refuse the request, with 403 when nothing else is said.',
    sets: [...BOTH, 'stats http-request'],
    parse: (words, context, _proxy, set) =>
      parseReply(words, context, set, set === 'http-response' ? 502 : 403, ERROR_STATUSES),
    compile: (args: ReplyArgs, env) => {
      return compileReply(args, env, { termination: 'PR' });
    },
  },
  {
    keyword: 'tarpit',
    usage: `[deny_status <code>] ${USAGE}`,
    doc: 'Keep the client waiting for the tarpit timeout, then refuse the request.',
    sets: ['http-request'],
    parse: (words, context, proxy, set) => ({
      reply: parseReply(words, context, set, 500, ERROR_STATUSES),
      proxy,
    }),
    compile: ({ reply, proxy }: { reply: ReplyArgs; proxy: ProxySettings }, env) => {
      // Timeouts may stand below the rule, so they are read now.
      const delay = proxy.timeouts.tarpit ?? proxy.timeouts.connect ?? 0;
      return compileReply(reply, env, { termination: 'PT', delay });
    },
  },
  {
    keyword: 'return',
    usage: USAGE,
    doc: 'Answer the request, with 200 when nothing else is said.',
    sets: BOTH,
    parse: (words, context, _proxy, set) => parseReply(words, context, set, 200),
    compile: (args: ReplyArgs, env) => compileReply(args, env, { termination: 'LR' }),
  },
  {
    keyword: 'auth',
    usage: '[realm <text>]',
    doc: 'Ask for a user name and a password.',
    sets: ['http-request', 'stats http-request'],
    parse: (words, _context, proxy) => (words.accept('realm') ? words.take('a realm').text : proxy.name),
    compile: (realm: string) => {
      const reply: Reply = {
        status: 401,
        errorPage: true,
        headers: [['www-authenticate', `Basic realm="${realm}"`]],
        termination: 'LR',
      };
      return (tx) => {
        tx.reply = reply;
        return VERDICT.done;
      };
    },
  },
];

// ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Draft {
  status: number;
  /** The old word, which keeps the error page. */
  denyStatus: boolean;
  content: Content;
  type?: string;
  headers: { name: string; format: LogFormat }[];
}

/** `statuses` limits the codes of the error page. */
function parseReply(
  words: Cursor,
  context: ParseContext,
  set: RuleSet,
  status: number,
  statuses?: readonly number[],
): ReplyArgs {
  const draft: Draft = { status, denyStatus: false, content: { kind: 'empty' }, headers: [] };
  const isBare = isAtEnd(words);
  while (!isAtEnd(words)) {
    const row = words.oneOf('argument', ARGUMENTS);
    row.parse(words, draft, context, set);
  }
  const { type, headers } = draft;
  let { content } = draft;
  // `deny` and `deny deny_status` answer with the error page, `deny status` with an empty body, as in HAProxy.
  if (
    content.kind === 'empty' &&
    statuses !== undefined &&
    headers.length === 0 &&
    (isBare || draft.denyStatus)
  )
    content = { kind: 'page' };
  if (content.kind === 'page' && !ERROR_STATUSES.includes(draft.status))
    words.fail(
      `there is no error page for status ${draft.status}`,
      undefined,
      'say string, file or errorfile',
    );
  const hasBody = content.kind === 'format' || (content.kind === 'text' && content.text !== '');
  if (hasBody && type === undefined)
    words.fail(
      'a body wants a content-type',
      undefined,
      'add content-type text/plain or text/html before it',
    );
  return { status: draft.status, content, type, headers };
}

interface ArgumentRow {
  readonly keyword: string;
  parse(words: Cursor, draft: Draft, context: ParseContext, set: RuleSet): void;
}

const ARGUMENTS: readonly ArgumentRow[] = [
  {
    keyword: 'status',
    parse: (words, draft) => {
      draft.status = words.integer('a status', 200, 599);
    },
  },
  {
    keyword: 'deny_status',
    parse: (words, draft) => {
      draft.status = words.integer('a status', 200, 599);
      draft.denyStatus = true;
    },
  },
  {
    keyword: 'content-type',
    parse: (words, draft) => {
      draft.type = words.take('a content type').text;
    },
  },
  {
    keyword: 'default-errorfiles',
    parse: (_words, draft) => {
      draft.content = { kind: 'page' };
    },
  },
  {
    keyword: 'errorfile',
    parse: (words, draft, context) => {
      const text = takeFile(words, context);
      if (!/^HTTP\/\d\.\d \d{3}/.test(text))
        words.fail(`the file '${words.words[words.position - 1]!.text}' is not a whole HTTP message`);
      draft.content = { kind: 'message', text };
    },
  },
  { keyword: 'errorfiles', parse: (words) => words.fail("'errorfiles' is not supported by this engine yet") },
  {
    keyword: 'file',
    parse: (words, draft, context) => {
      draft.content = { kind: 'text', text: takeFile(words, context) };
    },
  },
  {
    keyword: 'string',
    parse: (words, draft) => {
      draft.content = { kind: 'text', text: words.take('a text').text };
    },
  },
  {
    keyword: 'lf-file',
    parse: (words, draft, context, set) => {
      const text = takeFile(words, context);
      const { place } = words.words[words.position - 1]!;
      draft.content = { kind: 'format', format: parseLogFormat(text, place, context, set) };
    },
  },
  {
    keyword: 'lf-string',
    parse: (words, draft, context, set) => {
      draft.content = { kind: 'format', format: takeFormat(words, 'a format', context, set) };
    },
  },
  {
    keyword: 'hdr',
    parse: (words, draft, context, set) => {
      draft.headers.push({ name: takeHeaderName(words), format: takeFormat(words, 'a value', context, set) });
    },
  },
];

function takeFile(words: Cursor, context: ParseContext): string {
  const file = words.take('a file');
  const content = context.readFile(file.text);
  if (content === undefined) words.fail(`the file '${file.text}' cannot be read`, file);
  return content;
}

// ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────

function compileReply(
  args: ReplyArgs,
  env: CompileEnv,
  fixed: { readonly termination: string; readonly delay?: number },
): (tx: Transaction) => Verdict {
  const { status, content, type } = args;
  const headers = args.headers.map(({ name, format }) => ({
    name: name.toLowerCase(),
    text: compileText(format, env),
    isFixed: format.pieces.every((piece) => piece.kind === 'text'),
  }));
  const body = content.kind === 'format' ? compileText(content.format, env) : undefined;
  const make = (tx: Transaction | undefined): Reply => {
    const fields = headers.map(({ name, text }): [string, string] => [name, text(tx as Transaction)]);
    if (content.kind === 'page') return { ...fixed, status, errorPage: true, headers: fields };
    if (content.kind === 'message')
      return { ...fixed, status: messageStatus(content.text), raw: content.text };
    const text = content.kind === 'text' ? content.text : (body?.(tx as Transaction) ?? '');
    fields.push(['content-length', String(text.length)]);
    if (type !== undefined && text !== '') fields.push(['content-type', type]);
    return { ...fixed, status, headers: fields, body: text };
  };
  if (body === undefined && headers.every((h) => h.isFixed)) {
    const reply = make(undefined);
    return (tx) => {
      tx.reply = reply;
      return VERDICT.done;
    };
  }
  return (tx) => {
    tx.reply = make(tx);
    return VERDICT.done;
  };
}

function messageStatus(message: string): number {
  return Number(message.slice(9, 12));
}
