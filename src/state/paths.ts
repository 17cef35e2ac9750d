import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where lablb remembers: `$XDG_STATE_HOME/lablb` (XDG Base Directory: a relative value is ignored). */
export function stateHome(env: NodeJS.ProcessEnv = process.env): string {
  const xdg = env.XDG_STATE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), '.local', 'state'), 'lablb');
}

export function labFolder(lab: string, env?: NodeJS.ProcessEnv): string {
  return join(stateHome(env), lab);
}
