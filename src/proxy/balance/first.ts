/** `balance first`: the server with the lowest number (`id`) that has room. Weights do not matter. */
import type { Backend, Server } from '../model.ts';
import type { Policy } from './policy.ts';

export function first(backend: Backend): Policy {
  let servers: Server[] = [];
  serverChanged();
  return { pick, serverChanged };

  function pick(_tx: unknown, full: (server: Server) => boolean): Server | undefined {
    for (const server of servers) if (!full(server)) return server;
    return undefined;
  }

  function serverChanged(): void {
    servers = backend.usable.toSorted((a, b) => a.settings.id - b.settings.id);
  }
}
