/** The columns of the statistics, in HAProxy's order: one row feeds CSV, JSON, typed output and `show stat`. */
import { hasCode, STATUSES } from '../health/statuses.ts';
import type { Backend, Counters, Frontend, ListenerState, Server } from '../model.ts';
import type { FieldType, Value } from './field.ts';
import { endpointText, fullconn, listenerState, serverStatus, usableServers } from './state.ts';

/** What a figure may depend on besides its object. */
export interface Moment {
  /** Wall clock, milliseconds. */
  readonly nowMs: number;
  /** Addresses, cookies and algorithms may be shown. */
  readonly legends: boolean;
  /** Some servers are left out: backends then tell how many there are. */
  readonly partial: boolean;
  readonly frontends: readonly Frontend[];
}

export type Kind = 'frontend' | 'listener' | 'server' | 'backend';

export interface ColumnRow {
  readonly name: string;
  /** See Field. `backendTags` where a backend's figure is of another nature. */
  readonly tags: string;
  readonly backendTags?: string;
  readonly type: FieldType;
  readonly doc: string;
  frontend?(frontend: Frontend, at: Moment): Value;
  listener?(listener: ListenerState & { counters: Counters }, at: Moment, frontend: Frontend): Value;
  server?(server: Server, at: Moment): Value;
  backend?(backend: Backend, at: Moment): Value;
}

type Readers = Pick<ColumnRow, Kind>;

/** The same counter for several kinds of objects: F, L, S, B. */
function counter(kinds: string, read: (counters: Counters, at: Moment) => Value): Readers {
  return {
    frontend: kinds.includes('F') ? (frontend, at) => read(frontend.counters, at) : undefined,
    listener: kinds.includes('L') ? (listener, at) => read(listener.counters, at) : undefined,
    server: kinds.includes('S') ? (server, at) => read(server.counters, at) : undefined,
    backend: kinds.includes('B') ? (backend, at) => read(backend.counters, at) : undefined,
  };
}

/** The same, of mode http only. */
function http(kinds: string, read: (counters: Counters, at: Moment) => Value): Readers {
  return {
    frontend: kinds.includes('F')
      ? (f, at) => (f.settings.mode === 'http' ? read(f.counters, at) : undefined)
      : undefined,
    server: kinds.includes('S')
      ? (s, at) => (s.backend.settings.mode === 'http' ? read(s.counters, at) : undefined)
      : undefined,
    backend: kinds.includes('B')
      ? (b, at) => (b.settings.mode === 'http' ? read(b.counters, at) : undefined)
      : undefined,
  };
}

/** Figures of a server's checks: shown while it is checked. */
function checked(read: (server: Server) => Value): Readers {
  return {
    server: (server) => (server.check.enabled && server.admin !== 'maint' ? read(server) : undefined),
  };
}

function seconds(ms: number): number {
  return Math.max(0, Math.trunc(ms / 1000));
}

function lastSession(counters: Counters, at: Moment): number {
  return counters.lastSession < 0 ? -1 : Math.max(0, Math.trunc(at.nowMs / 1000 - counters.lastSession));
}

function weightOf(backend: Backend): number {
  return usableServers(backend).counting.reduce((sum, server) => sum + server.weight, 0);
}

const none: Readers = {};
const zero = () => 0;

