import type { Backend, Frontend, LiveProxy, Server } from '../model.ts';
import type { StatsSocket } from '../settings.ts';

export type Level = StatsSocket['level'];

/** One connection to the runtime socket. */
export interface Session {
  /** What it may do; `user` and `operator` lower it. */
  level: Level;
  /** `prompt` was given: more lines follow. */
  interactive: boolean;
  /** `quit` was given. */
  over: boolean;
  /** Idle milliseconds after which it is ended; undefined: the socket's own. */
  timeout: number | undefined;
}

export interface CommandContext {
  readonly session: Session;
  readonly proxy: LiveProxy;
  readonly nowMs: number;
}

/** One command of the runtime socket (management manual, section 9.3). */
export interface CommandRow {
  /** The words that name it: `set server`. */
  readonly keyword: string;
  /** As `help` shows it, if more than the keyword. */
  readonly usage?: string;
  readonly doc: string;
  /** Who may use it; everyone unless said. */
  readonly level?: Exclude<Level, 'user'>;
  /** Answers the words after the keyword. The session adds a newline to whatever comes back, as HAProxy does. */
  run(args: readonly string[], context: CommandContext): string;
}

/** Thrown by `run`: the answer, HAProxy's text with or without a newline at its end. */
export class CommandError extends Error {}

export function refuse(text: string): never {
  throw new CommandError(text);
}

/** `web/a` → the server; refuses as HAProxy does. */
export function findServer(proxy: LiveProxy, name: string | undefined): Server {
  const [backendName, serverName] = name?.split('/') ?? [];
  if (serverName === undefined || backendName === undefined || serverName === '')
    refuse("Require 'backend/server'.\n");
  const server = findBackend(proxy, backendName, 'No such backend.\n').servers.find(
    (each) => each.name === serverName || `#${each.settings.id}` === serverName,
  );
  return server ?? refuse('No such server.\n');
}

export function findBackend(proxy: LiveProxy, name: string, refusal: string): Backend {
  const found = proxy.backends.find((each) => each.name === name || `#${each.settings.id}` === name);
  return found ?? refuse(refusal);
}

export function findFrontend(proxy: LiveProxy, name: string | undefined): Frontend {
  if (name === undefined) refuse('A frontend name is expected.\n');
  const found = proxy.frontends.find((each) => each.name === name || `#${each.settings.id}` === name);
  return found ?? refuse('No such frontend.\n');
}
