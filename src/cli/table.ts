import { stripColours } from './colours.ts';

/** Rows as aligned columns, two spaces between them, nothing after the last word of a line. */
export function table(rows: readonly (readonly string[])[], options: { indent?: number } = {}): string {
  const widths: number[] = [];
  for (const row of rows) {
    // The last cell of a row pushes nothing to the right, so it does not widen its column.
    for (const [i, cell] of row.slice(0, -1).entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell));
  }
  const indent = ' '.repeat(options.indent ?? 2);
  return rows
    .map((row) => (indent + row.map((cell, i) => pad(cell, widths[i] ?? 0)).join('  ')).trimEnd())
    .join('\n');
}

/** Pads to a visible width; colours count nothing. */
export function pad(text: string, to: number): string {
  return text + ' '.repeat(Math.max(0, to - width(text)));
}

function width(text: string): number {
  return [...stripColours(text)].length;
}
