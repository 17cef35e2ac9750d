import { isUp, ROW, type StatsRow } from '../balancer/csv.ts';
import { type Colours, cutTo, stripColours } from './colours.ts';

interface Column {
  readonly head: string;
  readonly cell: (row: StatsRow, c: Colours) => string;
  readonly left?: boolean;
  /** Columns with a number give way, the highest first, where the terminal is too narrow for all. */
  readonly gives?: number;
}

const COLUMNS: readonly Column[] = [
  { head: '', cell: name, left: true },
  { head: 'status', cell: status, left: true },
  { head: 'cur', cell: (row) => count(row.scur) },
  { head: 'max', cell: (row) => count(row.smax), gives: 5 },
  { head: 'total', cell: (row) => count(row.stot) },
  { head: 'req/s', cell: (row) => count(row.req_rate ?? row.rate) },
  { head: 'in', cell: (row) => count(row.bin), gives: 3 },
  { head: 'out', cell: (row) => count(row.bout), gives: 2 },
  { head: '2xx', cell: (row) => count(row.hrsp_2xx) },
  { head: '3xx', cell: (row) => count(row.hrsp_3xx), gives: 6 },
  { head: '4xx', cell: (row) => count(row.hrsp_4xx), gives: 4 },
  {
    head: '5xx',
    cell: (row, c) => (Number(row.hrsp_5xx) > 0 ? c.red(count(row.hrsp_5xx)) : count(row.hrsp_5xx)),
  },
  { head: 'check', cell: check, left: true },
  { head: 'since', cell: (row) => age(row.lastchg), gives: 1 },
];

const MIN_NAME = 8;

/** Frontends, backends and their servers as a table of at most `width` characters a line. */
export function statsTable(rows: readonly StatsRow[], c: Colours, width: number): string[] {
  const shown = inOrder(rows);
  const cells = (columns: readonly Column[]): string[][] => [
    columns.map(({ head }) => c.dim(head)),
    ...shown.map((row) => columns.map(({ cell }) => cell(row, c))),
  ];
  let columns = COLUMNS;
  while (widthOf(cells(columns)) > width && columns.some(({ gives }) => gives)) {
    const next = Math.max(...columns.map(({ gives = 0 }) => gives));
    columns = columns.filter(({ gives }) => gives !== next);
  }
  const table = cells(columns);
  const over = Math.max(0, widthOf(table) - width);
  const nameWidth = Math.max(MIN_NAME, widthsOf(table)[0]! - over);
  const short = table.map(([first = '', ...rest]) => [cut(first, nameWidth), ...rest]);
  const widths = widthsOf(short);
  return short.map((line) =>
    cutTo(
      line
        .map((cell, i) => align(cell, widths[i]!, columns[i]!.left ?? false))
        .join(GAP)
        .trimEnd(),
      width,
    ),
  );
}

const GAP = '  ';

/** A proxy after the other, each with its frontend, its backend, and the servers of that. */
function inOrder(rows: readonly StatsRow[]): StatsRow[] {
  const proxies = [...new Set(rows.map((row) => row.pxname))];
  const kinds = [ROW.frontend, ROW.backend, ROW.server];
  return proxies.flatMap((proxy) => {
    const own = kinds.flatMap((kind) => rows.filter((row) => row.pxname === proxy && row.type === kind));
    // The empty back side of a `listen` that only shows statistics.
    const hasServers = own.some(({ type }) => type === ROW.server);
    return own.length === 2 && !hasServers ? own.slice(0, 1) : own;
  });
}

function name({ type, pxname = '', svname = '' }: StatsRow): string {
  return type === ROW.server ? `  ${svname}` : pxname;
}

function status(row: StatsRow, c: Colours): string {
  const text = row.status ?? '';
  if (row.type === ROW.server && isUp(row))
    return text === 'UP' || text === 'no check' ? text : c.yellow(text);
  if (text === 'UP' || text === 'OPEN') return text;
  return /^DOWN/.test(text) ? c.red(text) : c.yellow(text);
}

/** `L7OK/200 in 2ms`; one that goes on is shown with a star, as the page does. */
function check({ check_status: result, check_code: code, check_duration: ms }: StatsRow): string {
  if (!result) return '';
  return `${result}${code && code !== '0' ? `/${code}` : ''}${ms ? ` ${ms}ms` : ''}`;
}

/** Three digits and a unit at most: `999`, `1.2k`, `34M`. */
export function count(value: string | undefined): string {
  if (value === undefined) return '';
  const number = Number(value);
  if (!Number.isFinite(number)) return value;
  if (number < 1000) return String(Math.round(number));
  const power = Math.min(UNITS.length, Math.floor(Math.log10(number) / 3));
  const scaled = number / 1000 ** power;
  return `${scaled < 10 ? (Math.floor(scaled * 10) / 10).toFixed(1) : Math.floor(scaled)}${UNITS[power - 1]}`;
}

const UNITS = ['k', 'M', 'G', 'T', 'P'];

/** Seconds in the largest unit that fits: `12s`, `3m`, `2h`, `4d`. */
export function age(value: string | undefined): string {
  if (value === undefined) return '';
  const seconds = Number(value);
  const [unit, length] = AGES.find(([, from]) => seconds >= from) ?? AGES.at(-1)!;
  return `${Math.floor(seconds / length)}${unit}`;
}

const AGES = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

function align(cell: string, width: number, left: boolean): string {
  const fill = ' '.repeat(Math.max(0, width - lengthOf(cell)));
  return left ? cell + fill : fill + cell;
}

function cut(text: string, width: number): string {
  return lengthOf(text) <= width ? text : `${text.slice(0, width - 1)}…`;
}

function widthsOf(table: readonly (readonly string[])[]): number[] {
  return table[0]!.map((_, i) => Math.max(...table.map((line) => lengthOf(line[i]!))));
}

function widthOf(table: readonly (readonly string[])[]): number {
  const widths = widthsOf(table);
  return widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
}

function lengthOf(text: string): number {
  return [...stripColours(text)].length;
}
