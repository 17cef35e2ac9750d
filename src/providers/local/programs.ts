import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, LabError } from '../../errors.ts';
import { sha256 } from '../../plan/hash.ts';
import { enginePath } from '../../shell/engine.ts';
import type { EngineName } from '../../topology/topology.ts';
import type { Program, Programs } from '../provider.ts';

/** The programs that services of local nodes run, on this machine. */
export const localPrograms: Programs = {
  engine: (name) => executable(ENGINES[name]()),
  webServer: () => ownScript('./web-server.js'),
  dnsServer: () => ownScript('./dns-server.js'),
};

function ownScript(name: string): Program {
  const script = fileURLToPath(new URL(name, import.meta.url));
  return { argv: [process.execPath, script], build: sha256(readFileSync(script)).slice(0, 16) };
}

const ENGINES: Readonly<Record<EngineName, () => string>> = {
  lablb: () => enginePath(),
  haproxy: findHaproxy,
};

/** `haproxy` on the PATH, or where Debian and the others put it, which is on root's PATH only. */
function findHaproxy(): string {
  const found = findProgram('haproxy');
  if (found) return found;
  throw new LabError('haproxy is not on the PATH', {
    code: 'engine.missing',
    exit: EXIT.missing,
    hints: ['apt-get install haproxy   (or dnf, brew …)', 'engine: lablb   in the topology'],
  });
}

/** The path of a program, looked for on the PATH and in the system's administration folders. */
export function findProgram(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'].filter(
    Boolean,
  );
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** An executable is too big to hash at each look; its size and time say enough. */
function executable(path: string): Program {
  const { size, mtimeMs } = statSync(path);
  return { argv: [path], build: `${size}-${Math.floor(mtimeMs)}` };
}
