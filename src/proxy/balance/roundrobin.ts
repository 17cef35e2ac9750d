/**
 * `balance roundrobin`: each server in turn, as often as its weight says, spread as evenly as can be. Every server has
 * a position on a line; the one that is furthest behind is next and moves on by the inverse of its weight.
 */
import type { Backend } from '../model.ts';
import type { Policy } from './policy.ts';

export function roundRobin(backend: Backend): Policy {
  let servers = backend.usable;
  let positions = servers.map(() => 0);

  return {
    pick(_tx, full) {
      let best = -1;
      for (let i = 0; i < servers.length; i++) {
        if ((best < 0 || positions[i]! < positions[best]!) && !full(servers[i]!)) best = i;
      }
      if (best < 0) return undefined;
      const server = servers[best]!;
      positions[best] = positions[best]! + 1 / server.weight;
      return server;
    },
    serverChanged() {
      const before = new Map(servers.map((server, i) => [server, positions[i]!]));
      servers = backend.usable;
      // Who comes back starts where the others stand, not where it left off.
      const front = Math.min(...servers.map((server) => before.get(server) ?? Infinity));
      const base = Number.isFinite(front) ? front : 0;
      positions = servers.map((server) => Math.max(before.get(server) ?? base, base) - base);
    },
  };
}
