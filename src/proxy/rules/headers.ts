/** Actions on header fields. */

import { MATCHERS } from '../acl/matchers.ts';
import { compileRegex, compileReplacement } from '../acl/regex.ts';
import { type ActionRow, type CompileEnv, type LogFormat, type RuleSet, VERDICT } from '../expressions.ts';
import { type Head, headerName } from '../http1/head.ts';
import type { Transaction } from '../transaction.ts';
import { done } from './failure.ts';
import { compileText, headOf, takeFormat, takeHeaderName, takeRegex } from './words.ts';

const SETS: readonly RuleSet[] = ['http-request', 'http-response', 'http-after-response'];

interface HeaderFormat {
  readonly name: string;
  readonly format: LogFormat;
}

interface HeaderReplacement extends HeaderFormat {
  readonly regex: string;
}

const parseFormat: ActionRow<HeaderFormat>['parse'] = (words, context, _proxy, set) => ({
  name: takeHeaderName(words),
  format: takeFormat(words, 'a value', context, set),
});

const parseReplacement: ActionRow<HeaderReplacement>['parse'] = (words, context, _proxy, set) => ({
  name: takeHeaderName(words),
  regex: takeRegex(words),
  format: takeFormat(words, 'a replacement', context, set),
});

export const HEADER_ACTIONS: readonly ActionRow[] = [
  {
    keyword: 'set-header',
    usage: '<name> <fmt>',
    doc: 'Replace all fields of a name by one.',
    sets: SETS,
    parse: parseFormat,
    compile: ({ name, format }: HeaderFormat, env, set) => {
      const header = headerName(name);
      const text = compileText(format, env);
      const head = headOf(set);
      // The value is made first: it may read the field that it replaces.
      return (tx) => {
        const value = text(tx);
        return done(tx, head(tx).set(header, value));
      };
    },
  },
  {
    keyword: 'add-header',
    usage: '<name> <fmt>',
    doc: 'Add a field after the others.',
    sets: SETS,
    parse: parseFormat,
    compile: ({ name, format }: HeaderFormat, env, set) => {
      const header = headerName(name);
      const text = compileText(format, env);
      const head = headOf(set);
      return (tx) => done(tx, head(tx).add(header, text(tx)));
    },
  },
  {
    keyword: 'del-header',
    usage: '<name> [-m {str|beg|end|sub|reg}]',
    doc: 'Remove all fields of a name, or whose name matches.',
    sets: SETS,
    parse: (words) => {
      const word = words.take('the name of a header');
      if (!words.accept('-m')) return { name: word.text, method: 'str' };
      const row = words.oneOf(
        'matching method of names',
        MATCHERS.filter((m) => ['str', 'beg', 'end', 'sub', 'reg'].includes(m.keyword)),
      );
      const complaint = row.check?.([word.text]);
      if (complaint !== undefined) words.fail(complaint, word);
      return { name: word.text, method: row.keyword };
    },
    compile: ({ name, method }: { name: string; method: string }, _env, set) => {
      const head = headOf(set);
      if (method === 'str') {
        const header = headerName(name);
        return (tx) => {
          head(tx).remove(header);
          return VERDICT.next;
        };
      }
      const matches = MATCHERS.find((m) => m.keyword === method)!.compile([name], { ignoreCase: true });
      return (tx) => {
        const message = head(tx);
        for (let i = 0; i < message.count; i++)
          if (message.isAlive(i) && matches(message.name(i))) message.removeAt(i);
        return VERDICT.next;
      };
    },
  },
  {
    keyword: 'replace-header',
    usage: '<name> <regex> <fmt>',
    doc: 'Replace whole field values that a regular expression matches; \\1 is its first group.',
    sets: SETS,
    parse: parseReplacement,
    compile: (args: HeaderReplacement, env, set) =>
      replaceIn(args, env, set, (value, replace) => replace(value)),
  },
  {
    keyword: 'replace-value',
    usage: '<name> <regex> <fmt>',
    doc: 'Replace the comma-separated parts of a field that a regular expression matches.',
    sets: SETS,
    parse: parseReplacement,
    compile: (args: HeaderReplacement, env, set) => replaceIn(args, env, set, replaceParts),
  },
];

type Replace = (text: string) => string | undefined;

function replaceIn(
  { name, regex, format }: HeaderReplacement,
  env: CompileEnv,
  set: RuleSet,
  apply: (value: string, replace: Replace) => string | undefined,
) {
  const header = headerName(name);
  const head = headOf(set);
  const replaceWith = compileReplace(regex, format, env);
  return (tx: Transaction) => {
    const message = head(tx);
    const replace = replaceWith(tx);
    return done(
      tx,
      replaceFields(message, header, (value) => apply(value, replace)),
    );
  };
}

function replaceFields(head: Head, name: ReturnType<typeof headerName>, replace: Replace): boolean {
  for (let i = head.find(name); i >= 0; i = head.find(name, i + 1)) {
    const value = replace(head.value(i));
    if (value !== undefined && !head.replaceAt(i, value)) return false;
  }
  return true;
}

/** Undefined when no part matches. */
function replaceParts(value: string, replace: Replace): string | undefined {
  let changed = false;
  const parts = splitParts(value).map((part) => {
    const replaced = replace(part.trim());
    if (replaced === undefined) return part;
    changed = true;
    return replaced;
  });
  return changed ? parts.join(',') : undefined;
}

/** At commas, but not those in quoted strings. */
function splitParts(value: string): string[] {
  return value.match(/(?:"(?:[^"\\]|\\.)*"?|[^,"])+|(?<=,|^)(?=,|$)/g) ?? [value];
}

/** For one transaction: whole text to what replaces it, undefined when the expression does not match. */
export function compileReplace(
  regex: string,
  format: LogFormat,
  env: CompileEnv,
): (tx: Transaction) => Replace {
  const expression = compileRegex(regex);
  const text = compileText(format, env);
  if (format.pieces.every((piece) => piece.kind === 'text')) {
    const make = compileReplacement(format.pieces.map((p) => (p.kind === 'text' ? p.text : '')).join(''));
    const replace: Replace = (value) => {
      const match = expression.exec(value);
      return match === null ? undefined : make(match);
    };
    return () => replace;
  }
  return (tx) => (value) => {
    const match = expression.exec(value);
    return match === null ? undefined : compileReplacement(text(tx))(match);
  };
}
