/** `redirect`: an answer that sends the client elsewhere (manual, `http-request redirect` and `redirect`). */
import { pathAndQueryOf, pathOf } from '../acl/target.ts';
import { type ActionRow, type CompileEnv, type LogFormat, VERDICT } from '../expressions.ts';
import { headerName } from '../http1/head.ts';
import type { Reply, Transaction } from '../transaction.ts';
import { compileText, isAtEnd, takeFormat } from './words.ts';

interface RedirectArgs {
  readonly kind: 'location' | 'prefix' | 'scheme';
  readonly to: LogFormat;
  readonly code: number;
  readonly dropQuery: boolean;
  readonly appendSlash: boolean;
  readonly ignoreEmpty: boolean;
  /** The Set-Cookie field. */
  readonly cookie: string | undefined;
}

const CODES = [301, 302, 303, 307, 308];
const KINDS = ['location', 'prefix', 'scheme'] as const;
const HOST = headerName('host');

export const REDIRECT_ACTION: ActionRow<RedirectArgs> = {
  keyword: 'redirect',
  usage:
    '{location|prefix|scheme} <fmt> [code <301|302|303|307|308>] [drop-query] [append-slash] [ignore-empty] [set-cookie <name>[=<value>]] [clear-cookie <name>[=]]',
  doc: 'Send the client to another place.',
  sets: ['http-request', 'http-response'],
  parse: (words, context, _proxy, set) => {
    let target: { kind: RedirectArgs['kind']; to: LogFormat } | undefined;
    let code = 302;
    let cookie: string | undefined;
    const flags = new Set<string>();
    while (!isAtEnd(words)) {
      const { keyword } = words.oneOf('argument of redirect', ARGUMENTS);
      if (keyword === 'code') {
        code = words.integer('a redirect code', 300, 399);
        if (!CODES.includes(code)) words.fail(`'${code}' is not a redirect code (${CODES.join(', ')})`);
      } else if (keyword === 'set-cookie') {
        cookie = `${words.take('a cookie').text}; path=/;`;
      } else if (keyword === 'clear-cookie') {
        cookie = `${words.take('a cookie').text}; path=/; Max-Age=0;`;
      } else if (isKind(keyword)) {
        target = { kind: keyword, to: takeFormat(words, 'where to', context, set) };
      } else {
        flags.add(keyword);
      }
    }
    if (target === undefined) words.fail("'redirect' wants 'location', 'prefix' or 'scheme'", undefined);
    return {
      ...target!,
      code,
      cookie,
      dropQuery: flags.has('drop-query'),
      appendSlash: flags.has('append-slash'),
      ignoreEmpty: flags.has('ignore-empty'),
    };
  },
  compile: (args, env) => {
    const locate = compileLocation(args, env);
    const before: [string, string][] = [['content-length', '0']];
    const after: [string, string][] = [];
    // 301 and 308 are meant to be kept by caches, the others are not.
    if (args.code !== 301 && args.code !== 308) after.push(['cache-control', 'no-cache']);
    if (args.cookie !== undefined) after.push(['set-cookie', args.cookie]);
    return (tx) => {
      const location = locate(tx);
      if (location === undefined) return VERDICT.next;
      const headers = [...before, ['location', location] as const, ...after];
      const reply: Reply = { status: args.code, headers, body: '', termination: 'LR' };
      tx.reply = reply;
      return VERDICT.done;
    };
  },
};

const ARGUMENTS = [
  ...KINDS,
  'code',
  'drop-query',
  'append-slash',
  'ignore-empty',
  'set-cookie',
  'clear-cookie',
].map((keyword) => ({ keyword }));

function isKind(keyword: string): keyword is RedirectArgs['kind'] {
  return (KINDS as readonly string[]).includes(keyword);
}

/** Undefined: the rule does not apply after all (`ignore-empty`). */
function compileLocation(args: RedirectArgs, env: CompileEnv): (tx: Transaction) => string | undefined {
  const text = compileText(args.to, env);
  const { dropQuery, appendSlash } = args;
  switch (args.kind) {
    case 'location':
      return (tx) => {
        const location = text(tx);
        return location === '' && args.ignoreEmpty ? undefined : location;
      };
    case 'scheme':
      return (tx) => {
        const scheme = text(tx);
        return `${scheme}://${tx.request.get(HOST) ?? ''}${rest(tx, dropQuery, appendSlash)}`;
      };
    case 'prefix':
      return (tx) => {
        const prefix = text(tx);
        const path = rest(tx, dropQuery, appendSlash);
        // A prefix of "/" means no prefix: the path is there already.
        return prefix === '/' ? path : prefix + path;
      };
  }
}

/** Path and query of the request, as the location keeps them. The parser let no control characters into them. */
function rest(tx: Transaction, dropQuery: boolean, appendSlash: boolean): string {
  const path = (dropQuery ? pathOf(tx.request) : pathAndQueryOf(tx.request)) ?? '/';
  if (path.includes('?')) return path;
  return appendSlash && !path.endsWith('/') ? `${path}/` : path;
}
