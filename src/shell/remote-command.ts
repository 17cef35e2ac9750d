import { LabError } from '../errors.ts';

export interface RemoteCommandOptions {
  /** Run as root by sudo, which may ask nothing. */
  readonly sudo?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** The other side ends it after so long, should nobody here be left to do so. */
  readonly timeoutMs?: number;
}

/**
 * An argv as the one line that an SSH server hands to the user's shell. The only place where such a line is made:
 * every word is quoted, whatever it holds.
 *
 * @throws LabError `ssh.argument` for what no command line can carry: no words, a NUL, a name unfit for a variable.
 */
export function remoteCommand(argv: readonly string[], options: RemoteCommandOptions = {}): string {
  const env = Object.entries(options.env ?? {}).map(([name, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw unfit(`'${name}' cannot be the name of a variable`);
    return `${name}=${value}`;
  });
  if (argv.length === 0) throw unfit('there is no command');
  const seconds = options.timeoutMs ? String(Math.ceil(options.timeoutMs / 1000) + GRACE_S) : undefined;
  const words = [
    ...(options.sudo ? ['sudo', '-n', '--'] : []),
    ...(seconds ? ['timeout', '-k', '1', seconds] : []),
    ...(env.length > 0 ? ['env', ...env] : []),
    ...argv,
  ];
  return words.map(quotePosix).join(' ');
}

/** A word for a POSIX shell (XCU 2.2.2, single quotes): nothing in it means anything. @throws LabError on a NUL. */
export function quotePosix(word: string): string {
  if (word.includes('\0')) throw unfit('an argument holds a NUL');
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** The deadline here comes first: it has the better message. */
const GRACE_S = 3;

function unfit(message: string): LabError {
  return new LabError(message, { code: 'ssh.argument' });
}
