/** Actions that keep values: variables and captures. */
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import { compileSample, compileText as compileSampleText } from '../acl/compile.ts';
import { takeSample } from '../acl/parse.ts';
import { checkVariable, compileGet, compileSet } from '../acl/vars.ts';
import {
  type ActionRow,
  type LogFormat,
  type RuleSet,
  type Sample,
  type SampleExpression,
  VERDICT,
} from '../expressions.ts';
import type { Transaction } from '../transaction.ts';
import { compileText, ownArguments, takeFormat } from './words.ts';

const SETS: readonly RuleSet[] = [
  'tcp-request connection',
  'tcp-request session',
  'tcp-request content',
  'tcp-response content',
  'http-request',
  'http-response',
  'http-after-response',
];

interface Assignment<From> {
  readonly name: string;
  readonly conditions: readonly string[];
  readonly from: From;
}

export const VARIABLE_ACTIONS: readonly ActionRow[] = [
  {
    keyword: 'set-var',
    usage: '(<name>[,<condition>…]) <expr>',
    doc: 'Keep a sample in a variable: proc.x, sess.x, txn.x, req.x, res.x.',
    sets: SETS,
    parse: (words, context, _proxy, set) => ({
      ...takeVariable(words),
      from: takeSample(words, context, set),
    }),
    compile: ({ name, conditions, from }: Assignment<SampleExpression>, env) => {
      const put = compilePut(name, conditions);
      const read = compileSample(from, env);
      return (tx) => {
        const value = read(tx);
        // A sample that cannot be had leaves the variable as it was.
        if (value !== undefined) put(tx, value);
        return VERDICT.next;
      };
    },
  },
  {
    keyword: 'set-var-fmt',
    usage: '(<name>[,<condition>…]) <fmt>',
    doc: 'Keep a text in a variable.',
    sets: SETS,
    parse: (words, context, _proxy, set) => ({
      ...takeVariable(words),
      from: takeFormat(words, 'a format', context, set),
    }),
    compile: ({ name, conditions, from }: Assignment<LogFormat>, env) => {
      const put = compilePut(name, conditions);
      const text = compileText(from, env);
      return (tx) => {
        put(tx, text(tx));
        return VERDICT.next;
      };
    },
  },
  {
    keyword: 'unset-var',
    usage: '(<name>)',
    doc: 'Forget a variable.',
    sets: SETS,
    parse: (words) => takeVariable(words).name,
    compile: (name: string) => {
      const set = compileSet(name);
      return (tx) => {
        set(tx, undefined);
        return VERDICT.next;
      };
    },
  },
  {
    keyword: 'capture',
    usage: '<expr> {len <length>|id <number>}',
    doc: 'Keep a sample among the captured headers of the log.',
    sets: ['tcp-request content', 'http-request', 'http-response', 'http-after-response'],
    parse: (words, context, proxy, set) => {
      const where = set === 'http-response' || set === 'http-after-response' ? 'response' : 'request';
      const expression = takeSample(words, context, set);
      const slots = () => proxy.captures.filter((c) => c.where === where);
      const how = words.oneOf(
        'argument of capture',
        where === 'response' ? [{ keyword: 'id' }] : [{ keyword: 'len' }, { keyword: 'id' }],
      );
      if (how.keyword === 'len') {
        const length = words.integer('a length', 1, 65535);
        // No header has an empty name: the slot is filled by this rule alone.
        proxy.captures.push({ where, header: '', length });
        return { expression, where, index: slots().length - 1, length };
      }
      const index = words.integer('the number of a capture', 0, 1000);
      const slot = slots()[index];
      if (slot === undefined && proxy.kind !== 'backend')
        words.fail(
          `there is no ${where} capture ${index} above`,
          undefined,
          `capture ${where} header … declares one`,
        );
      return { expression, where, index, length: slot?.length ?? 65535 };
    },
    compile: (
      args: { expression: SampleExpression; where: 'request' | 'response'; index: number; length: number },
      env,
    ) => {
      const read = compileSampleText(args.expression, env);
      const { index, length } = args;
      const isRequest = args.where === 'request';
      return (tx) => {
        const text = read(tx);
        if (text === undefined) return VERDICT.next;
        if (isRequest) (tx.requestCaptures ??= [])[index] = text.slice(0, length);
        else (tx.responseCaptures ??= [])[index] = text.slice(0, length);
        return VERDICT.next;
      };
    },
  },
];

function takeVariable(words: Cursor): { name: string; conditions: readonly string[] } {
  const { args, word } = ownArguments(words);
  const [name = '', ...conditions] = args;
  const complaint = checkVariable(name);
  if (complaint !== undefined) throw new WordError(complaint, word.place);
  for (const condition of conditions)
    if (CONDITIONS[condition] === undefined)
      throw new WordError(
        `'${condition}' is not a condition of set-var (${Object.keys(CONDITIONS).join(', ')})`,
        word.place,
      );
  return { name, conditions };
}

/** Conditions of `set-var(name,cond)`: all must hold for the value to be kept. */
const CONDITIONS: Record<string, (present: Sample, value: Sample) => boolean> = {
  ifexists: (present) => present !== undefined,
  ifnotexists: (present) => present === undefined,
  ifempty: (present) => present === undefined || present === '',
  ifnotempty: (present) => present !== undefined && present !== '',
  ifset: (_present, value) => value !== undefined && value !== '',
  ifnotset: (_present, value) => value === undefined || value === '',
  ifgt: (present, value) => present !== undefined && value !== undefined && present > value,
  iflt: (present, value) => present !== undefined && value !== undefined && present < value,
};

function compilePut(name: string, conditions: readonly string[]): (tx: Transaction, value: Sample) => void {
  const set = compileSet(name);
  if (conditions.length === 0) return set;
  const get = compileGet(name);
  const tests = conditions.map((condition) => CONDITIONS[condition]!);
  return (tx, value) => {
    const present = get(tx);
    if (tests.every((test) => test(present, value))) set(tx, value);
  };
}
