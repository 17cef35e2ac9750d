/** Commands that tell. */
import { isIP } from 'node:net';
import { RESULT_CODES, STATUSES } from '../health/statuses.ts';
import { VERSION } from '../identity.ts';
import type { Backend, LiveSession, Server } from '../model.ts';
import { infoFields, infoJson, infoText, infoTyped } from '../stats/info.ts';
import { csv, json, type Selection, selectRows, typed } from '../stats/rows.ts';
import { JSON_SCHEMA } from '../stats/schema.ts';
import { endpointText } from '../stats/state.ts';
import { type CommandContext, type CommandRow, findBackend, refuse } from './command.ts';

export const SHOW_COMMANDS: readonly CommandRow[] = [
  {
    keyword: 'show backend',
    doc: 'list backends in the current running config',
    run: (_, { proxy }) => `# name\n${proxy.backends.map((backend) => `${backend.name}\n`).join('')}`,
  },
  {
    keyword: 'show cli level',
    doc: 'display the level of the current CLI session',
    run: (_, { session }) => `${session.level}\n`,
  },
  {
    keyword: 'show cli sockets',
    doc: 'dump list of cli sockets',
    level: 'operator',
    run: (_, { proxy }) =>
      `# socket lvl processes\n${proxy.configuration.global.statsSockets
        .map(({ endpoint, level }) => `${socketText(endpoint)} ${level} all\n`)
        .join('')}`,
  },
  {
    keyword: 'show env',
    usage: 'show env [var]',
    doc: 'dump environment variables known to the process',
    level: 'operator',
    run([name]) {
      if (name === undefined)
        return Object.entries(process.env)
          .map(([key, value]) => `${key}=${value}\n`)
          .join('');
      const value = process.env[name] ?? refuse('Variable not found\n');
      return `${name}=${value}\n`;
    },
  },
  {
    keyword: 'show errors',
    usage: 'show errors [<px>] [request|response]',
    doc: 'report last request and/or response errors for each proxy',
    level: 'operator',
    run: (_, { nowMs }) => `Total events captured on [${logTime(nowMs)}] : 0\n`,
  },
  {
    keyword: 'show info',
    usage: 'show info [desc|json|typed|float]*',
    doc: 'report information about the running process',
    run(args, { proxy, nowMs }) {
      const fields = infoFields(proxy, nowMs);
      if (args.includes('json')) return `${infoJson(fields)}\n`;
      return (args.includes('typed') ? infoTyped : infoText)(fields, args.includes('desc'));
    },
  },
  {
    keyword: 'show schema json',
    doc: 'report schema used for stats',
    run: () => `${JSON_SCHEMA}\n`,
  },
  {
    keyword: 'show servers conn',
    usage: 'show servers conn [<backend>]',
    doc: 'dump server connections status (all or for a single backend)',
    level: 'operator',
    run: (args, context) =>
      `# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[1]\n${chosen(
        args,
        context,
      )
        .flatMap((backend) => backend.servers.map(connectionLine))
        .join('')}`,
  },
  {
    keyword: 'show servers state',
    usage: 'show servers state [<backend>]',
    doc: 'dump volatile server information (all or for a single backend)',
    run: (args, context) =>
      `1\n# ${STATE_COLUMNS.map((column) => column.name).join(' ')}\n${chosen(args, context)
        .flatMap((backend) => backend.servers)
        .map((server) => `${STATE_COLUMNS.map((column) => column.value(server, context.nowMs)).join(' ')}\n`)
        .join('')}`,
  },
  {
    keyword: 'show sess',
    usage: 'show sess [id]',
    doc: 'report the list of current sessions or dump this exact session',
    level: 'operator',
    run([id], { proxy, nowMs }) {
      const sessions = [...proxy.sessions()].filter((session) => id === undefined || session.id === id);
      return sessions.map((session) => sessionLine(session, nowMs)).join('');
    },
  },
  {
    keyword: 'show stat',
    usage: 'show stat [desc|json|no-maint|typed|up]*',
    doc: 'report counters for each proxy and server',
    run(args, { proxy, session, nowMs }) {
      const selection = statSelection(args);
      const rows = selectRows(proxy, selection);
      const partial = selection.hideDown === true || selection.hideMaint === true;
      const at = { nowMs, legends: session.level !== 'user', partial, frontends: proxy.frontends };
      if (args.includes('json')) return `${json(rows, at)}\n`;
      return args.includes('typed') ? typed(rows, at, args.includes('desc')) : csv(rows, at);
    },
  },
  {
    keyword: 'show version',
    doc: 'show version of the current process',
    run: () => `${VERSION}\n`,
  },
];

