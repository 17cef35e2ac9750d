/** Every keyword of the language, from the tables: for `lablb-proxy keywords` and for docs/keywords.md. */
import { CONVERTERS } from './acl/converters.ts';
import { FETCHES } from './acl/fetches.ts';
import { MATCHERS } from './acl/matchers.ts';
import { FOLLOWS } from './identity.ts';
import { BALANCE_ROWS } from './keywords/balance.ts';
import { BIND_OPTIONS, STATS_SOCKET_OPTIONS, UNSUPPORTED_BIND_OPTIONS } from './keywords/bind.ts';
import { PROXY_KEYWORDS } from './keywords/proxy.ts';
import { sectionsOf } from './keywords/proxy-keyword.ts';
import { SERVER_OPTIONS, UNSUPPORTED_SERVER_OPTIONS } from './keywords/server.ts';
import { UNSUPPORTED } from './keywords/unsupported.ts';
import { LANGUAGE } from './language.ts';
import { LOG_FIELDS } from './logs/fields.ts';
import { ACTIONS } from './rules/actions.ts';

export interface KeywordGroup {
  readonly title: string;
  readonly about: string;
  readonly keywords: readonly ListedKeyword[];
}

export interface ListedKeyword {
  readonly keyword: string;
  readonly usage: string;
  readonly doc: string;
  /** `noted`: read, and not acted on. `unsupported`: refused by name. */
  readonly support: 'full' | 'noted' | 'unsupported';
  /** Sections or rule sets that it belongs in. */
  readonly where?: readonly string[];
}

export function listKeywords(): KeywordGroup[] {
  const section = (keyword: string) => LANGUAGE.sections.find((row) => row.keyword === keyword)!;
  return [
    {
      title: 'Sections',
      about: 'What a file is made of.',
      keywords: LANGUAGE.sections.map((row) => listed(row)),
    },
    {
      title: 'Global',
      about: 'In section `global`.',
      keywords: section('global').keywords.map((row) => listed(row)),
    },
    {
      title: 'Proxies',
      about: 'In `defaults`, `frontend`, `backend` and `listen`.',
      keywords: PROXY_KEYWORDS.map((row) => listed(row, sectionsOf(row))),
    },
    {
      title: 'Bind options',
      about: 'Behind the address of `bind`.',
      keywords: BIND_OPTIONS.map((row) => listed(row)),
    },
    {
      title: 'Stats socket options',
      about: 'Behind the address of `stats socket`.',
      keywords: STATS_SOCKET_OPTIONS.map((row) => listed(row)),
    },
    {
      title: 'Server options',
      about: 'Behind the address of `server`, and in `default-server`.',
      keywords: SERVER_OPTIONS.map((row) => listed(row)),
    },
    {
      title: 'Balance algorithms',
      about: 'Behind `balance`.',
      keywords: BALANCE_ROWS.map((row) => listed(row)),
    },
    {
      title: 'Actions',
      about: 'Behind the name of a rule set.',
      keywords: ACTIONS.map((row) => listed(row, row.sets)),
    },
    { title: 'Fetches', about: 'What ACLs and formats read.', keywords: FETCHES.map((row) => listed(row)) },
    {
      title: 'Converters',
      about: 'Behind a fetch and a comma.',
      keywords: CONVERTERS.map((row) => listed(row)),
    },
    { title: 'Matchers', about: 'Behind `-m` in an ACL.', keywords: MATCHERS.map((row) => listed(row)) },
    {
      title: 'Log variables',
      about: 'Behind `%` in a log format.',
      keywords: LOG_FIELDS.map((row) => listed(row)),
    },
    {
      title: 'Predicates',
      about: 'In `.if`, `.elif` and `-cc`.',
      keywords: LANGUAGE.predicates.map((row) => ({
        ...listed(row),
        usage: row.usage.slice(row.keyword.length),
      })),
    },
    {
      title: 'Userlists',
      about: 'In section `userlist`.',
      keywords: section('userlist').keywords.map((row) => listed(row)),
    },
    {
      title: 'Resolvers',
      about: 'In section `resolvers`.',
      keywords: section('resolvers').keywords.map((row) => listed(row)),
    },
    {
      title: 'Not supported yet',
      about: 'HAProxy has them; here they are refused by name.',
      keywords: unsupported(),
    },
  ];
}

/** As text, one keyword a line; as JSON; or as docs/keywords.md. */
export function renderKeywords(format: 'text' | 'json' | 'markdown' = 'text'): string {
  if (format === 'markdown') return renderKeywordsDocs();
  if (format === 'json') return `${JSON.stringify(listKeywords(), null, 2)}\n`;
  return listKeywords()
    .map(({ title, keywords }) => {
      const width = Math.min(40, Math.max(...keywords.map((row) => row.keyword.length)));
      const lines = keywords.map((row) => `  ${row.keyword.padEnd(width)}  ${described(row)}`.trimEnd());
      return `${title}\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** As docs/keywords.md: kept current by a test, written by `npm run docs`. */
export function renderKeywordsDocs(): string {
  const groups = listKeywords().map(({ title, about, keywords }) => {
    const rows = keywords.map(
      (row) => `| ${code(`${row.keyword} ${row.usage}`.trim())} | ${cell(described(row))} |`,
    );
    return [`## ${title}`, '', about, '', '| keyword | meaning |', '|---|---|', ...rows, ''].join('\n');
  });
  return [
    '# Keywords',
    '',
    `The configuration language of the engine follows HAProxy ${FOLLOWS}. This page is made from the tables that read it,`,
    'by `npm run docs`. *Noted* keywords are read and checked, and have no effect; the engine says so at start.',
    '',
    ...groups,
  ].join('\n');
}

function listed(
  row: { keyword: string; usage?: string; doc: string; support?: 'full' | 'noted' },
  where?: readonly string[],
): ListedKeyword {
  return {
    keyword: row.keyword,
    usage: row.usage ?? '',
    doc: row.doc,
    support: row.support ?? 'full',
    where,
  };
}

function unsupported(): ListedKeyword[] {
  const where = new Map<string, string[]>();
  const add = (keyword: string, section: string) =>
    where.set(keyword, [...(where.get(keyword) ?? []), section]);
  for (const row of UNSUPPORTED) add(row.keyword, row.section === '' ? 'a section' : row.section);
  for (const keyword of UNSUPPORTED_BIND_OPTIONS) add(keyword, 'bind');
  for (const keyword of UNSUPPORTED_SERVER_OPTIONS) add(keyword, 'server');
  return [...where].map(([keyword, places]) => ({
    keyword,
    usage: '',
    doc: '',
    support: 'unsupported',
    where: places,
  }));
}

function described(row: ListedKeyword): string {
  const places = row.where === undefined ? '' : ` (${row.where.join(', ')})`;
  return `${row.support === 'noted' ? 'Noted. ' : ''}${row.doc}${places}`.trim();
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
