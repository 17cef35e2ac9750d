import { accessSync, constants, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EXIT, LabError } from '../errors.ts';
import { inWords } from '../system-error.ts';

/** Looks, before the work is done, whether its result can be written where a flag says. @throws LabError `usage`. */
export function canWrite(path: string, flag: string): void {
  const problem = problemWith(path);
  if (problem === undefined) return;
  throw new LabError(`${flag}: ${problem}`, { code: 'usage', exit: EXIT.refused });
}

/** @throws the system's own error, with the file in it. */
export function writeOutput(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw Object.assign(error as Error, { path }); // a write that fails names no file
  }
}

/** Nothing is made for it: what is interrupted leaves no empty file. */
function problemWith(path: string): string | undefined {
  if (path === '') return 'the name of the file is empty';
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) return `${path} is a folder; what is the file to be called?`;
    accessSync(there ? path : dirname(path), constants.W_OK);
    return undefined;
  } catch (error) {
    return inWords(Object.assign(error as Error, { path }));
  }
}
