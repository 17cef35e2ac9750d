/** Actions on the request line and the status line. */
import { originOf, pathEnd, pathStart } from '../acl/target.ts';
import { type ActionRow, type CompileEnv, type LogFormat, type RuleSet, VERDICT } from '../expressions.ts';
import type { Head } from '../http1/head.ts';
import { reasonOf } from '../http1/reasons.ts';
import type { Transaction } from '../transaction.ts';
import { done } from './failure.ts';
import { compileReplace } from './headers.ts';
import { compileText, takeFormat, takeRegex } from './words.ts';

const REQUEST: readonly RuleSet[] = ['http-request'];

/** Part of the target that an action sees: [start, end), or undefined when the target has no such part. */
type Part = (head: Head) => readonly [number, number] | undefined;

const PATH: Part = (head) => {
  const start = pathStart(head);
  return start < 0 ? undefined : [start, pathEnd(head, start)];
};
const PATH_AND_QUERY: Part = (head) => {
  const start = pathStart(head);
  return start < 0 ? undefined : [start, head.targetEnd];
};
const WHOLE: Part = (head) => [head.targetStart, head.targetEnd];

export const TARGET_ACTIONS: readonly ActionRow[] = [
  setter('set-path', 'Replace the path; the query stays.', PATH),
  setter('set-pathq', 'Replace path and query.', PATH_AND_QUERY),
  setter('set-uri', 'Replace the whole request target.', WHOLE),
  {
    keyword: 'set-query',
    usage: '<fmt>',
    doc: 'Replace what follows the question mark.',
    sets: REQUEST,
    parse: (words, context, _proxy, set) => takeFormat(words, 'a query', context, set),
    compile: (format: LogFormat, env) => {
      const text = compileText(format, env);
      return (tx) => {
        const head = tx.request;
        const mark = pathEnd(head, head.targetStart);
        const query = safe(text(tx));
        // A question mark that is there stays, one that is not comes only with a query.
        if (mark === head.targetEnd && query === '') return VERDICT.next;
        return done(tx, head.setTarget(`${head.slice(head.targetStart, mark)}?${query}`));
      };
    },
  },
  {
    keyword: 'set-method',
    usage: '<fmt>',
    doc: 'Replace the method.',
    sets: REQUEST,
    parse: (words, context, _proxy, set) => takeFormat(words, 'a method', context, set),
    compile: (format: LogFormat, env) => {
      const text = compileText(format, env);
      return (tx) => {
        const method = text(tx);
        return done(tx, /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method) && tx.request.setMethod(method));
      };
    },
  },
  replacer('replace-path', 'Replace the path when a regular expression matches it.', PATH),
  replacer('replace-pathq', 'Replace path and query when a regular expression matches them.', PATH_AND_QUERY),
  replacer('replace-uri', 'Replace the whole request target when a regular expression matches it.', WHOLE),
  {
    keyword: 'set-status',
    usage: '<status> [reason <text>]',
    doc: 'Replace the status and its reason.',
    sets: ['http-response', 'http-after-response'],
    parse: (words) => {
      const status = words.integer('a status', 100, 999);
      return { status, reason: words.accept('reason') ? words.take('a reason').text : undefined };
    },
    compile: ({ status, reason }: { status: number; reason?: string }) => {
      const text = (reason ?? reasonOf(status)).replace(/[^\t -~\x80-\xff]/g, '');
      return (tx) => done(tx, tx.response.setStatus(status, text));
    },
  },
];

function setter(keyword: string, doc: string, part: Part): ActionRow<LogFormat> {
  return {
    keyword,
    usage: '<fmt>',
    doc,
    sets: REQUEST,
    parse: (words, context, _proxy, set) => {
      const word = words.peek();
      if (word?.text === '') words.fail(`'${keyword}' wants a format that is not empty`, word);
      return takeFormat(words, 'a format', context, set);
    },
    compile: (format, env) => {
      const text = compileText(format, env);
      return (tx) => put(tx, part, text(tx));
    },
  };
}

function replacer(keyword: string, doc: string, part: Part): ActionRow<{ regex: string; format: LogFormat }> {
  return {
    keyword,
    usage: '<regex> <fmt>',
    doc,
    sets: REQUEST,
    parse: (words, context, _proxy, set) => ({
      regex: takeRegex(words),
      format: takeFormat(words, 'a replacement', context, set),
    }),
    compile: ({ regex, format }, env: CompileEnv) => {
      const replaceWith = compileReplace(regex, format, env);
      return (tx) => {
        const range = part(tx.request);
        if (range === undefined) return VERDICT.next;
        const text = replaceWith(tx)(tx.request.slice(range[0], range[1]));
        return text === undefined ? VERDICT.next : put(tx, part, text);
      };
    },
  };
}

function put(tx: Transaction, part: Part, text: string) {
  const head = tx.request;
  const range = part(head);
  if (range === undefined) return VERDICT.next;
  const target = head.slice(head.targetStart, range[0]) + safe(text) + head.slice(range[1], head.targetEnd);
  // An absolute form must keep its authority in front; anything else must begin with a slash, or be `*`.
  const isTarget =
    target === '*' || target.startsWith('/') || originOf(head) !== undefined || target.includes('://');
  return done(tx, isTarget && head.setTarget(target));
}

/** A request line must not be cut by what a rule puts into it: spaces and control characters become %XX. */
function safe(text: string): string {
  return UNSAFE.test(text)
    ? text.replace(UNSAFE_ALL, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
    : text;
}

const UNSAFE = /[\x00-\x20\x7f]/;
const UNSAFE_ALL = /[\x00-\x20\x7f]/g;
