import { readdirSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { allRecords } from '../state/record.ts';
import { isTopologyName } from '../topology/load.ts';

/** The lab that a command is about. */
export interface Meant {
  readonly name: string;
  /** Absolute path of its topology. */
  readonly file?: string;
}

/** A command of lablb's about a lab, in a text: to its end, which is not just any word. */
const COMMAND =
  /\blablb (?:(up)|down|status|test|stats|(?:logs|exec) [\w@.-]+|heal(?: [\w@.-]+)?)(?: (?:--?[a-z][a-z-]*|[A-Z]{2,}))*(?= {2,}|$|[`);,\x1b\n]| ·)/g;

/**
 * A text as it is right in this folder: where `lablb up` would mean another lab than this one, or none, the commands in
 * it name the lab.
 */
export function typedHere(text: string, lab: Meant, cwd = process.cwd()): string {
  return text.replaceAll(COMMAND, (command: string, up?: string) => {
    if (isMeantIn(cwd, lab, up !== undefined)) return command;
    if (!up) return `${command} --name ${lab.name}`;
    return lab.file === undefined ? command : command.replace(' up', ` up ${nearest(cwd, lab.file)}`);
  });
}

/** Whether a command without a name means this lab there. */
function isMeantIn(cwd: string, { name, file }: Meant, byFile: boolean): boolean {
  const here = readdirSync(cwd).filter(isTopologyName);
  if (here.length === 1 || byFile) return here.length === 1 && resolve(cwd, here[0]!) === file;
  const records = allRecords();
  const meant = here.length === 0 ? records : records.filter((one) => one.file && dirname(one.file) === cwd);
  return meant.length === 1 && meant[0]!.name === name;
}

function nearest(cwd: string, file: string): string {
  const near = relative(cwd, file);
  return near.startsWith('..') ? file : near;
}
