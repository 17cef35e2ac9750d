/**
 * The engine: brings a configuration to life on a transport and ends it again. It knows no process: signals, exit
 * statuses and files of its own belong to main.ts.
 */
import { isIP } from 'node:net';
import { type Place, ProxyError } from '../errors.ts';
import type { Clock } from '../sockets/timers.ts';
import type { ListenAddress, Listener, TlsClient, TlsServer, Transport } from '../sockets/transport.ts';
import { alarmClock } from './alarm.ts';
import { type Announcer, announcer } from './announce.ts';
import { warmUpServers } from './balance/slowstart.ts';
import { type Compiled, compileConfiguration } from './compile.ts';
import { startChecks } from './health/checks.ts';
import { makeLogger } from './logs/logger.ts';
import { LogOutputs, type OpenDatagrams } from './logs/output.ts';
import { type LiveProxy, ProcessCounters, type Server } from './model.ts';
import { serveRuntimeSocket } from './runtime-api/socket.ts';
import type { BindSettings, Configuration, GlobalSettings, ProxySettings, ServerTls } from './settings.ts';
import { Acceptor } from './stream/acceptor.ts';
import type { FrontendPlan } from './stream/plan.ts';
import type { Trace } from './stream/trace.ts';
import { tlsClient, tlsServer } from './tls/contexts.ts';

export interface EngineHost {
  /** Connections that the process can hold, where the configuration sets no limit. */
  readonly maxconn: number;
  readonly transport: Transport;
  readonly clock: Clock;
  /** An address for a host name; undefined when there is none. */
  resolve(host: string, family: 4 | 6 | undefined): Promise<string | undefined>;
  /** `-d`. */
  readonly trace?: Trace;
  /** `-dr`: servers whose names have no address start all the same, without one. */
  readonly ignoreUnresolved?: boolean;
  readonly openDatagrams: OpenDatagrams;
}

export interface Engine {
  readonly proxy: LiveProxy;
  /** Stops listening, lets requests end; resolves when the last connection is gone. */
  stopSoftly(): Promise<void>;
  stopNow(): void;
  /** SIGHUP: writes every server's state to the logs. */
  logState(): void;
}

