import { accessSync, appendFileSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Whether a command is on this machine. When it is not, says so once on standard error (a skip carries its reason), and
 * with LABLB_TEST_ALL=1, where everything must run, throws instead.
 *
 * Use: `describe.skipIf(!needs('haproxy'))('…', …)`
 */
export function needs(command: string): boolean {
  if (which(command)) return true;
  const reason = `${command} is not installed`;
  if (process.env.LABLB_TEST_ALL === '1')
    throw new Error(`${reason}, and LABLB_TEST_ALL=1 lets nothing be skipped`);
  if (!told.has(command)) tellSkipped(reason);
  told.add(command);
  return false;
}

/** Full path of a command, looked for in PATH and in the folders of system commands, which PATH may lack. */
export function which(command: string): string | undefined {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
    .map((folder) => join(folder, command))
    .find(isExecutable);
}

const told = new Set<string>();

/** On standard error, and where `npm test` collects the reasons for its last lines. */
export function tellSkipped(reason: string): void {
  console.warn(`skipped: ${reason}`);
  if (process.env.LABLB_SKIPS_FILE) appendFileSync(process.env.LABLB_SKIPS_FILE, `${reason}\n`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
