/**
 * Variables of `set-var` and `var` (HAProxy manual, section 7.3.2). A name begins with its scope: `proc` lives as long
 * as the process, `sess` as the connection, `txn`, `req` and `res` as the transaction.
 */
import type { Sample } from '../expressions.ts';
import type { Transaction } from '../transaction.ts';

/** A complaint about a variable's name, or undefined. */
export function checkVariable(name: string): string | undefined {
  const dot = name.indexOf('.');
  const scope = dot < 0 ? '' : name.slice(0, dot);
  if (!SCOPES.includes(scope))
    return `'${name}' is not a variable: names begin with ${SCOPES.slice(0, -1).join('., ')}. or ${SCOPES.at(-1)}.`;
  if (!/^[\w.]+$/.test(name.slice(dot + 1)))
    return `'${name}' is not a variable: letters, digits, _ and . can follow the scope`;
  return undefined;
}

export function compileGet(name: string): (tx: Transaction) => Sample {
  if (name.startsWith('proc.')) return () => processVariables.get(name);
  if (name.startsWith('sess.')) return (tx) => tx.client.vars?.get(name);
  return (tx) => tx.vars?.get(name);
}

/** Setting undefined forgets the variable. */
export function compileSet(name: string): (tx: Transaction, value: Sample) => void {
  if (name.startsWith('proc.')) return (_tx, value) => put(processVariables, name, value);
  if (name.startsWith('sess.')) return (tx, value) => put((tx.client.vars ??= new Map()), name, value);
  return (tx, value) => put((tx.vars ??= new Map()), name, value);
}

const SCOPES = ['proc', 'sess', 'txn', 'req', 'res'];

const processVariables = new Map<string, Sample>();

function put(variables: Map<string, Sample>, name: string, value: Sample): void {
  if (value === undefined) variables.delete(name);
  else variables.set(name, value);
}
