import type { Server } from '../model.ts';
import type { CheckResult } from './statuses.ts';

/**
 * Moves a server's health by the result of one check, as HAProxy counts: a server that is up stands in
 * [rise, rise + fall − 1]; a failure takes one off and below `rise` all; a success adds one and from `rise` on
 * all (configuration manual, `rise` and `fall`). Returns whether it moved.
 */
export function countResult(server: Server, result: CheckResult): boolean {
  const { rise } = server.settings;
  const before = server.health;
  if (result === 'failed' && before > 0) {
    server.check.failures++;
    server.health = before - 1 < rise ? 0 : before - 1;
  } else if (result === 'passed' || result === 'conditional') {
    server.check.consecutiveErrors = 0;
    if (before < fullHealth(server)) server.health = before + 1 >= rise ? fullHealth(server) : before + 1;
  }
  return server.health !== before;
}

/** Health of a server whose last checks all passed. */
export function fullHealth(server: Server): number {
  return server.settings.rise + server.settings.fall - 1;
}

/** Milliseconds to the next check: `inter` when all is well, `downinter` when down, `fastinter` in between. */
export function interval(server: Server): number {
  const { inter, fastInter, downInter } = server.settings;
  if (server.health === fullHealth(server)) return inter;
  return server.health === 0 && !server.up ? (downInter ?? inter) : (fastInter ?? inter);
}

/** How the statistics call the state of a server: `UP`, `UP 1/3`, `DOWN 1/2`, `NOLB`, `DRAIN`, `MAINT`, `no check`. */
export function stateText(server: Server): string {
  if (server.admin === 'maint') return 'MAINT';
  const { rise, fall, track } = server.settings;
  const checked = server.check.enabled;
  const position = checked && server.health < fullHealth(server);
  if (!server.up) return checked && server.health > 0 ? `DOWN ${server.health}/${rise}` : 'DOWN';
  const name = server.stopping ? 'NOLB' : server.admin === 'drain' ? 'DRAIN' : 'UP';
  if (position) return `${name} ${server.health - rise + 1}/${fall}`;
  return checked || track !== undefined || name !== 'UP' ? name : 'no check';
}

/** What an administrator can make of a server's health, over what its checks said; they go on from there. */
export const FORCED_HEALTH: Readonly<Record<'up' | 'stopping' | 'down', (server: Server) => void>> = {
  up(server) {
    server.health = fullHealth(server);
    server.setUp(true);
  },
  stopping(server) {
    server.health = fullHealth(server);
    server.setStopping();
  },
  down(server) {
    server.health = 0;
    server.setUp(false);
  },
};
