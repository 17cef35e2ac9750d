import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { NOT_FOUND, notStarted } from './not-started.ts';

export interface AttachOptions {
  readonly cwd?: string;
  /** Added to the environment of lablb. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Runs a program with lablb's own terminal and hands back its exit status (128 + n when signal n ended it). The
 * terminal sends Ctrl-C to both; other signals to lablb are passed on, and so is the abort of `signal`.
 */
export function attach(argv: readonly string[], options: AttachOptions = {}): Promise<number> {
  return new Promise((resolve) => {
    const [file, ...args] = argv;
    const env = { ...process.env, ...options.env };
    let child: ChildProcess | undefined;
    const passOn = (name: NodeJS.Signals): void => void child?.kill(name);
    const stop = (): void => passOn('SIGTERM');
    const interrupt = (): void => {
      if (!process.stdin.isTTY) passOn('SIGINT');
    };
    // Before there is a child: a signal in between would end lablb and leave the child behind.
    process.on('SIGINT', interrupt);
    for (const name of PASSED_ON) process.on(name, passOn);
    options.signal?.addEventListener('abort', stop);
    const done = (status: number): void => {
      process.off('SIGINT', interrupt);
      for (const name of PASSED_ON) process.off(name, passOn);
      options.signal?.removeEventListener('abort', stop);
      resolve(status);
    };
    const failed = (error: unknown): void => {
      const { code, message } = error as NodeJS.ErrnoException;
      const said = notStarted(file!, code) ?? { status: NOT_FOUND, message: `${file}: ${message}` };
      process.stderr.write(`${said.message}\n`);
      done(said.status);
    };
    try {
      child = spawn(file!, args, { cwd: options.cwd, env, stdio: 'inherit' });
    } catch (error) {
      return failed(error); // some refusals come at once
    }
    child.once('error', failed);
    child.once('exit', (status, name) => done(status ?? 128 + constants.signals[name!]));
  });
}

const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
