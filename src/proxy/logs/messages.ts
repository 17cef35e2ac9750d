/** Messages about proxies and servers, word for word as HAProxy logs them, with their levels. */
import type { HandshakeEnd } from '../../sockets/transport.ts';
import type { Backend, Server } from '../model.ts';

export interface Message {
  /** 0 emerg … 7 debug. */
  readonly level: number;
  readonly text: string;
}

const INFO = 6;
const EMERG = 0;
const ALERT = 1;
const WARNING = 4;
const NOTICE = 5;

/** How many servers a backend has left to work with. */
export interface Left {
  readonly active: number;
  readonly backup: number;
}

export function countUsable(backend: Backend): Left {
  let active = 0;
  let backup = 0;
  for (const server of backend.servers) {
    if (!server.usable) continue;
    if (server.settings.backup) backup++;
    else active++;
  }
  return { active, backup };
}

export function proxyStarted(name: string): Message {
  return { level: NOTICE, text: `Proxy ${name} started.` };
}

export function proxyStopped(name: string, frontendConnections: number, backendConnections: number): Message {
  const text = `Proxy ${name} stopped (cumulated conns: FE: ${frontendConnections}, BE: ${backendConnections}).`;
  return { level: WARNING, text };
}

export function frontendPaused(name: string): Message {
  return { level: WARNING, text: `Paused frontend ${name}.` };
}

export function frontendResumed(name: string): Message {
  return { level: WARNING, text: `Resumed frontend ${name}.` };
}

/** `reason` is what the check says: `Layer4 connection problem, info: "…", check duration: 0ms`. */
export function serverDown(server: Server, reason: string, left: Left): Message {
  return {
    level: ALERT,
    text: `Server ${path(server)} is DOWN${because(reason)}. ${remaining(left, server)}`,
  };
}

export function serverUp(server: Server, reason: string, left: Left): Message {
  return { level: NOTICE, text: `Server ${path(server)} is UP${because(reason)}. ${online(left)}` };
}

/** A client that did not come through its handshake (manual, section 8.2.5). */
export function handshakeRefused(client: string, at: string, listener: string, how: HandshakeEnd): Message {
  return { level: INFO, text: `${client} [${at}] ${listener}: ${REFUSALS[how]}` };
}

const REFUSALS: Readonly<Record<HandshakeEnd, string>> = {
  failed: 'SSL handshake failure',
  closed: 'Connection closed during SSL handshake',
  timeout: 'Timeout during SSL handshake',
};

/** Takes no new sessions, those bound to it aside (404 with `disable-on-404`). */
export function serverStopping(server: Server, reason: string, left: Left): Message {
  return { level: NOTICE, text: `Server ${path(server)} is stopping${because(reason)}. ${online(left)}` };
}

export function changedFromCli(server: Server, isUp: boolean, left: Left): Message {
  return isUp
    ? { level: NOTICE, text: `Server ${path(server)} is UP, changed from CLI. ${online(left)}` }
    : { level: ALERT, text: `Server ${path(server)} is DOWN, changed from CLI. ${remaining(left, server)}` };
}

export function serverToMaintenance(server: Server, left: Left): Message {
  return {
    level: ALERT,
    text: `Server ${path(server)} is going DOWN for maintenance. ${remaining(left, server)}`,
  };
}

/** It is up until its checks say otherwise. */
export function serverFromMaintenance(server: Server): Message {
  return { level: NOTICE, text: `Server ${path(server)} is UP/READY (leaving forced maintenance).` };
}

export function serverToDrain(server: Server, left: Left): Message {
  return { level: NOTICE, text: `Server ${path(server)} enters drain state. ${online(left)}` };
}

export function serverFromDrain(server: Server): Message {
  return {
    level: NOTICE,
    text: `Server ${path(server)} is ${server.up ? 'UP' : 'DOWN'} (leaving forced drain).`,
  };
}

export function noServerAvailable(backend: string): Message {
  return { level: EMERG, text: `backend ${backend} has no server available!` };
}

function path(server: Server): string {
  return `${server.backend.name}/${server.name}`;
}

function because(reason: string): string {
  return reason === '' ? '' : `, reason: ${reason}`;
}

/** This engine does not move queued requests when a server goes: they find another by themselves. */
function remaining({ active, backup }: Left, server: Server): string {
  const { scur } = server.counters;
  return `${active} active and ${backup} backup servers left.${onBackup(active, backup)} ${scur} sessions active, 0 requeued, 0 remaining in queue.`;
}

function online({ active, backup }: Left): string {
  return `${active} active and ${backup} backup servers online.${onBackup(active, backup)} 0 sessions requeued, 0 total in queue.`;
}

function onBackup(active: number, backup: number): string {
  return active === 0 && backup > 0 ? ' Running on backup.' : '';
}
