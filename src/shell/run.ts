import { LabError } from '../errors.ts';
import { NOT_FOUND, notStarted } from './not-started.ts';

export { NOT_FOUND };

export interface RunOptions {
  readonly input?: string;
  /** Milliseconds until it is ended; 30 s unless said. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Added to the environment of lablb. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface RunResult {
  readonly exitStatus: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** From SIGTERM to SIGKILL. */
const KILL_AFTER_MS = 1000;

/**
 * Runs a program with arguments, never through a shell; standard input is closed unless `input` is given.
 * A non-zero status is a result; a program that is not there is status 127, as a shell has it.
 *
 * @throws LabError `command.timeout` after the deadline; the reason of `signal` when it is aborted.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { execa } = await import('execa'); // not needed by most commands, and slow to load
  const [file, ...args] = argv;
  const timeout = options.timeoutMs ?? 30_000;
  const child = execa(file!, args, {
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    env: options.env,
    cwd: options.cwd,
    timeout,
    cancelSignal: options.signal,
    reject: false,
    stripFinalNewline: false,
    maxBuffer: 64 * 1024 * 1024,
    forceKillAfterDelay: KILL_AFTER_MS,
  });
  // A child of its own that outlives it may hold its pipes open: the deadline holds all the same.
  const letGo = (): void => {
    for (const pipe of [child.stdout, child.stderr]) pipe?.destroy();
  };
  const timer = timeout > 0 ? setTimeout(letGo, timeout + KILL_AFTER_MS + 200) : undefined;
  const result = await child.finally(() => clearTimeout(timer));
  if (options.signal?.aborted) throw options.signal.reason;
  if (result.timedOut) {
    throw new LabError(`no answer within ${timeout / 1000} s`, {
      code: 'command.timeout',
      command: argv,
      stderr: result.stderr,
    });
  }
  const { exitCode, stdout, stderr } = result;
  if (exitCode !== undefined) return { exitStatus: exitCode, stdout, stderr };
  const refused = notStarted(file!, result.code);
  return {
    exitStatus: refused?.status ?? (result.signal === 'SIGKILL' ? 137 : 143),
    stdout: stdout ?? '', // nothing at all where the start was refused at once
    stderr: stderr || (refused?.message ?? result.shortMessage ?? ''),
  };
}