// biome-ignore format: a table reads best with one column of the statistics a line
const measured: readonly ColumnRow[] = [
  { name: 'pxname', tags: 'KNS', type: 'str', doc: 'Name of the proxy', frontend: (f) => f.name, listener: (_l, _at, f) => f.name, server: (s) => s.backend.name, backend: (b) => b.name },
  { name: 'svname', tags: 'KNS', type: 'str', doc: 'Name of the server or listener; FRONTEND or BACKEND for the proxy itself', frontend: () => 'FRONTEND', listener: (l) => l.name, server: (s) => s.name, backend: () => 'BACKEND' },
  { name: 'qcur', tags: 'MGP', type: 'u32', doc: 'Requests in the queue', ...counter('SB', (c) => c.qcur) },
  { name: 'qmax', tags: 'MMP', type: 'u32', doc: 'Most requests that were in the queue', ...counter('SB', (c) => c.qmax) },
  { name: 'scur', tags: 'MGP', type: 'u32', doc: 'Sessions now', ...counter('FLSB', (c) => c.scur) },
  { name: 'smax', tags: 'MMP', type: 'u32', doc: 'Most sessions at one time', ...counter('FLSB', (c) => c.smax) },
  { name: 'slim', tags: 'CLP', type: 'u32', doc: 'Limit of sessions: maxconn, or fullconn of a backend', frontend: (f) => f.maxconn, listener: (l) => l.bind.maxconn ?? 0, server: (s) => s.maxconn, backend: (b, at) => fullconn(b, at.frontends) },
  { name: 'stot', tags: 'MCP', type: 'u64', doc: 'Sessions so far', ...counter('FLSB', (c) => c.stot) },
  { name: 'bin', tags: 'MCP', type: 'u64', doc: 'Bytes of requests', ...counter('FLSB', (c) => c.bin) },
  { name: 'bout', tags: 'MCP', type: 'u64', doc: 'Bytes of responses', ...counter('FLSB', (c) => c.bout) },
  { name: 'dreq', tags: 'MCP', type: 'u64', doc: 'Requests denied by rules', ...counter('FLB', (c) => c.dreq) },
  { name: 'dresp', tags: 'MCP', type: 'u64', doc: 'Responses denied by rules', ...counter('FLSB', (c) => c.dresp) },
  { name: 'ereq', tags: 'MCP', type: 'u64', doc: 'Requests that were invalid', ...counter('FL', (c) => c.ereq) },
  { name: 'econ', tags: 'MCP', type: 'u64', doc: 'Connections to servers that failed', ...counter('SB', (c) => c.econ) },
  { name: 'eresp', tags: 'MCP', type: 'u64', doc: 'Responses that were invalid or broke off', ...counter('SB', (c) => c.eresp) },
  { name: 'wretr', tags: 'MCP', type: 'u64', doc: 'Connections tried again', ...counter('SB', (c) => c.wretr) },
  { name: 'wredis', tags: 'MCP', type: 'u64', doc: 'Requests sent to another server instead', ...counter('SB', (c) => c.wredis) },
  { name: 'status', tags: 'SGP', type: 'str', doc: 'State: OPEN, PAUSED or STOP; UP, DOWN, NOLB, DRAIN, MAINT or no check', frontend: (f) => f.state, listener: (l) => listenerState(l), server: (s) => serverStatus(s), backend: (b, at) => (b.up ? 'UP' : 'DOWN') + (at.partial ? ` (${b.servers.filter((s) => !s.isDown).length}/${b.servers.length})` : '') },
  { name: 'weight', tags: 'MaP', type: 'u32', doc: 'Weight in effect; of a backend: sum over its servers in use', server: (s) => s.weight, backend: weightOf },
  { name: 'act', tags: 'SGP', backendTags: 'MGP', type: 'u32', doc: 'Active servers that are usable; of a server: whether it is an active one', server: (s) => (s.settings.backup ? 0 : 1), backend: (b) => usableServers(b).active.length },
  { name: 'bck', tags: 'SGP', backendTags: 'MGP', type: 'u32', doc: 'Backup servers that are usable; of a server: whether it is a backup one', server: (s) => (s.settings.backup ? 1 : 0), backend: (b) => usableServers(b).backup.length },
  { name: 'chkfail', tags: 'MCP', type: 'u64', doc: 'Checks that failed', ...checked((s) => s.check.failures) },
  { name: 'chkdown', tags: 'MCP', type: 'u64', doc: 'Times it went from up to down', ...checked((s) => s.check.downs), backend: (b) => b.downs },
  { name: 'lastchg', tags: 'MAP', type: 'u32', doc: 'Seconds since it last went up or down', server: (s, at) => seconds(at.nowMs - s.changedAt), backend: (b, at) => seconds(at.nowMs - b.changedAt) },
  { name: 'downtime', tags: 'MCP', type: 'u32', doc: 'Seconds spent down', server: (s, at) => (s.check.enabled ? seconds(s.downtimeAt(at.nowMs)) : undefined), backend: (b, at) => (b.servers.length === 0 ? undefined : seconds(b.downtime + (b.up ? 0 : at.nowMs - b.changedAt))) },
  { name: 'qlimit', tags: 'CLS', type: 'u32', doc: 'Limit of the queue: maxqueue', server: (s) => s.settings.maxqueue },
  { name: 'pid', tags: 'KGP', type: 'u32', doc: 'Number of the process, always 1', frontend: () => 1, listener: () => 1, server: () => 1, backend: () => 1 },
  { name: 'iid', tags: 'KGS', type: 'u32', doc: 'Number of the proxy', frontend: (f) => f.settings.id, listener: (_l, _at, f) => f.settings.id, server: (s) => s.backend.settings.id, backend: (b) => b.settings.id },
  { name: 'sid', tags: 'KGS', type: 'u32', doc: 'Number of the server or listener in its proxy', frontend: zero, listener: (l) => l.id, server: (s) => s.settings.id, backend: zero },
  { name: 'throttle', tags: 'MaP', type: 'u32', doc: 'Share of its weight while starting slowly, percent', server: (s) => (s.warmth < 16 ? Math.ceil((100 * s.warmth) / 16) : undefined) },
  { name: 'lbtot', tags: 'MCP', type: 'u64', doc: 'Requests that load balancing sent there', ...counter('SB', (c) => c.lbtot) },
  { name: 'tracked', tags: 'CNS', type: 'str', doc: 'Server whose state it follows', server: (s) => s.settings.track },
  { name: 'type', tags: 'CGS', type: 'u32', doc: '0 frontend, 1 backend, 2 server, 3 listener', frontend: zero, backend: () => 1, server: () => 2, listener: () => 3 },
  { name: 'rate', tags: 'MRP', backendTags: 'MGP', type: 'u32', doc: 'Sessions over the last second', ...counter('FSB', (c, at) => c.rate.read(at.nowMs)) },
  { name: 'rate_lim', tags: 'CLP', type: 'u32', doc: 'Limit of sessions a second', frontend: zero },
  { name: 'rate_max', tags: 'MMP', backendTags: 'MGP', type: 'u32', doc: 'Most sessions in a second', ...counter('FSB', (c) => c.rate.max) },
  { name: 'check_status', tags: 'MOP', type: 'str', doc: 'How the last health check ended; * while one is under way', ...checked((s) => (s.check.running ? '* ' : '') + s.check.status) },
  { name: 'check_code', tags: 'MOP', type: 'u32', doc: 'Status code of the last check', ...checked((s) => (hasCode(s.check.status) ? s.check.code : undefined)) },
  { name: 'check_duration', tags: 'MDP', type: 'u64', doc: 'Milliseconds that the last check took', ...checked((s) => (s.check.duration < 0 ? undefined : s.check.duration)) },
  { name: 'hrsp_1xx', tags: 'MCP', type: 'u64', doc: 'Responses with status 1xx', ...http('FSB', (c) => c.hrsp1xx) },
  { name: 'hrsp_2xx', tags: 'MCP', type: 'u64', doc: 'Responses with status 2xx', ...http('FSB', (c) => c.hrsp2xx) },
  { name: 'hrsp_3xx', tags: 'MCP', type: 'u64', doc: 'Responses with status 3xx', ...http('FSB', (c) => c.hrsp3xx) },
  { name: 'hrsp_4xx', tags: 'MCP', type: 'u64', doc: 'Responses with status 4xx', ...http('FSB', (c) => c.hrsp4xx) },
  { name: 'hrsp_5xx', tags: 'MCP', type: 'u64', doc: 'Responses with status 5xx', ...http('FSB', (c) => c.hrsp5xx) },
  { name: 'hrsp_other', tags: 'MCP', type: 'u64', doc: 'Responses with another status', ...http('FSB', (c) => c.hrspOther) },
  { name: 'hanafail', tags: 'MCP', type: 'u64', doc: 'Times that traffic itself showed too many errors (observe)', server: (s) => (s.settings.observe === undefined ? undefined : s.check.observedFailures) },
  { name: 'req_rate', tags: 'MRP', type: 'u32', doc: 'Requests over the last second', ...counter('F', (c, at) => c.requestRate.read(at.nowMs)) },
  { name: 'req_rate_max', tags: 'MMP', type: 'u32', doc: 'Most requests in a second', ...counter('F', (c) => c.requestRate.max) },
  { name: 'req_tot', tags: 'MCP', type: 'u64', doc: 'Requests so far', ...counter('F', (c) => c.reqTot), server: http('S', (c) => c.reqTot).server, backend: http('B', (c) => c.reqTot).backend },
  { name: 'cli_abrt', tags: 'MCP', type: 'u64', doc: 'Transfers that the client broke off', ...counter('SB', (c) => c.cliAbrt) },
  { name: 'srv_abrt', tags: 'MCP', type: 'u64', doc: 'Transfers that the server broke off', ...counter('SB', (c) => c.srvAbrt) },
  { name: 'comp_in', tags: 'MCP', type: 'u64', doc: 'Bytes given to compression', ...counter('FB', zero) },
  { name: 'comp_out', tags: 'MCP', type: 'u64', doc: 'Bytes that compression made of them', ...counter('FB', zero) },
  { name: 'comp_byp', tags: 'MCP', type: 'u64', doc: 'Bytes that went past compression', ...counter('FB', zero) },
  { name: 'comp_rsp', tags: 'MCP', type: 'u64', doc: 'Responses that were compressed', ...counter('FB', zero) },
  { name: 'lastsess', tags: 'MAP', type: 's32', doc: 'Seconds since the last session; -1 when there was none', ...counter('SB', lastSession) },
  { name: 'last_chk', tags: 'MOP', type: 'str', doc: 'What the last check found, in short', ...checked((s) => s.check.description) },
  { name: 'last_agt', tags: 'MOP', type: 'str', doc: 'What the agent said last', ...none },
  { name: 'qtime', tags: 'MaP', type: 'u32', doc: 'Milliseconds in the queue, over the last 1024 requests', ...counter('SB', (c) => c.qtime.value) },
  { name: 'ctime', tags: 'MaP', type: 'u32', doc: 'Milliseconds to connect, over the last 1024 requests', ...counter('SB', (c) => c.ctime.value) },
  { name: 'rtime', tags: 'MaP', type: 'u32', doc: 'Milliseconds to the response, over the last 1024 requests', ...counter('SB', (c) => c.rtime.value) },
  { name: 'ttime', tags: 'MaP', type: 'u32', doc: 'Milliseconds of the whole session, over the last 1024 requests', ...counter('SB', (c) => c.ttime.value) },
  { name: 'agent_status', tags: 'MOP', type: 'str', doc: 'How the last agent check ended', ...none },
  { name: 'agent_code', tags: 'MOP', type: 'u32', doc: 'Number that the agent gave', ...none },
  { name: 'agent_duration', tags: 'MDP', type: 'u64', doc: 'Milliseconds that the last agent check took', ...none },
  { name: 'check_desc', tags: 'MOP', type: 'str', doc: 'check_status in words', ...checked((s) => STATUSES.get(s.check.status)?.description) },
  { name: 'agent_desc', tags: 'MOP', type: 'str', doc: 'agent_status in words', ...none },
  { name: 'check_rise', tags: 'CGS', type: 'u32', doc: 'Checks that must pass for it to go up', ...checked((s) => s.settings.rise) },
  { name: 'check_fall', tags: 'CGS', type: 'u32', doc: 'Checks that must fail for it to go down', ...checked((s) => s.settings.fall) },
  { name: 'check_health', tags: 'CGS', type: 'u32', doc: 'Where it stands: 0 to rise + fall - 1, up from rise on', ...checked((s) => s.health) },
  { name: 'agent_rise', tags: 'CGS', type: 'u32', doc: 'rise of the agent check', ...none },
  { name: 'agent_fall', tags: 'CGS', type: 'u32', doc: 'fall of the agent check', ...none },
  { name: 'agent_health', tags: 'CGS', type: 'u32', doc: 'Where the agent check stands', ...none },
  { name: 'addr', tags: 'CGS', type: 'str', doc: 'Address and port', listener: (l, at) => (at.legends ? endpointText(l.bind.endpoint) : undefined), server: (s, at) => (at.legends ? serverAddress(s) : undefined) },
  { name: 'cookie', tags: 'CNS', type: 'str', doc: 'Value of the server\'s cookie, name of the backend\'s', server: (s, at) => (at.legends ? s.cookie : undefined), backend: (b, at) => (at.legends ? b.settings.cookie?.name : undefined) },
  { name: 'mode', tags: 'CGS', type: 'str', doc: 'tcp or http', frontend: (f) => f.settings.mode, listener: (_l, _at, f) => f.settings.mode, server: (s) => s.backend.settings.mode, backend: (b) => b.settings.mode },
  { name: 'algo', tags: 'CGS', type: 'str', doc: 'How the load is balanced', backend: (b, at) => (at.legends ? b.settings.balance.algorithm : undefined) },
  { name: 'conn_rate', tags: 'MRP', type: 'u32', doc: 'Connections over the last second', ...counter('F', (c, at) => c.connRate.read(at.nowMs)) },
  { name: 'conn_rate_max', tags: 'MMP', type: 'u32', doc: 'Most connections in a second', ...counter('F', (c) => c.connRate.max) },
  { name: 'conn_tot', tags: 'MCP', type: 'u64', doc: 'Connections so far', ...counter('F', (c) => c.connTot) },
  { name: 'intercepted', tags: 'MCP', type: 'u64', doc: 'Requests that the proxy answered itself', ...http('F', (c) => c.intercepted) },
  { name: 'dcon', tags: 'MCP', type: 'u64', doc: 'Connections refused by tcp-request connection rules', ...counter('FL', (c) => c.dcon) },
  { name: 'dses', tags: 'MCP', type: 'u64', doc: 'Sessions refused by tcp-request session rules', ...counter('FL', (c) => c.dses) },
  { name: 'wrew', tags: 'MCP', type: 'u64', doc: 'Header edits that failed', ...counter('FLSB', (c) => c.wrew) },
  { name: 'connect', tags: 'MCP', type: 'u64', doc: 'Connections opened to servers', ...counter('SB', (c) => c.connect) },
  { name: 'reuse', tags: 'MCP', type: 'u64', doc: 'Connections used again', ...counter('SB', (c) => c.reuse) },
  { name: 'cache_lookups', tags: 'MCP', type: 'u64', doc: 'Requests looked up in the cache', ...http('FB', zero) },
  { name: 'cache_hits', tags: 'MCP', type: 'u64', doc: 'Requests found in the cache', ...http('FB', zero) },
  { name: 'srv_icur', tags: 'MGP', type: 'u32', doc: 'Idle connections kept for the next request', server: (s) => s.idle },
  { name: 'src_ilim', tags: 'CLP', type: 'u32', doc: 'Limit of idle connections: pool-max-conn', server: (s) => s.settings.poolMaxConn },
  { name: 'qtime_max', tags: 'MMP', type: 'u32', doc: 'Most milliseconds in the queue', ...counter('SB', (c) => c.qtime.max) },
  { name: 'ctime_max', tags: 'MMP', type: 'u32', doc: 'Most milliseconds to connect', ...counter('SB', (c) => c.ctime.max) },
  { name: 'rtime_max', tags: 'MMP', type: 'u32', doc: 'Most milliseconds to the response', ...counter('SB', (c) => c.rtime.max) },
  { name: 'ttime_max', tags: 'MMP', type: 'u32', doc: 'Most milliseconds of a whole session', ...counter('SB', (c) => c.ttime.max) },
  { name: 'eint', tags: 'MCP', type: 'u64', doc: 'Errors of the proxy itself', ...counter('FLSB', (c) => c.eint) },
  { name: 'idle_conn_cur', tags: 'MGP', type: 'u32', doc: 'Idle connections whose next request is not sure to be safe', server: (s) => s.idle },
  { name: 'safe_conn_cur', tags: 'MGP', type: 'u32', doc: 'Idle connections that are known to be safe', server: zero },
  { name: 'used_conn_cur', tags: 'MGP', type: 'u32', doc: 'Connections in use', server: (s) => s.counters.scur },
  { name: 'need_conn_est', tags: 'MGP', type: 'u32', doc: 'Connections it will need, by estimate', server: (s) => s.counters.scur },
  { name: 'uweight', tags: 'MaP', type: 'u32', doc: 'Weight as the user set it; of a backend: sum over its servers in use', server: (s) => s.weight, backend: weightOf },
  { name: 'agg_server_status', tags: 'MGP', type: 'u32', doc: 'For exporters, always 0', backend: zero },
  { name: 'agg_server_check_status', tags: 'MGP', type: 'u32', doc: 'For exporters, always 0', backend: zero },
  { name: 'agg_check_status', tags: 'MGP', type: 'u32', doc: 'For exporters, always 0', backend: zero },
];

