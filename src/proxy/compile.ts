/**
 * From a configuration to plans: every expression, rule set, format and table that a stream needs, made once. Pure but
 * for what is passed in.
 */
import type { TlsClient } from '../sockets/transport.ts';
import { isInNetwork, parseAddress, parseNetwork } from './acl/address.ts';
import { compileCondition, compileText } from './acl/compile.ts';
import { policyRow } from './balance/policies.ts';
import { type CompileEnv, type LogFormat, type Rule, type RuleSet, VERDICT } from './expressions.ts';
import { headerName } from './http1/head.ts';
import { compileLogFormat } from './logs/format.ts';
import { Backend, Frontend, type LiveProxy, Server } from './model.ts';
import { compileRules } from './rules/compile.ts';
import type { Configuration, ProxySettings } from './settings.ts';
import { fullconn } from './stats/state.ts';
import { isStatsRequest, renderStats } from './stats/statistics.ts';
import type { CookiePlan } from './stream/cookie.ts';
import type {
  BackendPlan,
  ForwardFor,
  FrontendPlan,
  HeaderCapture,
  Rules,
  StatsPlan,
  Test,
} from './stream/plan.ts';
import { builtinReply, type PreparedReply, prepareRaw, prepareReply } from './stream/reply.ts';
import { ServerPool } from './stream/server-pool.ts';
import { serveQueues } from './stream/stream.ts';
import type { Transaction } from './transaction.ts';

/** What compiling takes from the process around it. */
export interface CompileHost {
  running(): LiveProxy;
  logger(settings: ProxySettings, env: CompileEnv): (tx: Transaction) => void;
  serverTls(server: Server): TlsClient | undefined;
}

export interface Compiled {
  readonly frontends: readonly FrontendPlan[];
  readonly backends: readonly BackendPlan[];
}

export function compileConfiguration(configuration: Configuration, host: CompileHost): Compiled {
  const proxies = configuration.proxies.filter((settings) => !settings.disabled);
  const backends = proxies
    .filter((p) => p.kind !== 'frontend')
    .map((p) => backendPlan(p, configuration, host));
  const byName = new Map(backends.map((plan) => [plan.settings.name, plan]));
  const frontends = proxies
    .filter((p) => p.kind !== 'backend')
    .map((p) => frontendPlan(p, configuration, host, byName));
  return { frontends, backends };
}

function frontendPlan(
  settings: ProxySettings,
  configuration: Configuration,
  host: CompileHost,
  backends: ReadonlyMap<string, BackendPlan>,
): FrontendPlan {
  const env: CompileEnv = { configuration, proxy: settings, running: host.running };
  return {
    ...side(settings, env),
    frontend: new Frontend(settings, settings.maxconn ?? configuration.global.maxconn ?? DEFAULT_MAXCONN),
    tcpConnection: rules(settings.tcpRequestConnection, env, 'tcp-request connection'),
    tcpSession: rules(settings.tcpRequestSession, env, 'tcp-request session'),
    useBackend: settings.useBackends.map(({ name, condition }) => ({
      test: compileCondition(condition, env),
      backend: byFormat(name, env, backends),
    })),
    defaultBackend: backends.get(settings.defaultBackend ?? '') ?? ownBackend(settings, backends),
    monitorUri: settings.monitorUri,
    monitorFail: settings.monitorFail.map((condition) => compileCondition(condition, env) as Test),
    log: host.logger(settings, env),
    uniqueId: settings.uniqueIdFormat && compileLogFormat(settings.uniqueIdFormat, env),
    uniqueIdHeader: settings.uniqueIdHeader === undefined ? undefined : headerName(settings.uniqueIdHeader),
    requestCaptures: captures(settings, 'request'),
    responseCaptures: captures(settings, 'response'),
    captureCookie: settings.captureCookie,
  };
}

/** HAProxy takes it from the limit of open files; this is what a lab's balancer gets. */
const DEFAULT_MAXCONN = 100_000;

function ownBackend(
  settings: ProxySettings,
  backends: ReadonlyMap<string, BackendPlan>,
): BackendPlan | undefined {
  return settings.kind === 'listen' ? backends.get(settings.name) : undefined;
}

function backendPlan(settings: ProxySettings, configuration: Configuration, host: CompileHost): BackendPlan {
  const env: CompileEnv = { configuration, proxy: settings, running: host.running };
  const servers = settings.servers.map((server) => new Server(server));
  const backend = new Backend(settings, servers);
  const policy = policyRow(settings.balance.algorithm).create(backend, env);
  backend.watchers.push((server) => policy.serverChanged(server));
  const load = () => fullconn(backend, host.running().frontends);
  const pools = new Map(
    servers.map((server) => {
      const name = server.settings.ssl?.sni;
      const serverName = name && compileText(name, env);
      return [server, new ServerPool(server, load, host.serverTls(server), serverName)];
    }),
  );
  const byName = new Map(servers.map((server) => [server.name, server]));
  const plan: BackendPlan = {
    ...side(settings, env),
    backend,
    policy,
    tcpResponse: rules(settings.tcpResponseContent, env, 'tcp-response content'),
    pools,
    takesTurns: TAKING_TURNS.includes(settings.balance.algorithm),
    retryOn: retryEvents(settings.retryOn),
    isFull: (server) => pools.get(server)!.full,
    useServer: settings.useServers.map(({ name, condition }) => ({
      test: compileCondition(condition, env),
      server: byFormat(name, env, byName),
    })),
    cookie: cookiePlan(settings, servers),
    queue: [],
  };
  backend.watchers.push((server) => {
    const pool = pools.get(server)!;
    if (!server.isDown) return serveQueues(plan, pool);
    pool.closeIdle();
    for (const waiting of pool.queue.splice(0)) waiting.searchAnew();
  });
  return plan;
}

