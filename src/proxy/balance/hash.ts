/** `balance hash <expression>`: by any sample of the request. */

import { parseAddress } from '../acl/address.ts';
import { compileSample } from '../acl/compile.ts';
import type { CompileEnv, Sample, SampleType } from '../expressions.ts';
import type { Backend } from '../model.ts';
import { hashFunction, hashPolicy, NO_KEY } from './hashing.ts';
import type { Policy } from './policy.ts';

export function hashExpression(backend: Backend, env: CompileEnv): Policy {
  const { expression } = backend.settings.balance;
  if (expression === undefined) throw new Error("'balance hash' without its expression");
  const read = compileSample(expression, env);
  const hash = hashFunction(backend.settings);
  const { type } = expression;
  return hashPolicy(backend, (tx) => {
    const bytes = toBytes(read(tx), type);
    return bytes === undefined ? NO_KEY : hash(bytes, 0, bytes.length);
  });
}

/** What HAProxy's binary samples are: numbers in eight bytes, addresses in four or sixteen, all in network order. */
function toBytes(value: Sample, type: SampleType): Buffer | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') {
    if (type !== 'ip') return Buffer.from(value, 'latin1');
    const address = parseAddress(value);
    return address && wordBytes(address.family === 4 ? [address.words[3]] : address.words);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(Math.trunc(Number(value))));
  return bytes;
}

function wordBytes(words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * words.length);
  for (const [i, word] of words.entries()) bytes.writeUInt32BE(word, 4 * i);
  return bytes;
}
