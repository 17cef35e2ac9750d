/** States and limits as the statistics tell them. */
import { stateText } from '../health/counter.ts';
import type { Backend, Frontend, Server } from '../model.ts';
import type { Endpoint } from '../settings.ts';

/** `UP`, `UP 1/3`, `DOWN`, `NOLB`, `DRAIN`, `MAINT`, `MAINT (via web/a)`, `no check`. */
export function serverStatus(server: Server): string {
  const { track, check } = server.settings;
  if (server.admin !== 'maint' && server.address === undefined && server.settings.endpoint.kind !== 'unix')
    return 'MAINT (resolution)';
  if (track !== undefined && !check && !server.up) return `DOWN (via ${track})`;
  return stateText(server);
}

/** A listener as its frontend makes it: it has no state of its own. */
export function listenerState(frontend: Frontend): string {
  const { scur } = frontend.counters;
  if (frontend.state !== 'OPEN') return 'WAITING';
  return frontend.maxconn > 0 && scur >= frontend.maxconn ? 'FULL' : 'OPEN';
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
  return Math.ceil(leading.reduce((sum, frontend) => sum + frontend.maxconn, 0) / 10);
}

export function endpointText(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`;
  if (endpoint.kind === 'fd') return `fd@${endpoint.fd}`;
  return endpoint.host.includes(':')
    ? `[${endpoint.host}]:${endpoint.port}`
    : `${endpoint.host}:${endpoint.port}`;
}
