/** The columns of the page: what each cell says, and what it tells when pointed at. */
import { fullHealth } from '../health/counter.ts';
import { hasCode } from '../health/statuses.ts';
import type { Server } from '../model.ts';
import { COLUMNS, type Moment } from './columns.ts';
import type { Value } from './field.ts';
import { columnValue, type StatRow } from './rows.ts';
import { serverStatus } from './state.ts';

export interface Cell {
  /** HTML. */
  readonly text?: string;
  readonly tip?: string;
  readonly className?: string;
}

interface PageColumn {
  readonly title: string;
  cell(row: StatRow, at: Moment): Cell | undefined;
}

interface PageGroup {
  readonly title: string;
  readonly columns: readonly PageColumn[];
}

type Reader = (row: StatRow, at: Moment) => Value;

const BY_NAME = new Map(COLUMNS.map((column) => [column.name, column]));

/** Reads a column of the statistics by its name in the CSV. */
export function column(name: string): Reader {
  const found = BY_NAME.get(name)!;
  return (row, at) => columnValue(found, row, at);
}

/** A figure of the CSV as it is. */
function figure(title: string, name: string, ...tips: Tip[]): PageColumn {
  const read = column(name);
  return {
    title,
    cell(row, at) {
      const value = read(row, at);
      return value === undefined ? undefined : { text: number(value), tip: tipTable(tips, row, at) };
    },
  };
}

/** A limit: `-` where servers and frontends have none. */
function limit(title: string, name: string, kinds: string): PageColumn {
  const read = column(name);
  return {
    title,
    cell(row, at) {
      const value = read(row, at);
      if (value !== undefined && value !== 0) return { text: number(value) };
      return kinds.includes(row.kind) ? { text: '-' } : undefined;
    },
  };
}

interface Tip {
  readonly label: string;
  readonly read: Reader;
  /** A second figure after a slash. */
  readonly over?: Reader;
  readonly unit?: string;
}

function tip(label: string, name: string, unit = ''): Tip {
  return { label, read: column(name), unit };
}

const TIMES: readonly Tip[] = [
  ['Queue', 'qtime'],
  ['Connect', 'ctime'],
  ['Response', 'rtime'],
  ['Total', 'ttime'],
].map(([label, name]) => ({
  label: `${label} time, max / avg of 1024`,
  read: column(`${name}_max`),
  over: column(name!),
  unit: ' ms',
}));

const TOTALS: readonly Tip[] = [
  tip('Connections', 'conn_tot'),
  tip('Sessions', 'stot'),
  tip('New connections', 'connect'),
  tip('Reused connections', 'reuse'),
  tip('HTTP requests', 'req_tot'),
  tip('- 1xx responses', 'hrsp_1xx'),
  tip('- 2xx responses', 'hrsp_2xx'),
  tip('- 3xx responses', 'hrsp_3xx'),
  tip('- 4xx responses', 'hrsp_4xx'),
  tip('- 5xx responses', 'hrsp_5xx'),
  tip('- other responses', 'hrsp_other'),
  tip('Intercepted requests', 'intercepted'),
  tip('Failed header rewrites', 'wrew'),
  tip('Internal errors', 'eint'),
  ...TIMES,
];

const CONNECTIONS: readonly Tip[] = [
  tip('In use', 'used_conn_cur'),
  tip('Idle', 'srv_icur'),
  tip('Limit of idle ones', 'src_ilim'),
];

const ABORTS: readonly Tip[] = [
  tip('Broken off by the client', 'cli_abrt'),
  tip('Broken off by the server', 'srv_abrt'),
];

const CHECKS: readonly Tip[] = [
  tip('Failed health checks', 'chkfail'),
  tip('Too many errors in traffic', 'hanafail'),
];

export const PAGE_GROUPS: readonly PageGroup[] = [
  {
    title: 'Queue',
    columns: [figure('Cur', 'qcur'), figure('Max', 'qmax'), limit('Limit', 'qlimit', 'server')],
  },
  {
    title: 'Session rate',
    columns: [
      figure('Cur', 'rate', tip('Connections', 'conn_rate', '/s'), tip('Requests', 'req_rate', '/s')),
      figure(
        'Max',
        'rate_max',
        tip('Connections', 'conn_rate_max', '/s'),
        tip('Requests', 'req_rate_max', '/s'),
      ),
      limit('Limit', 'rate_lim', 'frontend'),
    ],
  },
  {
    title: 'Sessions',
    columns: [
      figure('Cur', 'scur', ...CONNECTIONS),
      figure('Max', 'smax'),
      limit('Limit', 'slim', 'server listener frontend'),
      figure('Total', 'stot', ...TOTALS),
      figure('LbTot', 'lbtot'),
      { title: 'Last', cell: lastSession },
    ],
  },
  { title: 'Bytes', columns: [figure('In', 'bin'), figure('Out', 'bout')] },
  { title: 'Denied', columns: [figure('Req', 'dreq'), figure('Resp', 'dresp')] },
  {
    title: 'Errors',
    columns: [figure('Req', 'ereq'), figure('Conn', 'econ'), figure('Resp', 'eresp', ...ABORTS)],
  },
  { title: 'Warnings', columns: [figure('Retr', 'wretr'), figure('Redis', 'wredis')] },
  {
    title: 'Server',
    columns: [
      { title: 'Status', cell: status },
      { title: 'LastChk', cell: lastCheck },
      { title: 'Wght', cell: weight },
      { title: 'Act', cell: (row, at) => member(row, at, 'act') },
      { title: 'Bck', cell: (row, at) => member(row, at, 'bck') },
      figure('Chk', 'chkfail', ...CHECKS),
      figure('Dwn', 'chkdown'),
      { title: 'Dwntme', cell: downtime },
      {
        title: 'Thrtle',
        cell: (row) => (row.kind === 'server' ? { text: '-', className: 'centre' } : undefined),
      },
    ],
  },
];

