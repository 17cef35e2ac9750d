/** `balance` (manual, section 4.2): how a server is chosen, with the arguments that each way takes. */
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import type { ParseContext, Word } from '../../config/language.ts';
import { parseSample } from '../acl/parse.ts';
import type { SampleExpression } from '../expressions.ts';
import type { BalanceSettings } from '../settings.ts';
import { configurationOf, takeChoice } from './support.ts';

export interface BalanceRow {
  readonly keyword: string;
  readonly usage: string;
  readonly doc: string;
  /** Only where requests are read. */
  readonly http?: boolean;
  /** Reads and checks the arguments: those between parentheses come first, then the words that follow. */
  readArguments(inner: string | undefined, words: Cursor, name: Word, context: ParseContext): string[];
  /** Reads a sample instead. */
  readExpression?(words: Cursor, context: ParseContext): SampleExpression;
}

export const BALANCE_ROWS: readonly BalanceRow[] = [
  { keyword: 'roundrobin', usage: '', doc: 'In turn, by weight', readArguments: none },
  { keyword: 'static-rr', usage: '', doc: 'In turn, with weights that never change', readArguments: none },
  { keyword: 'leastconn', usage: '', doc: 'The server with the fewest connections', readArguments: none },
  { keyword: 'first', usage: '', doc: 'The first server that has room', readArguments: none },
  { keyword: 'source', usage: '', doc: 'By the address of the client', readArguments: none },
  {
    keyword: 'uri',
    usage: '[len <len>] [depth <depth>] [path-only|whole]',
    doc: 'By the target of the request',
    http: true,
    readArguments: (inner, words, name) => {
      none(inner, words, name);
      return uriArguments(words);
    },
  },
  {
    keyword: 'url_param',
    usage: '<param> [check_post [<max wait>]]',
    doc: 'By a parameter of the query string',
    http: true,
    readArguments: (inner, words, name, context) => {
      none(inner, words, name);
      const args = [words.take('the name of a parameter').text];
      const place = words.peek()?.place;
      if (words.accept('check_post')) {
        args.push('check_post');
        configurationOf(context).noted.push({
          keyword: 'balance url_param … check_post',
          place: place!,
          why: 'bodies are not read for it; a request whose target has no such parameter goes in turn',
        });
        if (words.peek() !== undefined) args.push(String(words.integer('a number of bytes')));
      }
      return args;
    },
  },
  {
    keyword: 'hdr',
    usage: '(<name>) [use_domain_only]',
    doc: 'By a header of the request',
    http: true,
    readArguments: (inner, words, name) => {
      const header = required(inner, name, 'hdr(host)');
      return words.accept('use_domain_only') ? [header, 'use_domain_only'] : [header];
    },
  },
  {
    keyword: 'random',
    usage: '[(<draws>)]',
    doc: 'The less loaded of a few drawn at random',
    readArguments: (inner, _words, name) => {
      if (inner !== undefined && !/^[1-9]\d{0,5}$/.test(inner)) {
        throw new WordError(`'${inner}' is not a number of draws`, name.place, 'write random(2)');
      }
      return inner === undefined ? [] : [inner];
    },
  },
  {
    keyword: 'rdp-cookie',
    usage: '[(<name>)]',
    doc: 'By the cookie of a remote desktop connection',
    readArguments: (inner) => (inner === undefined ? [] : [inner]),
  },
  {
    keyword: 'hash',
    usage: '<sample>',
    doc: 'By any sample of the request',
    readArguments: none,
    readExpression: (words, context) =>
      parseSample(words.take('a sample expression'), context, 'use_backend'),
  },
];

/** Reads the words after `balance`; without any it is `roundrobin`. */
export function readBalance(words: Cursor, context: ParseContext): BalanceSettings & { http: boolean } {
  if (words.peek() === undefined) return { algorithm: 'roundrobin', args: [], http: false };
  const name = words.take('an algorithm');
  const [, bare, inner] = /^([^(]*)(?:\(([^)]*)\))?$/.exec(name.text) ?? [undefined, name.text, undefined];
  // The row is found by the name without its parentheses, at the place of the whole word.
  const row = BALANCE_ROWS.find((r) => r.keyword === bare);
  if (row === undefined) {
    words.position--;
    takeChoice(
      words,
      'balance algorithm',
      BALANCE_ROWS.map((r) => r.keyword),
    );
  }
  const args = row!.readArguments(inner, words, name, context);
  const expression = row!.readExpression?.(words, context);
  words.end();
  return { algorithm: row!.keyword, args, expression, http: row!.http ?? false };
}

function none(inner: string | undefined, _words: Cursor, name: Word): string[] {
  if (inner !== undefined)
    throw new WordError(`'${name.text.split('(')[0]}' takes nothing in parentheses`, name.place);
  return [];
}

function required(inner: string | undefined, name: Word, example: string): string {
  if (inner) return inner;
  throw new WordError(`'${name.text}' wants a name in parentheses`, name.place, `write ${example}`);
}

function uriArguments(words: Cursor): string[] {
  const args: string[] = [];
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    const name = takeChoice(words, 'argument', ['len', 'depth', 'path-only', 'whole']);
    args.push(name);
    if (name === 'len' || name === 'depth') args.push(String(words.integer(`a ${name}`, 1)));
  }
  return args;
}
