/** The figures of `show info`, in HAProxy's order and under its names (management manual, section 9.3, `show info`). */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { FOLLOWS, NAME, VERSION } from '../identity.ts';
import type { LiveProxy } from '../model.ts';
import { type Field, type FieldType, jsonField, typedValue } from './field.ts';

interface InfoRow {
  readonly name: string;
  readonly tags: string;
  readonly type: FieldType;
  readonly doc: string;
  value(proxy: LiveProxy, nowMs: number): string | number | undefined;
}

const zero = () => 0;
const MEGABYTE = 1024 ** 2;

// biome-ignore format: a table reads best with one figure a line
const INFO: readonly InfoRow[] = [
  { name: 'Name', tags: 'POS', type: 'str', doc: 'Name of the program', value: () => NAME },
  { name: 'Version', tags: 'POS', type: 'str', doc: 'Version of the program', value: () => VERSION },
  { name: 'Release_date', tags: 'POS', type: 'str', doc: 'Version of HAProxy whose language it follows', value: () => `HAProxy ${FOLLOWS}` },
  { name: 'Nbthread', tags: 'CGS', type: 'u32', doc: 'Threads that serve traffic', value: () => 1 },
  { name: 'Nbproc', tags: 'CGS', type: 'u32', doc: 'Processes, always 1', value: () => 1 },
  { name: 'Process_num', tags: 'KGP', type: 'u32', doc: 'Number of this process, always 1', value: () => 1 },
  { name: 'Pid', tags: 'SGP', type: 'u32', doc: 'Number of the process in the system', value: () => process.pid },
  { name: 'Uptime', tags: 'MDP', type: 'str', doc: 'Time since the start', value: (p, now) => uptimeText(uptime(p, now)) },
  { name: 'Uptime_sec', tags: 'MDP', type: 'u32', doc: 'Seconds since the start', value: (p, now) => uptime(p, now) },
  { name: 'Memmax_MB', tags: 'CLP', type: 'u32', doc: 'Limit of memory, 0 for none', value: zero },
  { name: 'PoolAlloc_MB', tags: 'MGP', type: 'u32', doc: 'Megabytes of heap that are set aside', value: () => Math.trunc(process.memoryUsage().heapTotal / MEGABYTE) },
  { name: 'PoolUsed_MB', tags: 'MGP', type: 'u32', doc: 'Megabytes of heap in use', value: () => Math.trunc(process.memoryUsage().heapUsed / MEGABYTE) },
  { name: 'PoolFailed', tags: 'MCP', type: 'u32', doc: 'Allocations that failed', value: zero },
  { name: 'Ulimit-n', tags: 'CLP', type: 'u32', doc: 'Limit of open files', value: openFileLimit },
  { name: 'Maxsock', tags: 'CLP', type: 'u32', doc: 'Limit of sockets', value: openFileLimit },
  { name: 'Maxconn', tags: 'CLP', type: 'u32', doc: 'Limit of connections now', value: (p) => p.maxconn },
  { name: 'Hard_maxconn', tags: 'CLP', type: 'u32', doc: 'Limit of connections that Maxconn can be set to', value: (p) => p.hardMaxconn },
  { name: 'CurrConns', tags: 'MGP', type: 'u32', doc: 'Connections now', value: (p) => p.totals.connections },
  { name: 'CumConns', tags: 'MCP', type: 'u32', doc: 'Connections since the start', value: (p) => p.totals.cumulativeConnections },
  { name: 'CumReq', tags: 'MCP', type: 'u32', doc: 'Requests since the start', value: (p) => p.totals.cumulativeRequests },
  { name: 'MaxSslConns', tags: 'MMP', type: 'u32', doc: 'Limit of TLS connections, 0 for none', value: zero },
  { name: 'CurrSslConns', tags: 'MGP', type: 'u32', doc: 'TLS connections now', value: zero },
  { name: 'CumSslConns', tags: 'MCP', type: 'u32', doc: 'TLS connections since the start', value: zero },
  { name: 'Maxpipes', tags: 'CLP', type: 'u32', doc: 'Limit of splicing pipes, which it does not use', value: zero },
  { name: 'PipesUsed', tags: 'MGP', type: 'u32', doc: 'Pipes in use', value: zero },
  { name: 'PipesFree', tags: 'MGP', type: 'u32', doc: 'Pipes kept ready', value: zero },
  { name: 'ConnRate', tags: 'MRP', type: 'u32', doc: 'Connections over the last second', value: (p, now) => p.totals.connectionRate.read(now) },
  { name: 'ConnRateLimit', tags: 'CLP', type: 'u32', doc: 'Limit of ConnRate, 0 for none', value: zero },
  { name: 'MaxConnRate', tags: 'MMP', type: 'u32', doc: 'Highest ConnRate', value: (p) => p.totals.connectionRate.max },
  { name: 'SessRate', tags: 'MRP', type: 'u32', doc: 'Sessions over the last second', value: (p, now) => p.totals.sessionRate.read(now) },
  { name: 'SessRateLimit', tags: 'CLP', type: 'u32', doc: 'Limit of SessRate, 0 for none', value: zero },
  { name: 'MaxSessRate', tags: 'MRP', type: 'u32', doc: 'Highest SessRate', value: (p) => p.totals.sessionRate.max },
  { name: 'SslRate', tags: 'MRP', type: 'u32', doc: 'TLS connections over the last second', value: zero },
  { name: 'SslRateLimit', tags: 'CLP', type: 'u32', doc: 'Limit of SslRate, 0 for none', value: zero },
  { name: 'MaxSslRate', tags: 'MMP', type: 'u32', doc: 'Highest SslRate', value: zero },
  { name: 'SslFrontendKeyRate', tags: 'MGP', type: 'u32', doc: 'TLS keys made for clients over the last second', value: zero },
  { name: 'SslFrontendMaxKeyRate', tags: 'MMP', type: 'u32', doc: 'Highest SslFrontendKeyRate', value: zero },
  { name: 'SslFrontendSessionReuse_pct', tags: 'MGP', type: 'u32', doc: 'Percent of TLS connections of clients that needed no new key', value: zero },
  { name: 'SslBackendKeyRate', tags: 'MRP', type: 'u32', doc: 'TLS keys made for servers over the last second', value: zero },
  { name: 'SslBackendMaxKeyRate', tags: 'MMP', type: 'u32', doc: 'Highest SslBackendKeyRate', value: zero },
  { name: 'SslCacheLookups', tags: 'MCP', type: 'u32', doc: 'Look-ups in the cache of TLS sessions', value: zero },
  { name: 'SslCacheMisses', tags: 'MCP', type: 'u32', doc: 'Look-ups that found none', value: zero },
  { name: 'CompressBpsIn', tags: 'MRP', type: 'u32', doc: 'Bytes given to compression over the last second', value: zero },
  { name: 'CompressBpsOut', tags: 'MRP', type: 'u32', doc: 'Bytes that it made of them', value: zero },
  { name: 'CompressBpsRateLim', tags: 'CLP', type: 'u32', doc: 'Limit of CompressBpsOut, 0 for none', value: zero },
  // Places 45 and 46 belong to builds of HAProxy with another compression library.
  { name: '', tags: '', type: 'u32', doc: '', value: () => undefined },
  { name: '', tags: '', type: 'u32', doc: '', value: () => undefined },
  { name: 'Tasks', tags: 'MGP', type: 'u32', doc: 'Sessions and checks that are being looked after', value: (p) => p.totals.connections + p.backends.reduce((sum, b) => sum + b.servers.filter((s) => s.check.enabled).length, 0) },
  { name: 'Run_queue', tags: 'MGP', type: 'u32', doc: 'Tasks that wait for the processor', value: zero },
  { name: 'Idle_pct', tags: 'MaP', type: 'u32', doc: 'Percent of the time since the start that was spent waiting', value: idlePercent },
  { name: 'node', tags: 'COS', type: 'str', doc: 'Name of the node', value: (p) => p.configuration.global.node ?? hostname() },
  { name: 'description', tags: 'COS', type: 'str', doc: 'Description of the node', value: (p) => p.configuration.global.description },
  { name: 'Stopping', tags: 'MGP', type: 'u32', doc: '1 while it finishes its work to end', value: (p) => (p.stopping ? 1 : 0) },
  { name: 'Jobs', tags: 'MGP', type: 'u32', doc: 'Connections and listeners that keep it alive', value: (p) => p.totals.connections + listenerCount(p) },
  { name: 'Unstoppable Jobs', tags: 'MGP', type: 'u32', doc: 'Those that do not keep it from ending', value: zero },
  { name: 'Listeners', tags: 'MGP', type: 'u32', doc: 'Listeners that accept connections', value: listenerCount },
  { name: 'ActivePeers', tags: 'MGP', type: 'u32', doc: 'Connections to peers that were verified', value: zero },
  { name: 'ConnectedPeers', tags: 'MGP', type: 'u32', doc: 'Connections to peers', value: zero },
  { name: 'DroppedLogs', tags: 'MGP', type: 'u32', doc: 'Log lines that could not be sent', value: (p) => p.totals.droppedLogs },
  { name: 'BusyPolling', tags: 'MGP', type: 'u32', doc: '1 when it polls without sleeping, which it never does', value: zero },
  { name: 'FailedResolutions', tags: 'MGP', type: 'u32', doc: 'Names that could not be resolved at run time', value: zero },
  { name: 'TotalBytesOut', tags: 'MGP', type: 'u64', doc: 'Bytes sent to clients', value: (p) => p.frontends.reduce((sum, f) => sum + f.counters.bout, 0) },
  { name: 'TotalSplicdedBytesOut', tags: 'MGP', type: 'u64', doc: 'Bytes sent by splicing', value: zero },
  { name: 'BytesOutRate', tags: 'MRP', type: 'u64', doc: 'Bytes sent a second, averaged since the start', value: (p, now) => Math.trunc(p.frontends.reduce((sum, f) => sum + f.counters.bout, 0) / Math.max(1, uptime(p, now))) },
  { name: 'DebugCommandsIssued', tags: 'MGP', type: 'u32', doc: 'Debugging commands that were given', value: zero },
  { name: 'CumRecvLogs', tags: 'MCP', type: 'u32', doc: 'Log lines received to be forwarded', value: zero },
  { name: 'Build info', tags: 'POS', type: 'str', doc: 'How it was built', value: () => `${NAME} ${VERSION}` },
  { name: 'Memmax_bytes', tags: 'CLP', type: 'u32', doc: 'Limit of memory, 0 for none', value: zero },
  { name: 'PoolAlloc_bytes', tags: 'MGP', type: 'u64', doc: 'Bytes of heap that are set aside', value: () => process.memoryUsage().heapTotal },
  { name: 'PoolUsed_bytes', tags: 'MGP', type: 'u64', doc: 'Bytes of heap in use', value: () => process.memoryUsage().heapUsed },
  { name: 'Start_time_sec', tags: 'MDP', type: 'u32', doc: 'Time of the start, seconds since 1970', value: (p) => Math.trunc(p.startedAt / 1000) },
  { name: 'Tainted', tags: 'SGP', type: 'str', doc: 'Whether experimental features were used', value: () => '0' },
];

