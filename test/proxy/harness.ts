/** What rules, fetches and log formats are given at run time, without streams and sockets. */

import type { CompileEnv } from '../../src/proxy/expressions.ts';
import { Head } from '../../src/proxy/http1/head.ts';
import { PARSED, parseRequest, parseResponse } from '../../src/proxy/http1/parse.ts';
import { loadConfiguration } from '../../src/proxy/load.ts';
import { Backend, Frontend, type LiveProxy, ProcessCounters, Server } from '../../src/proxy/model.ts';
import type { Configuration, ProxySettings } from '../../src/proxy/settings.ts';
import type { Client, Transaction } from '../../src/proxy/transaction.ts';

export interface World {
  readonly configuration: Configuration;
  readonly proxy: LiveProxy;
  settings(name: string): ProxySettings;
  env(name: string): CompileEnv;
  frontend(name: string): Frontend;
  backend(name: string): Backend;
}

const DEFAULTS =
  'defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n timeout tarpit 2s\n';

/** Findings of a configuration, `severity: message; hint`, and the world when there is no error. */
export function read(text: string, files: Record<string, string> = {}, env: Record<string, string> = {}) {
  const source = `${DEFAULTS}${text}\n`;
  const { configuration, diagnostics } = loadConfiguration(['test.cfg'], {
    env,
    readFile: (path) => (path === 'test.cfg' ? source : files[path]),
    readDir: () => undefined,
  });
  const findings = diagnostics.map((d) => `${d.severity}: ${d.message}${d.hint ? `; ${d.hint}` : ''}`);
  return { findings, diagnostics, configuration };
}

/** A configuration without errors, its objects made. */
export function world(
  text: string,
  files: Record<string, string> = {},
  env: Record<string, string> = {},
): World {
  const { findings, configuration } = read(text, files, env);
  const errors = findings.filter((f) => f.startsWith('error'));
  if (errors.length > 0) throw new Error(errors.join('\n'));
  const frontends = configuration.proxies
    .filter((p) => p.kind === 'frontend' || p.kind === 'listen')
    .map((p) => new Frontend(p, 1000));
  const backends = configuration.proxies
    .filter((p) => p.kind === 'backend' || p.kind === 'listen')
    .map((p) => new Backend(p, p.servers.map(serverOf)));
  const proxy: LiveProxy = {
    configuration,
    frontends,
    backends,
    startedAt: 0,
    maxconn: 1000,
    hardMaxconn: 1000,
    stopping: false,
    sessions: () => [],
    totals: new ProcessCounters(),
  };
  const settings = (name: string) => configuration.proxies.find((p) => p.name === name)!;
  return {
    configuration,
    proxy,
    settings,
    env: (name) => ({ configuration, proxy: settings(name), running: () => proxy }),
    frontend: (name) => frontends.find((f) => f.name === name)!,
    backend: (name) => backends.find((b) => b.name === name)!,
  };
}

function serverOf(settings: ConstructorParameters<typeof Server>[0]): Server {
  const server = new Server(settings);
  server.address = settings.host;
  return server;
}

export interface TransactionOptions {
  readonly request?: string;
  readonly response?: string;
  readonly client?: Partial<Client>;
  readonly payload?: Uint8Array;
  readonly inspecting?: boolean;
  readonly fields?: Partial<Transaction>;
}

/** A transaction of a frontend; `request` and `response` are whole heads with their blank line. */
export function transaction(frontend: Frontend, options: TransactionOptions = {}): Transaction {
  const { request = 'GET / HTTP/1.1\r\nhost: h\r\n\r\n', response, payload = new Uint8Array() } = options;
  return {
    client: {
      address: '192.0.2.7',
      port: 4711,
      localAddress: '198.51.100.1',
      localPort: 80,
      secure: false,
      sni: undefined,
      alpn: undefined,
      tlsVersion: undefined,
      tlsCipher: undefined,
      listener: { id: 1, name: 'l1' },
      acceptedAt: Date.UTC(2026, 10, 21, 21, 0, 0, 7),
      requests: 1,
      vars: undefined,
      ...options.client,
    },
    frontend,
    backend: undefined,
    server: undefined,
    request: parsed(request, parseRequest),
    response: response === undefined ? new Head() : parsed(response, parseResponse),
    vars: undefined,
    payload,
    payloadLength: payload.length,
    inspecting: options.inspecting ?? false,
    incomplete: false,
    reply: undefined,
    logLevel: undefined,
    times: {
      idleStart: 100,
      requestStart: 100,
      requestEnd: 101,
      queueEnd: 101,
      connected: 103,
      responseStart: 110,
      end: 112,
    },
    requestCaptures: undefined,
    responseCaptures: undefined,
    persistence: undefined,
    requestLine: request.slice(0, request.indexOf('\r\n')),
    uniqueId: '',
    bytesOut: 0,
    bytesIn: 0,
    status: -1,
    retries: 0,
    redispatched: false,
    termination: '--',
    user: undefined,
    ...options.fields,
  };
}

function parsed(text: string, parse: typeof parseRequest): Head {
  const head = new Head();
  head.take(Buffer.from(text, 'latin1'), 0, 1024);
  const outcome = parse(head, 101, false);
  if (outcome !== PARSED.done) throw new Error(`not a head (${String(outcome)}): ${text}`);
  return head;
}

/** The live fields of a head, `name: value`. */
export function fieldsOf(head: Head): string[] {
  const fields: string[] = [];
  for (let i = 0; i < head.count; i++) if (head.isAlive(i)) fields.push(`${head.name(i)}: ${head.value(i)}`);
  return fields;
}
