import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve as resolvePath } from 'node:path';
import { EXIT, LabError } from '../errors.ts';
import type { ParseOptions } from './parse.ts';
import type { Topology } from './topology.ts';

/**
 * Reads and checks a topology file, and the haproxy.cfg that it names.
 *
 * @throws ConfigError with every finding at once.
 * @throws LabError `topology.unreadable`.
 */
export async function loadTopology(
  file: string,
  options: Pick<ParseOptions, 'env' | 'provider' | 'warn'> = {},
): Promise<Topology> {
  const { parseTopology } = await import('./parse.ts'); // not needed to find a file, and slow to load
  return parseTopology(await readTopologyText(file), {
    env: process.env,
    ...options,
    file,
    readFile: readOrNothing,
  });
}

/** @throws LabError `topology.unreadable`. */
export async function readTopologyText(file: string): Promise<string> {
  try {
    return readText(file);
  } catch (cause) {
    throw new LabError(`cannot read ${file}: ${reason(cause)}`, {
      code: 'topology.unreadable',
      exit: EXIT.refused,
      hints: ['lablb init   (writes a topology to start from)'],
      cause,
    });
  }
}

/** The text of a file, or undefined when there is none that can be read. */
export function readOrNothing(path: string): string | undefined {
  try {
    return readText(path);
  } catch {
    return undefined;
  }
}

/** More than any topology or haproxy.cfg of a lab. */
const MAX_BYTES = 4 * 1024 * 1024;

/** A file or a pipe, never a device: /dev/zero has no end. */
function readText(path: string): string {
  const stats = statSync(path);
  if (stats.isDirectory()) throw new Error('it is a folder');
  if (!stats.isFile() && !stats.isFIFO()) throw new Error('it is not a file');
  if (stats.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES / 1024 / 1024} MiB`);
  const text = readFileSync(path, 'utf8');
  // Bytes that are no text would go to the terminal as they are, in a complaint about their first line.
  if (text.includes('\0')) throw new Error('it is not a text file');
  return text;
}

/**
 * The topology that a command means when it names none: the single `*.lab.yaml`, `topology.yaml` (or `.yml`) of
 * the folder.
 *
 * @throws LabError `topology.none` or `topology.several`.
 */
export async function findTopology(cwd: string): Promise<string> {
  const names = topologiesIn(cwd);
  const [only, ...others] = names;
  if (only === undefined) {
    throw new LabError(`no topology in ${resolvePath(cwd)}`, {
      code: 'topology.none',
      exit: EXIT.refused,
      hints: ['lablb init', 'lablb up FILE   (a folder’s own is called *.lab.yaml or topology.yaml)'],
    });
  }
  if (others.length > 0) {
    throw new LabError(`several topologies here: ${names.join(', ')}`, {
      code: 'topology.several',
      exit: EXIT.refused,
      hints: ['name the one that is meant'],
    });
  }
  return join(cwd, only);
}

/** Names of the files of a folder that are called as topologies are. */
export function topologiesIn(folder: string): string[] {
  return readdirSync(folder).filter(isTopologyName).sort();
}

/** Whether a file is called as topologies are. */
export function isTopologyName(file: string): boolean {
  return /(?:^topology|.\.lab)\.ya?ml$/.test(basename(file));
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'there is no such file' : (code ?? message);
}
