/** What the scripts share. Node built-ins only: they run on a fresh clone. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Runs a program in the project's folder and shows what it says; with `quiet` only when it fails. */
export async function run(file, args, { quiet = false, env } = {}) {
  const status = await tryRun(file, args, { quiet, env });
  if (status !== 0) throw new Error(`${[file.split('/').at(-1), ...args].join(' ')}: exit status ${status}`);
}

/** The same, as an exit status. */
export function tryRun(file, args, { quiet = false, env } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'];
    const child = spawn(file, args, { cwd: root, stdio, env: { ...process.env, ...env } });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => said.push(chunk));
    child.once('error', reject);
    child.once('close', (status, signal) => {
      if (quiet && status !== 0 && status !== 130 && signal === null)
        process.stderr.write(Buffer.concat(said));
      resolve(status ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}

/** What a program says on standard output. */
export function capture(file, args) {
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd: root }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}

/** `npm ci`, when there is no node_modules or it is older than the lock file. */
export async function installIfNeeded() {
  const time = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs;
  const installed = time('node_modules/.package-lock.json');
  const locked = time('package-lock.json');
  if (installed !== undefined && (locked === undefined || locked <= installed)) return;
  process.stdout.write('installing what is missing (npm ci)\n');
  // npm may be a script or a .cmd: let the npm that runs us say where it is.
  const npm = process.env.npm_execpath;
  const [file, args] =
    npm && existsSync(npm) && npm.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  await run(file, [...args, 'ci', '--no-audit', '--no-fund'], { quiet: true });
}
