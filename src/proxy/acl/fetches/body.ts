/**
 * The request's body (manual, section 7.3.6), as far as it is here when a rule asks: `option http-buffer-request` waits
 * for it.
 */
import type { FetchRow, SampleType } from '../../expressions.ts';
import type { Transaction } from '../../transaction.ts';
import { parameters } from './http.ts';

export const BODY_FETCHES: readonly FetchRow[] = [
  plain('req.body', 'bin', 'The part of the body that is here.', text),
  plain('req.body_len', 'int', 'How many bytes of the body are here.', length),
  plain('req.body_size', 'int', 'How long the body says it is; of chunks, how many bytes are here.', (tx) =>
    tx.request.contentLength > 0 && !tx.request.chunked ? tx.request.contentLength : length(tx),
  ),
  {
    keyword: 'req.body_param',
    usage: '([<name>])',
    doc: 'A parameter of a body that a form sent.',
    type: 'bin',
    phase: 'request',
    check: (args) => (args.length <= 1 ? undefined : 'wants at most one name'),
    compile: ([name]) => {
      return (tx) => parameters(`?${text(tx)}`, name || undefined, '?', 1)[0];
    },
    compileAll: ([name]) => {
      return (tx) => parameters(`?${text(tx)}`, name || undefined, '?', 1000);
    },
  },
];

function plain(
  keyword: string,
  type: SampleType,
  doc: string,
  read: (tx: Transaction) => string | number,
): FetchRow {
  const check = (args: readonly string[]) => (args.length === 0 ? undefined : 'takes no arguments');
  return { keyword, usage: '', doc, type, phase: 'request', check, compile: () => read };
}

function text(tx: Transaction): string {
  return tx.body?.latin1Slice() ?? '';
}

function length(tx: Transaction): number {
  return tx.body?.length ?? 0;
}