/** `show stat [<proxy or number> <types> <id>]`, then flags. */
function statSelection(args: readonly string[]): Selection {
  const [proxy, types, id] = args;
  const numbers =
    types !== undefined && id !== undefined && [types, id].every((text) => /^-?\d+$/.test(text));
  return {
    ...(numbers ? { proxy: proxy === '-1' ? undefined : proxy, types: Number(types), id: Number(id) } : {}),
    hideDown: args.includes('up'),
    hideMaint: args.includes('no-maint'),
  };
}

function chosen([name]: readonly string[], { proxy }: CommandContext): readonly Backend[] {
  return name === undefined ? proxy.backends : [findBackend(proxy, name, "Can't find backend.\n")];
}

interface StateColumn {
  readonly name: string;
  value(server: Server, nowMs: number): string | number;
}

const none = () => '-';
const zero = () => 0;

/** Management manual, section 9.3, `show servers state`. The flags are HAProxy's numbers. */
const STATE_COLUMNS: readonly StateColumn[] = [
  { name: 'be_id', value: (s) => s.backend.settings.id },
  { name: 'be_name', value: (s) => s.backend.name },
  { name: 'srv_id', value: (s) => s.settings.id },
  { name: 'srv_name', value: (s) => s.name },
  { name: 'srv_addr', value: (s) => s.address ?? '-' },
  { name: 'srv_op_state', value: (s) => (s.isDown ? 0 : s.stopping ? 3 : 2) },
  {
    name: 'srv_admin_state',
    value: (s) => ({ ready: 0, maint: s.settings.disabled ? 5 : 1, drain: 8 })[s.admin],
  },
  { name: 'srv_uweight', value: (s) => s.weight },
  { name: 'srv_iweight', value: (s) => s.settings.weight },
  {
    name: 'srv_time_since_last_change',
    value: (s, nowMs) => Math.max(0, Math.trunc((nowMs - s.changedAt) / 1000)),
  },
  { name: 'srv_check_status', value: (s) => STATUSES.get(s.check.status)?.code ?? 0 },
  {
    name: 'srv_check_result',
    value: (s) => (s.check.running ? 0 : RESULT_CODES[STATUSES.get(s.check.status)?.result ?? 'unknown']),
  },
  { name: 'srv_check_health', value: (s) => s.health },
  {
    name: 'srv_check_state',
    value: (s) =>
      (s.check.running ? 1 : 0) +
      (s.settings.check ? 2 : 0) +
      (s.check.enabled ? 4 : 0) +
      (s.admin === 'maint' ? 8 : 0),
  },
  { name: 'srv_agent_state', value: zero },
  { name: 'bk_f_forced_id', value: zero },
  { name: 'srv_f_forced_id', value: zero },
  {
    name: 'srv_fqdn',
    value: (s) => (isIP(s.settings.host) === 0 && s.settings.host !== '' ? s.settings.host : '-'),
  },
  { name: 'srv_port', value: (s) => s.port },
  { name: 'srvrecord', value: none },
  { name: 'srv_use_ssl', value: (s) => (s.settings.ssl === undefined ? 0 : 1) },
  { name: 'srv_check_port', value: (s) => s.check.port ?? 0 },
  { name: 'srv_check_addr', value: (s) => s.check.address ?? '-' },
  { name: 'srv_agent_addr', value: none },
  { name: 'srv_agent_port', value: (s) => s.check.port ?? 0 },
];

const DEFAULT_PURGE_DELAY = 5000;

function connectionLine(server: Server): string {
  const { backend, settings, counters, idle } = server;
  return `${[
    `${backend.name}/${server.name}`,
    `${backend.settings.id}/${settings.id}`,
    server.address ?? '-',
    server.port,
    '-',
    settings.poolPurgeDelay ?? DEFAULT_PURGE_DELAY,
    counters.scur,
    counters.smax,
    counters.scur,
    idle,
    0,
    settings.poolMaxConn ?? -1,
    idle,
    idle,
  ].join(' ')}\n`;
}

function sessionLine(session: LiveSession, nowMs: number): string {
  const { id, protocol, source, frontend, backend, server, startedAt } = session;
  const age = Math.max(0, Math.trunc((nowMs - startedAt) / 1000));
  return `${id}: proto=${protocol} src=${source} fe=${frontend.name} be=${backend?.name ?? '<NONE>'} srv=${server?.name ?? '<none>'} age=${age}s\n`;
}

function socketText(endpoint: Parameters<typeof endpointText>[0]): string {
  if (endpoint.kind === 'unix') return `unix@${endpoint.path}`;
  return endpoint.kind === 'fd'
    ? endpointText(endpoint)
    : `ipv${endpoint.host.includes(':') ? 6 : 4}@${endpointText(endpoint)}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `21/Nov/2026:21:17:57.203`, local time. */
function logTime(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${day}:${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
