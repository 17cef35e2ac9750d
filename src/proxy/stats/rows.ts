/** Which objects the statistics show, in file order, and their fields. */
import type { Backend, Counters, Frontend, ListenerState, LiveProxy, Server } from '../model.ts';
import type { ProxySettings } from '../settings.ts';
import { COLUMNS, type ColumnRow, type Kind, MEASURED, type Moment } from './columns.ts';
import { type Field, jsonField, typedValue, type Value } from './field.ts';

export type StatRow =
  | { readonly kind: 'frontend'; readonly object: Frontend }
  | {
      readonly kind: 'listener';
      readonly object: ListenerState & { counters: Counters };
      readonly frontend: Frontend;
    }
  | { readonly kind: 'server'; readonly object: Server }
  | { readonly kind: 'backend'; readonly object: Backend };

/** What to leave out. All undefined: everything is shown. */
export interface Selection {
  /** Name or number of one proxy. */
  readonly proxy?: string;
  /** Sum of 1 frontends, 2 backends, 4 servers, 8 listeners (`show stat <iid> <type> <sid>`); −1 is all. */
  readonly types?: number;
  /** Number of one server or listener; −1 is all. */
  readonly id?: number;
  readonly hideDown?: boolean;
  readonly hideMaint?: boolean;
  /** Keeps proxies by name: `stats scope`, `?scope=`. */
  readonly scope?: (proxyName: string) => boolean;
}

const TYPE_BITS: Readonly<Record<Kind, number>> = { frontend: 1, backend: 2, server: 4, listener: 8 };

/** Proxies in file order, each with its rows: frontend, listeners, servers, backend. */
export function selectRows(proxy: LiveProxy, selection: Selection = {}): StatRow[] {
  return proxy.configuration.proxies
    .filter((settings) => !settings.disabled && (selection.scope?.(settings.name) ?? true))
    .filter(({ name, id }) => selection.proxy === undefined || [name, String(id)].includes(selection.proxy))
    .flatMap((settings) => [
      ...proxy.frontends.filter((frontend) => frontend.settings === settings).flatMap(frontendRows),
      ...proxy.backends.filter((backend) => backend.settings === settings).flatMap(backendRows),
    ])
    .filter((row) => wanted(row, selection));
}

function frontendRows(frontend: Frontend): StatRow[] {
  return [
    { kind: 'frontend', object: frontend },
    ...frontend.listeners
      .filter(
        (listener): listener is ListenerState & { counters: Counters } => listener.counters !== undefined,
      )
      .map((object) => ({ kind: 'listener', object, frontend }) as const),
  ];
}

function backendRows(backend: Backend): StatRow[] {
  return [
    ...backend.servers.map((object) => ({ kind: 'server', object }) as const),
    { kind: 'backend', object: backend },
  ];
}

function wanted(row: StatRow, { types = -1, id = -1, hideDown, hideMaint }: Selection): boolean {
  if ((types & TYPE_BITS[row.kind]) === 0) return false;
  if (id !== -1 && rowId(row) !== id) return false;
  if (row.kind !== 'server') return true;
  const server = row.object;
  return !(hideDown && server.isDown) && !(hideMaint && server.admin === 'maint');
}

/** Number of the server or listener; 0 for the proxy itself. */
function rowId(row: StatRow): number {
  if (row.kind === 'server') return row.object.settings.id;
  return row.kind === 'listener' ? row.object.id : 0;
}

/** The proxy that a row stands under. */
export function rowSettings(row: StatRow): ProxySettings {
  if (row.kind === 'server') return row.object.backend.settings;
  return (row.kind === 'listener' ? row.frontend : row.object).settings;
}

export function columnValue(column: ColumnRow, row: StatRow, at: Moment): Value {
  switch (row.kind) {
    case 'frontend':
      return column.frontend?.(row.object, at);
    case 'listener':
      return column.listener?.(row.object, at, row.frontend);
    case 'server':
      return column.server?.(row.object, at);
    case 'backend':
      return column.backend?.(row.object, at);
  }
}

/** The fields of a row that have a value. */
function rowFields(row: StatRow, at: Moment): Field[] {
  return COLUMNS.flatMap((column, position) => {
    const value = columnValue(column, row, at);
    if (value === undefined) return [];
    const { name, type, doc } = column;
    const tags = row.kind === 'backend' ? (column.backendTags ?? column.tags) : column.tags;
    return [{ position, name, tags, type, doc, value }];
  });
}

/** `# pxname,svname,…`: the first line of the CSV form, with its trailing comma. */
const CSV_HEADER = `# ${withDivider(COLUMNS.map((column) => column.name)).join(',')},\n`;

export function csv(rows: readonly StatRow[], at: Moment): string {
  const lines = rows.map((row) => {
    const values = COLUMNS.map((column) => csvText(columnValue(column, row, at)));
    return `${withDivider(values).join(',')},\n`;
  });
  return CSV_HEADER + lines.join('');
}

function withDivider(values: readonly string[]): string[] {
  return [...values.slice(0, MEASURED), '-', ...values.slice(MEASURED)];
}

/** RFC 4180 quoting, where it is needed. */
function csvText(value: Value): string {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const OBJECT_LETTERS: Readonly<Record<Kind, string>> = {
  frontend: 'F',
  backend: 'B',
  server: 'S',
  listener: 'L',
};
const OBJECT_NAMES: Readonly<Record<Kind, string>> = {
  frontend: 'Frontend',
  backend: 'Backend',
  server: 'Server',
  listener: 'Listener',
};

/** `F.2.0.4.scur.1:MGP:u32:0`, one line a field; with its description when asked for. */
export function typed(rows: readonly StatRow[], at: Moment, describe = false): string {
  return rows
    .flatMap((row) =>
      rowFields(row, at).map((field) => {
        const place = [
          OBJECT_LETTERS[row.kind],
          rowSettings(row).id,
          rowId(row),
          field.position,
          field.name,
        ].join('.');
        return `${place}.${typedValue(field)}${describe ? `:"${field.doc}"` : ''}\n`;
      }),
    )
    .join('');
}

/** An array of objects, each the array of its fields. */
export function json(rows: readonly StatRow[], at: Moment): string {
  const objects = rows.map((row) =>
    rowFields(row, at).map((field) => ({
      objType: OBJECT_NAMES[row.kind],
      proxyId: rowSettings(row).id,
      id: rowId(row),
      ...jsonField(field),
    })),
  );
  return JSON.stringify(objects);
}
