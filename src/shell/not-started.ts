/** A program that did not start, as a shell tells it and with a shell's status. */
export interface NotStarted {
  readonly status: number;
  readonly message: string;
}

/** What a shell answers when there is no such program, or no right to run it. */
export const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

const REASONS: Readonly<Record<string, readonly [reason: string, status: number]>> = {
  ENOENT: ['No such file or directory', NOT_FOUND],
  ENOTDIR: ['Not a directory', NOT_EXECUTABLE],
  EACCES: ['Permission denied', NOT_EXECUTABLE],
  EPERM: ['Operation not permitted', NOT_EXECUTABLE],
  E2BIG: ['Argument list too long', NOT_EXECUTABLE],
  ELOOP: ['Too many levels of symbolic links', NOT_EXECUTABLE],
  ENAMETOOLONG: ['File name too long', NOT_EXECUTABLE],
};

/** `nosuch: command not found`; undefined for a code that is not about the start of a program. */
export function notStarted(program: string, code: string | undefined): NotStarted | undefined {
  // An empty name is nobody's, and Node does not even ask the system.
  if (program === '' || (code === 'ENOENT' && !program.includes('/')))
    return { status: NOT_FOUND, message: `${program || "''"}: command not found` };
  const [reason, status] = REASONS[code ?? ''] ?? [];
  return reason && status ? { status, message: `${program}: ${reason}` } : undefined;
}
