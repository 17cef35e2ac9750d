/** A row of the statistics: column → value, empty ones left out. Names and meanings: management guide, section 9.1. */
export type StatsRow = Readonly<Record<string, string>>;

/** What a row is about: its column `type`. */
export const ROW = { frontend: '0', backend: '1', server: '2', listener: '3' } as const;

/** HAProxy's statistics in CSV, as `show stat` and the page (`;csv`) have them → rows. */
export function readStats(csv: string): StatsRow[] {
  const [head = [], ...lines] = records(csv.replace(/^# /, ''));
  return lines
    .filter((cells) => cells.length > 1)
    .map((cells) =>
      Object.fromEntries(head.flatMap((name, i) => (name && cells[i] ? [[name, cells[i]]] : []))),
    );
}

/** "UP", "UP 1/3" on its way down, "no check"; not "DOWN …", "MAINT", "DRAIN", "NOLB". */
export function isUp(server: StatsRow): boolean {
  return /^(?:UP|no check)/.test(server.status ?? '');
}

/** RFC 4180: a field in quotes may hold commas, line ends, and quotes written twice. */
function records(text: string): string[][] {
  const lines: string[][] = [[]];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    lines.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '') break;
    if (end !== ',') lines.push([]);
  }
  return lines;
}