/** Listens, or throws the ProxyErrors of every address that could not be had, with nothing left behind. */
export async function startEngine(configuration: Configuration, host: EngineHost): Promise<Engine> {
  const { global } = configuration;
  const totals = new ProcessCounters();
  const outputs = new LogOutputs(host.openDatagrams);
  let acceptor: Acceptor;
  const proxy: { -readonly [K in keyof LiveProxy]: LiveProxy[K] } = {
    configuration,
    frontends: [],
    backends: [],
    startedAt: Date.now(),
    maxconn: global.maxconn ?? host.maxconn,
    hardMaxconn: global.maxconn ?? host.maxconn,
    stopping: false,
    sessions: () => acceptor.streams,
    totals,
  };
  const compiled = compileConfiguration(configuration, {
    running: () => proxy,
    logger: (settings, env) => makeLogger(settings, env, outputs),
    serverTls: (server) => server.settings.ssl && clientTls(server.settings.ssl, server, host, global),
  });
  proxy.frontends = compiled.frontends.map((plan) => plan.frontend);
  proxy.backends = compiled.backends.map((plan) => plan.backend);
  await resolveServers(proxy, host);

  const { bufsize, maxrewrite, httpMaxhdr } = global.tune;
  acceptor = new Acceptor({
    proxy,
    transport: host.transport,
    clock: host.clock,
    totals,
    bufsize,
    maxrewrite,
    maxFields: httpMaxhdr,
    trace: host.trace,
    stopping: false,
  });
  const announce = announcer(proxy, outputs);
  const listeners = listenAll(compiled, acceptor, host.transport, global, announce);
  const alarms = alarmClock(host.clock);
  warmUpServers(proxy.backends, alarms);
  const runtime = orStop(listeners, () => serveRuntimeSocket(host.transport, global, proxy, alarms));
  const checks = startChecks(proxy, host.transport, alarms, (event) => announce.checked(event), {
    tls: (server) => {
      const { checkTls = TRUSTING } = server.settings;
      return clientTls(checkTls, server, host, global, checkTls.checkSni);
    },
  });
  announce.started();
  return { proxy, stopSoftly, stopNow, logState: announce.states };

  async function stopSoftly(): Promise<void> {
    proxy.stopping = true;
    acceptor.runtime.stopping = true;
    checks.stop();
    for (const listener of listeners) listener.stop();
    runtime.stop();
    acceptor.closeIdle();
    while (acceptor.streams.size > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    announce.stopped();
    outputs.close();
  }

  function stopNow(): void {
    checks.stop();
    for (const listener of listeners) listener.stop();
    runtime.stop();
    acceptor.shutdownAll();
    announce.stopped();
    outputs.close();
  }
}

/** For `tcp-check connect ssl` on servers that have no TLS of their own. */
const TRUSTING: ServerTls = { verify: 'none', options: {} };

/** Made, and refused, at the start rather than with the first connection. */
function clientTls(
  tls: ServerTls,
  server: Server,
  { transport }: EngineHost,
  global: GlobalSettings,
  serverName?: string,
): TlsClient {
  const made = tlsClient(tls, server.backend.settings.mode, global, serverName);
  try {
    transport.prepare?.(made);
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    throw withPlace(error, server.backend.settings, server.settings.place);
  }
  return made;
}

/** Leaves no listener behind when a later step of the start fails. */
function orStop<T>(listeners: readonly FrontendListener[], step: () => T): T {
  try {
    return step();
  } catch (error) {
    for (const listener of listeners) listener.stop();
    throw error;
  }
}

async function resolveServers(proxy: LiveProxy, host: EngineHost): Promise<void> {
  const servers = proxy.backends.flatMap((backend) => backend.servers);
  const addresses = await Promise.all(servers.map((server) => addressOf(server, host)));
  // Told in the order of the file, whichever answer came first.
  const lost: ProxyError[] = [];
  for (const [i, server] of servers.entries()) {
    const address = addresses[i];
    if (address !== undefined) server.setAddress(address, server.port);
    else if (!host.ignoreUnresolved && !server.settings.initAddr.includes('none'))
      lost.push(unresolved(server));
  }
  if (lost.length > 0) throw new AggregateError(lost, lost.map((error) => error.message).join('\n'));
}

function unresolved({ name, settings: { host, place } }: Server): ProxyError {
  return new ProxyError(`server '${name}': no address for '${host}'`, {
    code: 'server.no-address',
    place,
    hint: "put the name into /etc/hosts, give the server an address, or let it start without one: 'init-addr last,libc,none'",
  });
}

/** Tries the ways of `init-addr` in turn (manual, section 5.2); there is no state file for `last`. */
async function addressOf({ settings }: Server, host: EngineHost): Promise<string | undefined> {
  const { endpoint, initAddr } = settings;
  if (endpoint.kind === 'unix') return endpoint.path;
  if (endpoint.kind !== 'tcp') return undefined;
  if (isIP(endpoint.host) !== 0) return endpoint.host;
  for (const way of initAddr) {
    if (way === 'none') return undefined;
    const address = way === 'libc' ? await host.resolve(endpoint.host, endpoint.family) : way;
    if (address !== undefined && address !== 'last') return address;
  }
  return undefined;
}

function listenAll(
  compiled: Compiled,
  acceptor: Acceptor,
  transport: Transport,
  global: GlobalSettings,
  announce: Announcer,
): FrontendListener[] {
  const listeners: FrontendListener[] = [];
  const failures: ProxyError[] = [];
  for (const plan of compiled.frontends)
    plan.settings.binds.forEach((bind, i) => {
      try {
        listeners.push(new FrontendListener(plan, bind, i + 1, acceptor, transport, global, announce));
      } catch (error) {
        if (!(error instanceof ProxyError)) throw error;
        failures.push(withPlace(error, plan.settings, bind.place));
      }
    });
  if (failures.length === 0) return listeners;
  for (const listener of listeners) listener.stop();
  throw new AggregateError(failures, failures.map((failure) => failure.message).join('\n'));
}

/** A `bind` line's socket; `disable frontend` gives the port back and `enable frontend` takes it again. */
class FrontendListener {
  #listener: Listener | undefined;

  constructor(
    plan: FrontendPlan,
    bind: BindSettings,
    id: number,
    acceptor: Acceptor,
    transport: Transport,
    global: GlobalSettings,
    announce: Announcer,
  ) {
    const { frontend } = plan;
    const state = { id, name: bind.name ?? `sock-${id}`, bind };
    const accept = acceptor.acceptOn(plan, state);
    const label = bind.name ?? String(id);
    const tls: TlsServer | undefined = bind.ssl && {
      ...tlsServer(bind.ssl, plan.settings, global),
      refused: (client, how, openedAt) => announce.refused(plan.settings, label, client, how, openedAt),
    };
    const listen = () => transport.listen(listenAddress(bind), accept, tls, acceptor.roomFor(plan));
    acceptor.wakers.push(() => this.#listener?.wake?.());
    this.#listener = listen();
    frontend.listeners.push(state);
    frontend.watchers.push(() => {
      if (frontend.state !== 'OPEN') this.stop();
      else this.#listener ??= listen();
    });
  }

  stop(): void {
    this.#listener?.stop();
    this.#listener = undefined;
  }
}

function listenAddress({ endpoint, mode, v6only }: BindSettings): ListenAddress {
  if (endpoint.kind === 'unix') return { kind: 'unix', path: endpoint.path, mode };
  if (endpoint.kind === 'fd') return endpoint;
  const host = endpoint.host === '*' || endpoint.host === '' ? '0.0.0.0' : endpoint.host;
  return { kind: 'tcp', host, port: endpoint.port, v6only };
}

function withPlace(error: ProxyError, { kind, name }: ProxySettings, place: Place): ProxyError {
  return new ProxyError(`${kind} '${name}': ${error.message}`, {
    code: error.code,
    place,
    hint: error.hint,
    cause: error,
  });
}
