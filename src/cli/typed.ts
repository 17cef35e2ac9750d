import { resolve } from 'node:path';
import { nearPath } from '../text.ts';
import { meantIn } from './here.ts';

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
    return lab.file === undefined ? command : command.replace(' up', ` up ${nearPath(lab.file, cwd)}`);
  });
}

/** Whether a command without a name means this lab there. `up` means a file. */
function isMeantIn(folder: string, { name, file }: Meant, isUp: boolean): boolean {
  const { files, labs } = meantIn(folder);
  if (files.length === 1) return resolve(folder, files[0]!) === file;
  return !isUp && labs.length === 1 && labs[0]!.name === name;
}