function captures(settings: ProxySettings, where: 'request' | 'response'): HeaderCapture[] {
  return settings.captures
    .filter((capture) => capture.where === where)
    .map(({ header, length }) => ({ name: headerName(header), length }));
}

const TAKING_TURNS = ['roundrobin', 'static-rr', 'random'];

/** What `all-retryable-errors` stands for (manual, `retry-on`). */
const RETRYABLE = [
  'conn-failure',
  'empty-response',
  'junk-response',
  'response-timeout',
  '500',
  '502',
  '503',
  '504',
];

function retryEvents(words: readonly string[]): ReadonlySet<string> {
  if (words.length === 0) return new Set(['conn-failure']);
  return new Set(words.flatMap((word) => (word === 'all-retryable-errors' ? RETRYABLE : [word])));
}

/** What both sides have. */
function side(settings: ProxySettings, env: CompileEnv) {
  return {
    settings,
    httpRequest: rules(settings.httpRequest, env, 'http-request'),
    httpResponse: rules(settings.httpResponse, env, 'http-response'),
    httpAfterResponse: rules(settings.httpAfterResponse, env, 'http-after-response'),
    tcpContent: rules(settings.tcpRequestContent, env, 'tcp-request content'),
    forwardFor: forwardFor(settings.forwardFor),
    originalTo: forwardFor(settings.originalTo && { ...settings.originalTo, ifNone: false }),
    errorReply: errorReplies(settings),
    stats: statsPlan(settings, env),
  };
}

function rules(list: readonly Rule[], env: CompileEnv, set: RuleSet): Rules {
  return list.length === 0 ? undefined : compileRules(list, env, set);
}

/** A name that is fixed is looked up now, one made from the request when it comes. */
function byFormat<T>(
  name: string | LogFormat,
  env: CompileEnv,
  known: ReadonlyMap<string, T>,
): (tx: Transaction) => T | undefined {
  if (typeof name === 'string') {
    const target = known.get(name);
    return () => target;
  }
  const format = compileLogFormat(name, env);
  return (tx) => known.get(format(tx));
}

function forwardFor(
  settings: { header: string; except?: string; ifNone: boolean } | undefined,
): ForwardFor | undefined {
  if (settings === undefined) return undefined;
  const { header, except, ifNone } = settings;
  return { name: headerName(header), ifNone, except: except === undefined ? undefined : addressIn(except) };
}

/** Whether an address lies in a network; the answer for the last one is kept, as it is asked for again and again. */
function addressIn(text: string): (address: string) => boolean {
  const network = parseNetwork(text)!;
  let last = '';
  let answer = false;
  return (address) => {
    if (address === last) return answer;
    last = address;
    const parsed = parseAddress(address);
    answer = parsed !== undefined && isInNetwork(parsed, network);
    return answer;
  };
}

function errorReplies(settings: ProxySettings): (status: number) => PreparedReply {
  const own = new Map<number, PreparedReply>();
  for (const [status, { content }] of settings.errorFiles) own.set(status, prepareRaw(status, content));
  for (const [status, { code, location }] of settings.errorLocations)
    own.set(
      status,
      prepareReply({
        status: code,
        headers: [
          ['location', location],
          ['cache-control', 'no-cache'],
        ],
      }),
    );
  return (status) => own.get(status) ?? builtinReply(status);
}

const AUTHORIZATION = headerName('authorization');

function statsPlan(settings: ProxySettings, env: CompileEnv): StatsPlan | undefined {
  const { stats } = settings;
  if (!stats?.enabled) return undefined;
  const access = rules(stats.httpRequest, env, 'stats http-request');
  const admin = stats.admin.map((condition) => compileCondition(condition, env) as Test);
  return {
    matches: ({ request }) => isStatsRequest(request.method, request.target, stats),
    answer(tx, body) {
      const verdict = access?.(tx) ?? VERDICT.next;
      if (verdict === VERDICT.done && tx.reply !== undefined) return tx.reply;
      return renderStats(
        env.running(),
        {
          method: tx.request.method,
          uri: tx.request.target,
          authorization: tx.request.get(AUTHORIZATION),
          body,
          admin: admin.some((holds) => holds(tx)),
        },
        stats,
        Date.now(),
      );
    },
  };
}

function cookiePlan(settings: ProxySettings, servers: readonly Server[]): CookiePlan | undefined {
  if (settings.cookie === undefined) return undefined;
  const named = servers.filter((server) => server.cookie !== undefined);
  return { settings: settings.cookie, servers: new Map(named.map((server) => [server.cookie!, server])) };
}
