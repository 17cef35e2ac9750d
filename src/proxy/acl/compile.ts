/** Makes flat functions of expressions: once, when the configuration loads. */

import type {
  AclTest,
  CompileEnv,
  Condition,
  ConverterUse,
  Sample,
  SampleExpression,
  SampleType,
  Term,
} from '../expressions.ts';
import type { Transaction } from '../transaction.ts';
import { castOf, toText } from './values.ts';

type Read = (tx: Transaction) => Sample;
type Test = (tx: Transaction) => boolean;

export function compileSample(expression: SampleExpression, env: CompileEnv): Read {
  return chain(
    expression.fetch.compile(expression.args, env, expression.prepared),
    compileSteps(expression, env),
  );
}

/** The sample as text; booleans are 1 and 0. */
export function compileText(
  expression: SampleExpression,
  env: CompileEnv,
): (tx: Transaction) => string | undefined {
  const read = compileSample(expression, env);
  if (expression.type === 'bool' || expression.type === 'int') return (tx) => toText(read(tx));
  return (tx) => {
    const value = read(tx);
    return typeof value === 'string' || value === undefined ? value : toText(value);
  };
}

function compileAcl(test: AclTest, env: CompileEnv): Test {
  const { expression, matcher, patterns } = test;
  const options = { ignoreCase: test.ignoreCase };
  const { fetch, args } = expression;
  if (expression.converters.length === 0 && fetch.compileBytes !== undefined) {
    const onBytes = matcher.compileBytes?.(patterns, options);
    if (onBytes !== undefined) return fetch.compileBytes(args, env, onBytes);
  }
  const steps = compileSteps(expression, env);
  const cast = castOf(expression.type, matcher.input)!;
  const match = matcher.compile(patterns, options);
  const matches = (value: Sample): boolean => {
    if (value === undefined) return false;
    const wanted = cast(value);
    return wanted !== undefined && match(wanted);
  };
  if (fetch.compileAll === undefined) {
    const read = chain(fetch.compile(args, env, expression.prepared), steps);
    return (tx) => matches(read(tx));
  }
  const readAll = fetch.compileAll(args, env);
  return (tx) => {
    for (const value of readAll(tx)) if (matches(run(value, steps, tx))) return true;
    return false;
  };
}

/** Undefined when there is no condition: the rule always applies. */
export function compileCondition(condition: Condition | undefined, env: CompileEnv): Test | undefined {
  if (condition === undefined) return undefined;
  const test = anyOf(condition.any.map((row) => allOf(row.map((term) => compileTerm(term, env)))));
  return condition.unless ? (tx) => !test(tx) : test;
}

/** What a condition says while more bytes may come: yes, no, or not yet (manual, `tcp-request content`). */
export const OUTCOME = { fail: 0, unknown: 1, pass: 3 } as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** Like `compileCondition`, for rules that may wait for bytes. AND and OR of outcomes are the bitwise ones. */
export function compileOutcome(
  condition: Condition | undefined,
  env: CompileEnv,
): ((tx: Transaction) => Outcome) | undefined {
  if (condition === undefined) return undefined;
  const { unless } = condition;
  const rows = condition.any.map((row) =>
    row.map((term) => ({ test: compileTests(term, env), negated: term.negated })),
  );
  return (tx) => {
    let any: number = OUTCOME.fail;
    for (const row of rows) {
      let all: number = OUTCOME.pass;
      for (const { test, negated } of row) {
        tx.incomplete = false;
        const passed = test(tx);
        // A test that passed needs no more bytes; one that did not may pass later.
        if (!passed && tx.incomplete) all &= OUTCOME.unknown;
        else if (passed === negated) all = OUTCOME.fail;
        if (all === OUTCOME.fail) break;
      }
      any |= all;
      if (any === OUTCOME.pass) break;
    }
    if (any === OUTCOME.unknown || !unless) return any as Outcome;
    return any === OUTCOME.pass ? OUTCOME.fail : OUTCOME.pass;
  };
}

// ── samples ──────────────────────────────────────────────────────────────────────────────────────────────────────

type Step = (value: Sample, tx: Transaction) => Sample;

/** Every converter, with a cast before it where types differ. */
function compileSteps(expression: SampleExpression, env: CompileEnv): Step[] {
  let type: SampleType = expression.fetch.type;
  const steps: Step[] = [];
  for (const { row, args, prepared } of expression.converters as readonly ConverterUse[]) {
    const convert = row.compile(args, env, prepared);
    if (row.input === 'any') {
      steps.push(convert);
      continue;
    }
    const cast = castOf(type, row.input)!;
    steps.push((value, tx) => {
      const wanted = cast(value);
      return wanted === undefined ? undefined : convert(wanted, tx);
    });
    type = row.output;
  }
  return steps;
}

function chain(read: Read, steps: readonly Step[]): Read {
  const [first, second] = steps;
  if (first === undefined) return read;
  if (second === undefined)
    return (tx) => {
      const value = read(tx);
      return value === undefined ? undefined : first(value, tx);
    };
  return (tx) => run(read(tx), steps, tx);
}

function run(value: Sample, steps: readonly Step[], tx: Transaction): Sample {
  let result = value;
  for (let i = 0; i < steps.length && result !== undefined; i++) result = steps[i]!(result, tx);
  return result;
}

// ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────

function compileTerm(term: Term, env: CompileEnv): Test {
  const test = compileTests(term, env);
  return term.negated ? (tx) => !test(tx) : test;
}

function compileTests(term: Term, env: CompileEnv): Test {
  return anyOf(term.tests.map((test) => compileAcl(test, env)));
}

function anyOf(tests: readonly Test[]): Test {
  const [first, second] = tests;
  if (first === undefined) return () => false;
  if (second === undefined) return first;
  if (tests.length === 2) return (tx) => first(tx) || second(tx);
  return (tx) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]!(tx)) return true;
    return false;
  };
}

function allOf(tests: readonly Test[]): Test {
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (tests.length === 2) return (tx) => first(tx) && second(tx);
  return (tx) => {
    for (let i = 0; i < tests.length; i++) if (!tests[i]!(tx)) return false;
    return true;
  };
}