export function infoFields(proxy: LiveProxy, nowMs: number): Field[] {
  return INFO.flatMap(({ name, tags, type, doc, value }, position) => {
    const found = value(proxy, nowMs);
    return found === undefined ? [] : [{ position, name, tags, type, doc, value: found }];
  });
}

/** `Name: value`, one a line. */
export function infoText(fields: readonly Field[], describe: boolean): string {
  return fields.map((f) => `${f.name}: ${f.value}${describe ? `:"${f.doc}"` : ''}\n`).join('');
}

/** `15.Maxconn.1:CLP:u32:1000`, one a line. */
export function infoTyped(fields: readonly Field[], describe: boolean): string {
  return fields
    .map((f) => `${f.position}.${f.name}.${typedValue(f)}${describe ? `:"${f.doc}"` : ''}\n`)
    .join('');
}

export function infoJson(fields: readonly Field[]): string {
  return JSON.stringify(fields.map(jsonField));
}

/** `0d 0h01m05s`. */
export function uptimeText(seconds: number): string {
  const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
  const days = Math.trunc(seconds / 86_400);
  return `${days}d ${Math.trunc((seconds % 86_400) / 3600)}h${two((seconds % 3600) / 60)}m${two(seconds % 60)}s`;
}

/** Limit of open files of this process; 0 where the system does not tell. */
export function openFileLimit(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function uptime(proxy: LiveProxy, nowMs: number): number {
  return Math.max(0, Math.trunc((nowMs - proxy.startedAt) / 1000));
}

function idlePercent(proxy: LiveProxy, nowMs: number): number {
  const { user, system } = process.cpuUsage();
  const busy = (user + system) / 1000 / Math.max(1, nowMs - proxy.startedAt);
  return Math.max(0, Math.min(100, Math.round(100 - 100 * busy)));
}

function listenerCount(proxy: LiveProxy): number {
  return proxy.frontends
    .filter((frontend) => frontend.state === 'OPEN')
    .reduce((sum, frontend) => sum + frontend.listeners.length, 0);
}
