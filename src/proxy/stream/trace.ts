/** `-d`: every request and answer on standard output, in the form of HAProxy's debug mode (management guide, section 3). */
import type { Head } from '../http1/head.ts';
import type { Transaction } from '../transaction.ts';

export interface Trace {
  /** A request's head is here, or (mode tcp) a connection. */
  began(tx: Transaction): void;
  answered(tx: Transaction): void;
  ended(tx: Transaction): void;
}

/** What a trace wants to know of a stream besides its transaction. */
export interface Traced {
  /** Number of the present transaction, −1 before its request is known. For the trace itself. */
  traceId: number;
  /** Descriptors of both connections, −1 where there is none. */
  readonly descriptors: { readonly listener: number; readonly client: number; readonly server: number };
}

export function traceTo(write: (text: string) => void): Trace {
  let next = 0;
  const say = (tx: Transaction & Traced, side: string, event: string, text = '') => {
    const { client, server } = tx.descriptors;
    write(`${hex(tx.traceId, 8)}:${side}.${event}[${fd(client)}:${fd(server)}]${text}\n`);
  };
  const head = (
    tx: Transaction & Traced,
    side: string,
    events: [string, string],
    line: string,
    fields: Head,
  ) => {
    say(tx, side, events[0], `: ${line}`);
    for (let i = 0; i < fields.count; i++)
      if (fields.isAlive(i)) say(tx, side, events[1], `: ${fields.name(i)}: ${fields.value(i)}`);
  };
  return {
    began(any) {
      const tx = any as Transaction & Traced;
      tx.traceId = next++;
      const { listener, client } = tx.descriptors;
      const { address, port, alpn } = tx.client;
      write(
        `${hex(tx.traceId, 8)}:${tx.frontend.name}.accept(${hex(listener, 4)})=${fd(client)} from [${address}:${port}] ALPN=${alpn ?? '<none>'}\n`,
      );
      if (tx.frontend.settings.mode === 'http')
        head(tx, tx.frontend.name, ['clireq', 'clihdr'], tx.requestLine, tx.request);
    },
    answered(any) {
      const tx = any as Transaction & Traced;
      const { response } = tx;
      const line = `HTTP/1.${response.minor} ${response.status} ${response.reason}`;
      head(tx, tx.backend!.name, ['srvrep', 'srvhdr'], line, response);
    },
    ended(any) {
      const tx = any as Transaction & Traced;
      if (tx.traceId < 0) return;
      const side = (tx.backend ?? tx.frontend).name;
      for (const event of ['clicls', 'srvcls', 'closed']) say(tx, side, event);
      tx.traceId = -1;
    },
  };
}

function fd(descriptor: number): string {
  return descriptor < 0 ? 'ffffffff' : hex(descriptor, 4);
}

function hex(value: number, width: number): string {
  return (value >>> 0).toString(16).padStart(width, '0');
}