/** What `title` of a row's name tells. */
export const LEGEND_COLUMNS: readonly Tip[] = [
  { label: 'address', read: column('addr') },
  {
    label: 'id',
    read: (row, at) =>
      row.kind === 'server' || row.kind === 'listener' ? column('sid')(row, at) : undefined,
  },
  { label: 'cookie', read: column('cookie') },
  { label: 'balancing', read: column('algo') },
];

/** The name in the first cell, and in the anchor. */
export function rowName(row: StatRow): string {
  if (row.kind === 'frontend') return 'Frontend';
  return row.kind === 'backend' ? 'Backend' : row.object.name;
}

/** The class that gives a row its colour. */
export function rowClass(row: StatRow): string {
  if (row.kind === 'listener') return 'socket';
  return row.kind === 'server' ? serverClass(row.object) : row.kind;
}

function serverClass(server: Server): string {
  const kind = server.settings.backup ? 'backup' : 'active';
  if (server.admin === 'maint') return 'maintain';
  const turning = server.check.enabled && server.health < fullHealth(server);
  if (!server.up) return server.check.enabled && server.health > 0 ? `${kind}_going_up` : `${kind}_down`;
  if (turning) return `${kind}_going_down`;
  if (server.stopping || server.admin === 'drain') return `${kind}_draining`;
  return server.check.enabled || server.settings.track !== undefined ? `${kind}_up` : `${kind}_no_check`;
}

function status(row: StatRow, at: Moment): Cell {
  const className = 'centre';
  if (row.kind === 'frontend' || row.kind === 'listener')
    return { text: String(column('status')(row, at)), className };
  const age = duration(Number(column('lastchg')(row, at)));
  const text = String(column('status')(row, at));
  if (row.kind === 'server' && serverStatus(row.object) === 'no check')
    return { text: `<i>${text}</i>`, className };
  const loud = row.kind === 'backend' && text.startsWith('DOWN');
  return { text: `${age} ${loud ? `<b class="alarm">${text}</b>` : html(text)}`, className };
}

function lastCheck(row: StatRow, at: Moment): Cell | undefined {
  const said = column('check_status')(row, at);
  if (said === undefined || row.kind !== 'server') return undefined;
  const { check } = row.object;
  const code = hasCode(check.status) && check.code > 0 ? `/${check.code}` : '';
  const took = check.duration < 0 ? '' : ` in ${check.duration}ms`;
  const words = [column('check_desc')(row, at), check.description].filter(
    (text) => text !== undefined && text !== '',
  );
  return {
    text: `${html(String(said))}${code}${took}`,
    tip: html(words.join(': ')),
    className: 'centre',
  };
}

function weight(row: StatRow, at: Moment): Cell | undefined {
  const value = column('weight')(row, at);
  return value === undefined
    ? undefined
    : { text: `${value}/${column('uweight')(row, at)}`, className: 'centre' };
}

/** A server is an active or a backup one; a backend has some of each. */
function member(row: StatRow, at: Moment, name: 'act' | 'bck'): Cell | undefined {
  const value = column(name)(row, at);
  if (value === undefined) return undefined;
  return { text: row.kind === 'server' ? (value === 1 ? 'Y' : '-') : String(value), className: 'centre' };
}

function downtime(row: StatRow, at: Moment): Cell | undefined {
  const value = column('downtime')(row, at);
  return value === undefined ? undefined : { text: duration(Number(value)) };
}

function lastSession(row: StatRow, at: Moment): Cell | undefined {
  const value = column('lastsess')(row, at);
  return value === undefined ? undefined : { text: Number(value) < 0 ? '?' : duration(Number(value)) };
}

function tipTable(tips: readonly Tip[], row: StatRow, at: Moment): string | undefined {
  const known = tips.flatMap(({ label, read, over, unit = '' }) => {
    const value = read(row, at);
    if (value === undefined) return [];
    const second = over === undefined ? '' : ` / ${number(over(row, at) ?? 0)}`;
    return [`<span>${label}</span><b>${number(value)}${second}${unit}</b>`];
  });
  return known.length === 0 ? undefined : known.join('');
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** Seconds in their two largest units: `1d3h`, `4m12s`, `0s`. */
export function duration(seconds: number): string {
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0s';
  let left = seconds;
  return UNITS.slice(first, first + 2)
    .map(([unit, size]) => {
      const count = Math.trunc(left / size);
      left -= count * size;
      return count === 0 ? '' : `${count}${unit}`;
    })
    .join('');
}

/** Thousands apart, by a thin space that does not break: 12 345. */
function number(value: Value): string {
  return html(String(value ?? '').replace(/\B(?=(\d{3})+$)/g, '\u00a0'));
}

/** Text as HTML, in ASCII and latin1. */
export function html(text: string): string {
  return text.replace(/[&<>"'\u00a0]|[^\0-\xff]/gu, (c) => `&#${c.codePointAt(0)};`);
}
