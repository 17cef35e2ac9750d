/** What a proxy says about itself in its logs: started and stopped, servers up and down, checks (manual, section 8). */

import type { Connection, HandshakeEnd } from '../sockets/transport.ts';
import type { CheckEvent } from './health/checks.ts';
import { stateText } from './health/counter.ts';
import { hasCode, STATUSES } from './health/statuses.ts';
import { localDate } from './logs/dates.ts';
import { makeMessenger } from './logs/logger.ts';
import {
  changedFromCli,
  countUsable,
  frontendPaused,
  frontendResumed,
  handshakeRefused,
  type Message,
  noServerAvailable,
  proxyStarted,
  proxyStopped,
  serverDown,
  serverFromDrain,
  serverFromMaintenance,
  serverStopping,
  serverToDrain,
  serverToMaintenance,
  serverUp,
} from './logs/messages.ts';
import type { LogOutputs } from './logs/output.ts';
import type { Backend, LiveProxy, Server, ServerChange } from './model.ts';
import type { ProxySettings } from './settings.ts';

export interface Announcer {
  started(): void;
  stopped(): void;
  /** For `startChecks`. */
  checked(event: CheckEvent): void;
  /** A client did not come through its handshake. `openedAt`: milliseconds of the wall clock. */
  refused(
    settings: ProxySettings,
    listener: string,
    client: Connection,
    how: HandshakeEnd,
    openedAt: number,
  ): void;
  /** SIGHUP: every server as it stands. */
  states(): void;
}

export function announcer(proxy: LiveProxy, outputs: LogOutputs): Announcer {
  const messengers = new Map<string, (level: number, text: string) => void>();
  const say = (settings: ProxySettings, { level, text }: Message): void => {
    let send = messengers.get(settings.name);
    if (send === undefined) {
      send = makeMessenger(settings, proxy.configuration, outputs);
      messengers.set(settings.name, send);
    }
    send(level, text);
  };
  const enabled = proxy.configuration.proxies.filter(({ disabled }) => !disabled);
  for (const frontend of proxy.frontends)
    frontend.watchers.push(({ state, name, settings }) => {
      if (state === 'PAUSED') say(settings, frontendPaused(name));
      else if (state === 'OPEN') say(settings, frontendResumed(name));
    });
  for (const backend of proxy.backends) watchBackend(backend, (message) => say(backend.settings, message));

  return {
    started() {
      for (const settings of enabled) say(settings, proxyStarted(settings.name));
    },
    stopped() {
      for (const settings of enabled) {
        const front = proxy.frontends.find(({ name }) => name === settings.name)?.counters.connTot ?? 0;
        const back = proxy.backends.find(({ name }) => name === settings.name)?.counters.stot ?? 0;
        say(settings, proxyStopped(settings.name, front, back));
      }
    },
    checked(event) {
      const { server } = event;
      const { settings } = server.backend;
      if (event.kind !== 'check') say(settings, changeByCheck(event));
      else if (settings.options.logHealthChecks) say(settings, checkResult(event));
    },
    refused(settings, listener, client, how, openedAt) {
      const { dontlognull, logSeparateErrors } = settings.options;
      if (dontlognull && how === 'closed') return;
      const at = date.withMilliseconds(openedAt);
      const from = `${client.remoteAddress}:${client.remotePort}`;
      const { level, text } = handshakeRefused(from, at, `${settings.name}/${listener}`, how);
      say(settings, { level: logSeparateErrors ? ERR : level, text });
    },
    states() {
      for (const { servers, settings } of proxy.backends)
        for (const server of servers) say(settings, currentState(server));
    },
  };
}

const date = localDate();

const ALERT = 1;
const ERR = 3;
const WARNING = 4;
const NOTICE = 5;

/** Changes by the administrator, and the moment a backend is left without servers. */
function watchBackend(backend: Backend, say: (message: Message) => void): void {
  let hadServers = backend.up;
  let admins = new Map(backend.servers.map((server) => [server, server.admin]));
  backend.watchers.push((server, change) => {
    const before = admins.get(server);
    const message = changeByAdministrator(server, change, before);
    if (message !== undefined) say(message);
    admins = admins.set(server, server.admin);
    const hasServers = backend.up;
    if (hadServers && !hasServers && backend.servers.length > 0)
      // After the line that says which server went.
      queueMicrotask(() => say(noServerAvailable(backend.name)));
    hadServers = hasServers;
  });
}

function changeByAdministrator(
  server: Server,
  change: ServerChange,
  before: string | undefined,
): Message | undefined {
  const left = countUsable(server.backend);
  if (change === 'maint') return serverToMaintenance(server, left);
  if (change === 'drain') return serverToDrain(server, left);
  if (change !== 'ready') return undefined;
  return before === 'drain' ? serverFromDrain(server) : serverFromMaintenance(server);
}

function changeByCheck(event: CheckEvent): Message {
  const { server, kind } = event;
  const left = countUsable(server.backend);
  if (event.status === '') return changedFromCli(server, kind === 'up', left);
  const reason = reasonOf(event);
  if (kind === 'down') return serverDown(server, reason, left);
  return kind === 'up' ? serverUp(server, reason, left) : serverStopping(server, reason, left);
}

/** `option log-health-checks` (manual): each outcome that differs from the one before. */
function checkResult(event: CheckEvent): Message {
  const { server, result } = event;
  const outcome =
    result === 'passed' ? 'succeeded' : result === 'failed' ? 'failed' : 'conditionally succeeded';
  const name = `${server.backend.name}/${server.name}`;
  const text = `Health check for server ${name} ${outcome}, reason: ${reasonOf(event)}, status: ${position(server)}.`;
  return { level: server.up ? NOTICE : WARNING, text };
}

/** `3/3 UP`, `0/2 DOWN`. */
function position(server: Server): string {
  const { rise, fall } = server.settings;
  return server.up ? `${server.health - rise + 1}/${fall} UP` : `${server.health}/${rise} DOWN`;
}

function reasonOf({ status, description, code, info, duration }: CheckEvent): string {
  return [
    description || (STATUSES.get(status)?.description ?? status),
    ...(hasCode(status) && code > 0 ? [`code: ${code}`] : []),
    ...(info === '' ? [] : [`info: "${info}"`]),
    ...(duration >= 0 ? [`check duration: ${Math.round(duration)}ms`] : []),
  ].join(', ');
}

function currentState(server: Server): Message {
  const { qcur, scur, stot } = server.counters;
  const text = `Server ${server.backend.name}/${server.name} is ${stateText(server)}. Conn: ${scur} act, ${qcur} pend, ${stot} tot.`;
  return { level: server.isDown ? ALERT : NOTICE, text };
}
