/** Converters on numbers and truth values (manual, section 7.3.1). */
import type { ConverterRow, Sample, SampleType } from '../../expressions.ts';
import type { Transaction } from '../../transaction.ts';
import { toNumber } from '../values.ts';
import { checkVariable, compileGet } from '../vars.ts';

export const NUMBER_CONVERTERS: readonly ConverterRow[] = [
  binary('add', 'Adds a number.', (a, b) => a + b),
  binary('sub', 'Subtracts a number.', (a, b) => a - b),
  binary('mul', 'Multiplies by a number.', (a, b) => a * b),
  binary('div', 'Divides by a number; by zero gives the largest one.', (a, b) =>
    b === 0 ? LARGEST : Math.trunc(a / b),
  ),
  binary('mod', 'The rest of a division; by zero gives 0.', (a, b) => (b === 0 ? 0 : (a % b) + 0)),
  binary(
    'and',
    'Bitwise AND with a number.',
    bitwise(
      (a, b) => a & b,
      (a, b) => a & b,
    ),
  ),
  binary(
    'or',
    'Bitwise OR with a number.',
    bitwise(
      (a, b) => a | b,
      (a, b) => a | b,
    ),
  ),
  binary(
    'xor',
    'Bitwise exclusive OR with a number.',
    bitwise(
      (a, b) => a ^ b,
      (a, b) => a ^ b,
    ),
  ),
  unary('neg', 'int', 'Changes the sign.', (a) => 0 - a),
  unary('cpl', 'int', 'Bitwise complement.', (a) => -a - 1),
  unary('bool', 'bool', 'Whether the number is other than 0.', (a) => a !== 0),
  unary('not', 'bool', 'Whether the number is 0.', (a) => a === 0),
  unary('even', 'bool', 'Whether the number is even.', (a) => a % 2 === 0),
  unary('odd', 'bool', 'Whether the number is odd.', (a) => a % 2 !== 0),
  {
    keyword: 'iif',
    usage: '(<true>,<false>)',
    doc: 'One of two texts, for true and for false.',
    input: 'bool',
    output: 'str',
    check: (args) => (args.length === 2 ? undefined : 'wants two texts'),
    compile:
      ([yes, no]) =>
      (value) =>
        value ? yes : no,
  },
];

const LARGEST = 2 ** 63;

function unary(keyword: string, output: SampleType, doc: string, apply: (a: number) => Sample): ConverterRow {
  return {
    keyword,
    usage: '',
    doc,
    input: 'int',
    output,
    check: (args) => (args.length === 0 ? undefined : 'takes no arguments'),
    compile: () => (value) => apply(value as number),
  };
}

function binary(keyword: string, doc: string, apply: (a: number, b: number) => number): ConverterRow {
  return {
    keyword,
    usage: '(<number or variable>)',
    doc,
    input: 'int',
    output: 'int',
    check: (args) => (args.length === 1 ? checkOperand(args[0]!) : 'wants a number or a variable'),
    compile: ([text]) => {
      if (isInteger(text!)) {
        const operand = Number(text);
        return (value) => apply(value as number, operand);
      }
      const read = operandOf(text!);
      return (value, tx) => {
        const operand = read(tx);
        return operand === undefined ? undefined : apply(value as number, operand);
      };
    },
  };
}

function checkOperand(text: string): string | undefined {
  return isInteger(text) ? undefined : checkVariable(text);
}

function operandOf(name: string): (tx: Transaction) => number | undefined {
  const get = compileGet(name);
  return (tx) => toNumber(get(tx));
}

function isInteger(text: string): boolean {
  return /^[+-]?\d+$/.test(text);
}

/** JavaScript's operators work on 32 bits; HAProxy's numbers have 64. */
function bitwise(small: (a: number, b: number) => number, large: (a: bigint, b: bigint) => bigint) {
  return (a: number, b: number) =>
    (a | 0) === a && (b | 0) === b ? small(a, b) : Number(BigInt.asIntN(64, large(BigInt(a), BigInt(b))));
}
