/**
 * `balance leastconn`: the server with the fewest connections for its weight. Among equals whoever waited longest goes
 * first, so that idle servers are used in turn.
 */
import type { Backend, Server } from '../model.ts';
import type { Policy } from './policy.ts';
import { MAX_SHARES, shares } from './weight.ts';

interface Place {
  readonly server: Server;
  load: number;
  /** When it came to this load, in turns. */
  since: number;
}

export function leastConnections(backend: Backend): Policy {
  const places = new Map<Server, Place>();
  let usable: Place[] = [];
  let turns = 0;
  serverChanged();
  return { pick, serverChanged, loadChanged };

  function pick(_tx: unknown, full: (server: Server) => boolean): Server | undefined {
    let best: Place | undefined;
    for (const place of usable) {
      if (best !== undefined && !isBefore(place, best)) continue;
      if (!full(place.server)) best = place;
    }
    return best?.server;
  }

  function loadChanged(server: Server): void {
    const place = places.get(server);
    if (place === undefined) return;
    const load = loadOf(server);
    if (load === place.load) return;
    place.load = load;
    place.since = ++turns;
  }

  /** Who comes back stands behind those that are as loaded. */
  function serverChanged(): void {
    const before = new Map(places);
    places.clear();
    for (const server of backend.usable)
      places.set(server, before.get(server) ?? { server, load: loadOf(server), since: ++turns });
    usable = [...places.values()];
    for (const { server } of usable) loadChanged(server);
  }
}

/** Connections by weight, the coming one counted too; an idle server is idle whatever its weight. */
function loadOf(server: Server): number {
  const { scur, qcur } = server.counters;
  const load = scur + qcur;
  return load === 0 ? 0 : Math.floor(((load + 1) * MAX_SHARES) / (shares(server) || 1));
}

function isBefore(a: Place, b: Place): boolean {
  return a.load < b.load || (a.load === b.load && a.since < b.since);
}
