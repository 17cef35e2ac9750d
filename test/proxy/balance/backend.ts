import { policyRow } from '../../../src/proxy/balance/policies.ts';
import type { Policy } from '../../../src/proxy/balance/policy.ts';
import type { CompileEnv } from '../../../src/proxy/expressions.ts';
import { Head } from '../../../src/proxy/http1/head.ts';
import { PARSED, parseRequest } from '../../../src/proxy/http1/parse.ts';
import { Backend, Server } from '../../../src/proxy/model.ts';
import type { Transaction } from '../../../src/proxy/transaction.ts';
import { DEFAULTS, load } from '../keywords/load.ts';

/** What a policy may look at. */
export interface Ask {
  readonly target?: string;
  readonly headers?: readonly string[];
  /** The client's address. */
  readonly from?: string;
  readonly payload?: Buffer;
  /** The server that has just failed the request. */
  readonly failed?: Server;
}

/** A backend of this engine, without sockets: its policy is asked, and told what happens. */
export class TestBackend {
  readonly backend: Backend;
  readonly policy: Policy;

  constructor(lines: readonly string[], mode = 'http') {
    const text = `${DEFAULTS.replace('http', mode)}backend b\n${lines.map((line) => ` ${line}\n`).join('')}`;
    const { configuration, diagnostics, rendered } = load(text);
    if (diagnostics.some((d) => d.severity === 'error')) throw new Error(rendered);
    const settings = configuration.proxies.find((proxy) => proxy.name === 'b')!;
    const servers = settings.servers.map((each) => new Server(each));
    for (const server of servers) server.address = '127.0.0.1';
    this.backend = new Backend(settings, servers);
    const env: CompileEnv = {
      configuration,
      proxy: settings,
      running: () => {
        throw new Error('no process');
      },
    };
    this.policy = policyRow(settings.balance.algorithm).create(this.backend, env);
    this.backend.watchers.push((server) => this.policy.serverChanged(server));
  }

  server(name: string): Server {
    return this.backend.servers.find((server) => server.name === name)!;
  }

  /** Name of the server chosen; `full` are passed over. */
  pick(ask: Ask = {}, full: readonly string[] = []): string | undefined {
    return this.policy.pick(transaction(ask), (server) => full.includes(server.name))?.name;
  }

  picks(count: number, ask?: Ask): string {
    return Array.from({ length: count }, () => this.pick(ask)).join(' ');
  }

  /** A request begins on a server, and ends. */
  take(name: string): void {
    this.server(name).counters.scur++;
    this.policy.loadChanged?.(this.server(name));
  }

  release(name: string): void {
    this.server(name).counters.scur--;
    this.policy.loadChanged?.(this.server(name));
  }
}

function transaction({ target = '/', headers = [], from = '127.0.0.1', payload, failed }: Ask): Transaction {
  const request = new Head();
  request.take(
    Buffer.from(`GET ${target} HTTP/1.1\r\n${headers.map((h) => `${h}\r\n`).join('')}\r\n`, 'latin1'),
    0,
    0,
  );
  if (parseRequest(request, 101, true) !== PARSED.done) throw new Error(`not a request: ${target}`);
  return {
    request,
    client: { address: from },
    server: failed,
    payload: payload ?? Buffer.alloc(0),
    payloadLength: payload?.length ?? 0,
  } as unknown as Transaction;
}
