/**
 * The table behind `static-rr` and `hash-type map-based`: every usable server stands in it as often as its weight
 * says, spread evenly, in HAProxy's order. A hash finds its slot by the remainder of a division, so that most slots
 * change hands when a server comes or goes.
 */
import type { Backend, Server } from '../model.ts';

export class SlotTable {
  readonly #backend: Backend;
  /** Weights are divided by what they have in common: that keeps the table short. */
  readonly #unit: number;
  #slots: Server[] = [];
  #next = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.#unit = commonDivisor(backend.servers.map((server) => server.settings.weight));
    this.rebuild();
  }

  rebuild(): void {
    const servers = this.#backend.usable;
    this.#slots = spread(
      servers,
      servers.map((server) => Math.ceil(server.weight / this.#unit)),
    );
  }

  /** `hash` is an unsigned 32-bit number. */
  at(hash: number): Server | undefined {
    return this.#slots[hash % this.#slots.length];
  }

  next(full: (server: Server) => boolean): Server | undefined {
    const { length } = this.#slots;
    for (let tries = 0; tries < length; tries++) {
      // Only now: the table may have grown since the last turn.
      if (this.#next >= length) this.#next = 0;
      const server = this.#slots[this.#next++]!;
      if (!full(server)) return server;
    }
    return undefined;
  }
}

/** Each slot goes to the first of those who are owed the most whole turns. */
function spread(servers: readonly Server[], weights: readonly number[]): Server[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const owed = weights.map(() => 0);
  return Array.from({ length: total }, () => {
    let best = 0;
    let most = 0;
    for (let i = 0; i < servers.length; i++) {
      owed[i] = owed[i]! + weights[i]!;
      const turns = Math.floor((owed[i]! + total) / total);
      if (turns > most) {
        most = turns;
        best = i;
      }
    }
    owed[best] = owed[best]! - total;
    return servers[best]!;
  });
}

function commonDivisor(weights: readonly number[]): number {
  return weights.reduce(gcd, 0) || 1;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
