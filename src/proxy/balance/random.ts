/** `balance random`: the less loaded of some servers drawn at random, by weight (the power of two random choices). */
import type { Backend, Server } from '../model.ts';
import type { Policy } from './policy.ts';
import { Ring } from './ring.ts';

const DRAWS = 2;

export function random(backend: Backend, _env?: unknown, draw: () => number = drawHash): Policy {
  const ring = new Ring(backend);
  const draws = Number(backend.settings.balance.args[0] ?? DRAWS);
  return {
    pick(_tx, full) {
      let best: Server | undefined;
      for (let i = 0; i < draws; i++) {
        const drawn = ring.nearestFree(draw(), full);
        if (drawn === undefined) return undefined;
        if (best === undefined || isLessLoaded(drawn, best)) best = drawn;
      }
      return best;
    },
    serverChanged: () => ring.rebuild(),
  };
}

function drawHash(): number {
  return Math.floor(Math.random() * 0x1_0000_0000);
}

/** Or equally loaded: the later draw wins. */
function isLessLoaded(a: Server, b: Server): boolean {
  return a.counters.scur * b.weight <= b.counters.scur * a.weight;
}
