import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

const LABLB = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const DEADLINE_MS = 60_000;

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder to run in, and a state folder of its own, so that no lab of this machine is seen or touched. */
export function workspace(): {
  folder: () => string;
  lablb: (args: readonly string[], env?: object) => Promise<Ran>;
} {
  let made: string | undefined;
  const folder = (): string => {
    made ??= mkdtempSync(join(tmpdir(), 'lablb-cli-'));
    return made;
  };
  afterEach(() => {
    if (made) rmSync(made, { recursive: true, force: true });
    made = undefined;
  });
  return { folder, lablb: (args, env = {}) => run(args, folder(), env) };
}

function run(args: readonly string[], cwd: string, env: object): Promise<Ran> {
  const child = spawn(process.execPath, [LABLB, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, XDG_STATE_HOME: join(cwd, '.state'), NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: DEADLINE_MS,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}
