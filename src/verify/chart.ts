import { pad } from '../cli/table.ts';

const WIDTH = 40;

/** A bar for each name, and for whatever else occurred: `SITE1 ██████ 6`. */
export function barChart(names: readonly string[], occurrences: readonly string[]): string[] {
  const all = [...new Set([...names, ...occurrences])];
  const counts = all.map((name) => occurrences.filter((one) => one === name).length);
  const unit = Math.min(2, WIDTH / Math.max(1, ...counts));
  const width = Math.max(...all.map((name) => name.length));
  return all.map((name, i) => {
    const bar = '█'.repeat(Math.ceil(counts[i]! * unit));
    return `${pad(name, width)} ${bar}${bar && ' '}${counts[i]}`;
  });
}
