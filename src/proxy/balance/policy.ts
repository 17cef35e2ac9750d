/** How a backend chooses among its servers. One file a policy; `policies` lists them by the word after `balance`. */
import type { CompileEnv } from '../expressions.ts';
import type { Backend, Server } from '../model.ts';
import type { Transaction } from '../transaction.ts';

export interface Policy {
  /**
   * A usable server that `full` does not refuse, or undefined when there is none. `tx.server` is the one that has just
   * failed this transaction, if any.
   */
  pick(tx: Transaction, full: (server: Server) => boolean): Server | undefined;
  /** A server's state or weight changed. */
  serverChanged(server: Server): void;
  /** The server took or finished a request: for policies that count. */
  loadChanged?(server: Server): void;
  /**
   * The choice follows from the request: it stands although the server is full, and the request waits for that very
   * server. `pick` does not ask `full` about it then.
   */
  readonly bindsRequests?: boolean;
}

export interface PolicyRow {
  readonly keyword: string;
  readonly doc: string;
  create(backend: Backend, env: CompileEnv): Policy;
}