/** After these a column `-` divides HAProxy's own figures from those of its modules. */
export const MEASURED = measured.length;

// biome-ignore format: as above
const modules: readonly ColumnRow[] = [
  ...['ssl_sess', 'ssl_reused_sess', 'ssl_failed_handshake'].map((name) => module(name, 'MCP', 'FLSB', zero)),
  ...['headers_rcvd', 'data_rcvd', 'settings_rcvd', 'rst_stream_rcvd', 'goaway_rcvd', 'detected_conn_protocol_errors', 'detected_strm_protocol_errors', 'rst_stream_resp', 'goaway_resp'].map((name) => module(`h2_${name}`, 'MCP', 'FB', zero)),
  ...['open_connections', 'backend_open_streams'].map((name) => module(`h2_${name}`, 'MGP', 'FB', zero)),
  ...['total_connections', 'backend_total_streams'].map((name) => module(`h2_${name}`, 'MCP', 'FB', zero)),
  module('h1_open_connections', 'MGP', 'FB', (c) => c.scur),
  module('h1_open_streams', 'MGP', 'FB', (c) => c.scur),
  module('h1_total_connections', 'MCP', 'FB', (c) => c.connTot + c.connect),
  module('h1_total_streams', 'MCP', 'FB', (c) => c.reqTot),
  module('h1_bytes_in', 'MCP', 'FB', (c) => c.bin),
  module('h1_bytes_out', 'MCP', 'FB', (c) => c.bout),
  module('h1_spliced_bytes_in', 'MCP', 'FB', zero),
  module('h1_spliced_bytes_out', 'MCP', 'FB', zero),
];

export const COLUMNS: readonly ColumnRow[] = [...measured, ...modules];

function module(name: string, tags: string, kinds: string, read: (counters: Counters) => number): ColumnRow {
  const [protocol, ...what] = name.split('_');
  return {
    name,
    tags,
    type: 'u64',
    doc: `${protocol!.toUpperCase()}: ${what.join(' ')}`,
    ...counter(kinds, read),
  };
}

function serverAddress(server: Server): string {
  const { endpoint } = server.settings;
  if (endpoint.kind === 'unix') return endpointText(endpoint);
  return endpointText({ kind: 'tcp', host: server.address ?? '', port: server.port });
}
