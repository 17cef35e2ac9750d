/**
 * `slowstart` (manual, section 5.2): a server that comes back gets a sixteenth of its share first, and more bit by bit.
 * Only policies with dynamic weights take notice (`shares`).
 */
import type { AlarmClock } from '../alarm.ts';
import type { Backend, Server } from '../model.ts';
import { WEIGHT_SCALE } from './weight.ts';

const STEPS = 20;
const SHORTEST_STEP_MS = 1000;

export function warmUpServers(backends: readonly Backend[], clock: AlarmClock): void {
  for (const backend of backends)
    for (const server of backend.servers)
      if (server.settings.slowstart) watch(server, server.settings.slowstart, clock);
}

function watch(server: Server, slowstart: number, clock: AlarmClock): void {
  let cancel = (): void => {};
  let wasDown = server.isDown;
  // First of all: the policy that hears of the change next reads how warm the server is.
  server.backend.watchers.unshift((changed) => {
    if (changed !== server || server.isDown === wasDown) return;
    wasDown = server.isDown;
    cancel();
    if (wasDown) return;
    const since = clock.now();
    server.warmth = 1;
    cancel = clock.after(step, () => warmUp(since));
  });
  const step = Math.max(SHORTEST_STEP_MS, slowstart / STEPS);

  function warmUp(since: number): void {
    const elapsed = clock.now() - since;
    server.warmth = Math.min(WEIGHT_SCALE, Math.floor((WEIGHT_SCALE * elapsed) / slowstart) + 1);
    if (server.warmth < WEIGHT_SCALE) cancel = clock.after(step, () => warmUp(since));
    server.backend.serverChanged(server, 'weight');
  }
}
