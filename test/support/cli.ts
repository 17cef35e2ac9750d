import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { which } from './needs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const LABLB = join(ROOT, 'bin', 'run.js');

/** The engine for end-to-end tests: ours when it is built, else a real HAProxy, which takes the same flags. */
export function testEngine(): string | undefined {
  const ours = join(ROOT, 'build', 'lablb-proxy');
  return existsSync(ours) ? ours : which('haproxy');
}

export interface Said {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** lablb as a user has it: the real executable, in a folder and with a state of its own. */
export class Sandbox {
  /** Added to the environment, above the sandbox's own. */
  readonly env: Record<string, string>;
  #folder?: string;
  readonly #running = new Set<ChildProcess>();

  constructor(env: Record<string, string> = {}) {
    this.env = { LABLB_ENGINE: testEngine() ?? '', NO_COLOR: '1', ...env };
  }

  /** Made when it is first needed: a suite that is skipped leaves nothing behind. */
  get folder(): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'lablb-e2e-'));
    return this.#folder;
  }

  get state(): string {
    return join(this.folder, 'state');
  }

  /** What lablb runs with beside the environment of the tests. */
  get environment(): Record<string, string> {
    return { XDG_STATE_HOME: this.state, ...this.env };
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Runs `lablb …` to its end. */
  async lablb(...args: string[]): Promise<Said> {
    return this.start(...args).ended;
  }

  /** Starts `lablb …`; the caller decides how it ends. */
  start(...args: string[]): { child: ChildProcess; ended: Promise<Said> } {
    const child = spawn(process.execPath, [LABLB, ...args], {
      cwd: this.folder,
      env: { ...process.env, ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const ended = new Promise<Said>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) =>
        resolve({ status: status ?? signal ?? 'unknown', stdout, stderr }),
      );
    });
    return { child, ended };
  }

  /** Ends what a failed test left running; takes every lab down that may be left, and the folder. */
  async close(...labs: string[]): Promise<void> {
    for (const child of this.#running) child.kill('SIGTERM');
    for (const name of labs) await this.lablb('down', '--name', name);
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
  }
}
