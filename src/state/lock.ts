import { linkSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LabError } from '../errors.ts';
import { identify, isAlive, type ProcessIdentity } from '../shell/processes.ts';
import { inWords } from '../system-error.ts';
import { makeFolder } from './folder.ts';

interface Holder extends ProcessIdentity {
  /** What holds it: "up", "down" … */
  readonly doing: string;
}

/**
 * Holds a lock file while `action` runs, so that two commands do not change one lab at once. The lock of a
 * process that is dead (or of an earlier boot) is taken over.
 *
 * @throws LabError `lab.locked` while another process holds it.
 */
export function withLock<T>(path: string, doing: string, action: () => Promise<T>): Promise<T> {
  return holding(path, doing, action, () => false);
}

/** The same for what makes room: where the disk has none for a lock, it goes on without, if no other is held. */
export function withLockIfRoom<T>(path: string, doing: string, action: () => Promise<T>): Promise<T> {
  return holding(path, doing, action, isFull);
}

async function holding<T>(
  path: string,
  doing: string,
  action: () => Promise<T>,
  bearable: (error: unknown) => boolean,
): Promise<T> {
  const mine = JSON.stringify({ ...identify(process.pid)!, doing } satisfies Holder);
  try {
    acquire(path, mine);
  } catch (error) {
    if (!bearable(error)) throw error;
    refuseRival(path);
  }
  try {
    return await action();
  } finally {
    // `down` may have taken the folder, and the lock with it.
    if (read(path) === mine) rmSync(path, { force: true });
    removeIfEmpty(dirname(path));
  }
}

/** The last one out takes the folder along. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Other labs have their locks there, or a rival was quicker.
  }
}

/** @throws LabError `state.folder`. */
function makeStateFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new LabError(
      `the folder where lablb remembers its labs cannot be made: ${inWords(cause as Error)}`,
      {
        code: 'state.folder',
        hints: ['XDG_STATE_HOME=FOLDER lablb …   (a folder that you may write to)'],
        cause,
      },
    );
  }
}

const ATTEMPTS = 10;

function acquire(path: string, mine: string): void {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    makeStateFolder(dirname(path)); // whoever released the last lock took it away
    if (create(path, mine)) return;
    const found = read(path);
    if (found === undefined) continue; // released this moment
    const holder = parse(found);
    if (holder && isAlive(holder)) throw locked(path, holder);
    removeStale(path, found);
  }
  throw new LabError(`cannot take the lock ${path}`, { code: 'lab.locked', hints: [`rm ${path}`] });
}

/** Somebody holds it; or the folder was taken away this moment. */
const AGAIN = new Set(['EEXIST', 'ENOENT']);

/** Makes the lock with its content in one step: a link either comes to be whole or is refused. */
function create(path: string, content: string): boolean {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, content, { mode: 0o600 });
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (AGAIN.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw Object.assign(error as Error, { path });
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves the dead holder's lock away; if a rival was quicker and it is a living one's, puts it back. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    if (read(aside) !== stale) linkSync(aside, path);
  } catch {
    // a rival moved it first
  } finally {
    rmSync(aside, { force: true });
  }
}

function isFull(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  return code === 'ENOSPC' || code === 'EDQUOT' || (cause !== undefined && isFull(cause));
}

/** @throws LabError `lab.locked` while another process holds the lock. */
function refuseRival(path: string): void {
  const holder = parse(read(path) ?? '');
  if (holder && isAlive(holder)) throw locked(path, holder);
}

function locked(path: string, holder: Holder): LabError {
  return new LabError(`another lablb is at work on this lab: \`${holder.doing}\`, pid ${holder.pid}`, {
    code: 'lab.locked',
    hints: ['wait until it is done', `lablb status   (the lock is ${path})`],
  });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}
