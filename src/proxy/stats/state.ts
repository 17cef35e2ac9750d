/** States and limits as the statistics tell them. */
import { stateText } from '../health/counter.ts';
import type { Backend, Counters, Frontend, Server } from '../model.ts';
import type { BindSettings, Endpoint } from '../settings.ts';

/** `UP`, `UP 1/3`, `DOWN`, `NOLB`, `DRAIN`, `MAINT`, `MAINT (via web/a)`, `no check`. */
export function serverStatus(server: Server): string {
  const { track, check } = server.settings;
  if (server.admin !== 'maint' && server.address === undefined && server.settings.endpoint.kind !== 'unix')
    return 'MAINT (resolution)';
  if (track !== undefined && !check && !server.up) return `DOWN (via ${track})`;
  return stateText(server);
}

/** `FULL` at the limit of its `bind` line; a frontend that is paused leaves its listeners `OPEN`, as in HAProxy. */
export function listenerState({ bind, counters }: { bind: BindSettings; counters: Counters }): string {
  return bind.maxconn !== undefined && counters.scur >= bind.maxconn ? 'FULL' : 'OPEN';
}

/** Servers that take new requests; `counting` are those whose weights make up the backend's. */
export function usableServers(backend: Backend): { active: Server[]; backup: Server[]; counting: Server[] } {
  const usable = backend.servers.filter((server) => server.usable);
  return {
    active: usable.filter((server) => !server.settings.backup),
    backup: usable.filter((server) => server.settings.backup),
    counting: backend.usable,
  };
}

/** `fullconn`, or a tenth of what all frontends that lead there may bring (configuration manual, `fullconn`). */
export function fullconn(backend: Backend, frontends: readonly Frontend[]): number {
  if (backend.settings.fullconn !== undefined) return backend.settings.fullconn;
  const leading = frontends.filter(
    ({ settings }) =>
      settings === backend.settings ||
      settings.defaultBackend === backend.name ||
      settings.useBackends?.some((use) => use.name === backend.name),
  );
  return Math.ceil(leading.reduce((sum, frontend) => sum + frontend.initialMaxconn, 0) / 10);
}

export function endpointText(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`;
  if (endpoint.kind === 'fd') return `fd@${endpoint.fd}`;
  return endpoint.host.includes(':')
    ? `[${endpoint.host}]:${endpoint.port}`
    : `${endpoint.host}:${endpoint.port}`;
}
