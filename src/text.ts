import { relative } from 'node:path';

/** Small words that many lines need. */

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A path as a person in `cwd` would name it: from there when it is inside, else whole. */
export function nearPath(path: string, cwd = process.cwd()): string {
  const near = relative(cwd, path);
  return near.startsWith('..') ? path : near;
}

/** Milliseconds as people read them: `0.04 s`, `12.9 s`. */
export function seconds(ms: number): string {
  return ms < 995 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 1000).toFixed(1)} s`;
}

/** An argument as a shell would need it: for showing a command, never for running one. */
export function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** A line of a configuration that curl reads (`-K -`): so a secret stays off the command line. */
export function curlSetting(name: string, value: string): string {
  return `${name} = "${value.replace(/["\\]/g, '\\$&')}"\n`;
}
