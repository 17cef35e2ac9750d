import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { NOT_FOUND } from './run.ts';

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
    const passOn = (name: NodeJS.Signals): void => void child.kill(name);
    const stop = (): void => passOn('SIGTERM');
    const interrupt = (): void => {
      if (!process.stdin.isTTY) passOn('SIGINT');
    };
    // Before there is a child: a signal in between would end lablb and leave the child behind.
    process.on('SIGINT', interrupt);
    for (const name of PASSED_ON) process.on(name, passOn);
    const child = spawn(file!, args, { cwd: options.cwd, env, stdio: 'inherit' });
    options.signal?.addEventListener('abort', stop);
    const done = (status: number): void => {
      process.off('SIGINT', interrupt);
      for (const name of PASSED_ON) process.off(name, passOn);
      options.signal?.removeEventListener('abort', stop);
      resolve(status);
    };
    child.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      const missing = code === 'ENOENT';
      const why = missing ? 'there is no such program' : code === 'EACCES' ? 'it cannot be run' : message;
      process.stderr.write(`${file}: ${why}\n`);
      done(missing ? NOT_FOUND : NOT_RUN);
    });
    child.once('exit', (status, name) => done(status ?? 128 + constants.signals[name!]));
  });
}

const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** As shells have it: it is there and cannot be run. */
const NOT_RUN = 126;
