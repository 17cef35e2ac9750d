import { dirname } from 'node:path';
import { quote } from './text.ts';

/** What the operating system refused, in words: no call names, no errno. */

/** An error of a call to the system: its code, and mostly the file that it was about. */
export type SystemError = NodeJS.ErrnoException & { readonly code: string };

export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'syscall' in error && typeof (error as SystemError).code === 'string';
}

interface Meaning {
  readonly is: string;
  /** What to try, about the folder that the file is in. */
  readonly hint?: (folder: string) => string;
}

/** What the operating system says by a code → the same in words. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOENT: { is: 'there is no such file or folder' },
  ENOTDIR: { is: 'a part of its path is a file, not a folder' },
  EISDIR: { is: 'it is a folder, not a file' },
  EEXIST: { is: 'it is there already' },
  ENOTEMPTY: { is: 'it is not empty' },
  EACCES: { is: 'you may not do that to it', hint: (folder) => `ls -la ${folder}` },
  EPERM: { is: 'you may not do that to it', hint: (folder) => `ls -la ${folder}` },
  EROFS: { is: 'its file system is read-only' },
  ENOSPC: { is: 'its disk is full', hint: (folder) => `df -h ${folder}   (make room, then once more)` },
  EDQUOT: { is: 'your share of its disk is used up', hint: () => 'make room, then once more' },
  EIO: { is: 'its disk does not work as it should' },
  EFBIG: { is: 'it would be larger than it may be' },
  EMFILE: { is: 'too many files are open (ulimit -n)' },
  ENFILE: { is: 'too many files are open on this machine' },
  ENAMETOOLONG: { is: 'its name is too long' },
  ELOOP: { is: 'its links lead in a circle' },
  EBUSY: { is: 'it is in use' },
  ETXTBSY: { is: 'it runs, so it cannot be written' },
};

/** What the operating system refused, as a clause: `/etc/hosts: you may not do that to it`. */
export function inWords(error: NodeJS.ErrnoException): string {
  const meaning = MEANINGS[error.code ?? ''];
  if (meaning === undefined) return error.message;
  const what = error.path ?? (error.syscall === 'write' ? 'a file cannot be written' : error.syscall);
  return `${what || "''"}: ${meaning.is}`;
}

export function systemHints({ code, path }: NodeJS.ErrnoException): string[] {
  const hint = MEANINGS[code ?? '']?.hint?.(path ? quote(dirname(path)) : '.');
  return hint ? [hint] : [];
}
