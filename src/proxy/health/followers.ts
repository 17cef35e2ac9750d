/** What follows from a server's change of state: servers that track it, and sessions that do not outlive it. */
import type { LiveProxy, Server, ServerWatcher } from '../model.ts';

/** `track`: the server stands as the tracked one does. Returns the functions that end it. */
export function followTracks(proxy: LiveProxy): (() => void)[] {
  return allServers(proxy).flatMap((server) => {
    const tracked = findTracked(server, proxy);
    if (tracked === undefined) return [];
    const follow = (): void => {
      if (tracked.stopping) server.setStopping();
      else server.setUp(!tracked.isDown);
    };
    follow();
    return [watch(tracked, follow)];
  });
}

/** `on-marked-down shutdown-sessions` and `on-marked-up shutdown-backup-sessions`. */
export function watchMarks(proxy: LiveProxy): (() => void)[] {
  return allServers(proxy).flatMap((server) => {
    const { onMarkedDown, onMarkedUp } = server.settings;
    const ends: (() => void)[] = [];
    if (onMarkedDown !== undefined)
      ends.push(
        watch(server, (_, change) => change === 'down' && shutdownSessions(proxy, (s) => s === server)),
      );
    if (onMarkedUp !== undefined)
      ends.push(
        watch(
          server,
          (_, change) =>
            change === 'up' &&
            shutdownSessions(proxy, (s) => s.backend === server.backend && s.settings.backup),
        ),
      );
    return ends;
  });
}

/** Ends every session that is on such a server; returns how many. */
export function shutdownSessions(proxy: LiveProxy, on: (server: Server) => boolean): number {
  const doomed = [...proxy.sessions()].filter(({ server }) => server !== undefined && on(server));
  for (const session of doomed) session.shutdown();
  return doomed.length;
}

function watch(server: Server, run: (...args: Parameters<ServerWatcher>) => unknown): () => void {
  const { watchers } = server.backend;
  const watcher: ServerWatcher = (changed, change) => {
    if (changed === server) run(changed, change);
  };
  watchers.push(watcher);
  return () => {
    watchers.splice(watchers.indexOf(watcher), 1);
  };
}

function findTracked(server: Server, proxy: LiveProxy): Server | undefined {
  const { track } = server.settings;
  if (track === undefined) return undefined;
  const [first, second] = track.split('/');
  const backend = second === undefined ? server.backend : proxy.backends.find((b) => b.name === first);
  return backend?.servers.find((each) => each.name === (second ?? first));
}

function allServers(proxy: LiveProxy): Server[] {
  return proxy.backends.flatMap((backend) => backend.servers);
}
