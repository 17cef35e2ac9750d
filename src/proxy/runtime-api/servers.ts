/** Commands that change or tell the state of servers. */
import { isIP } from 'node:net';
import { FORCED_HEALTH } from '../health/counter.ts';
import { shutdownSessions } from '../health/followers.ts';
import type { AdminState, Server } from '../model.ts';
import { type CommandContext, type CommandRow, findServer, refuse } from './command.ts';

/** What follows `set server <backend>/<server>`. */
type ServerAspect = (server: Server, args: readonly string[], context: CommandContext) => string;

const ADMIN_STATES: readonly string[] = ['ready', 'drain', 'maint'] satisfies AdminState[];

const NO_AGENT = 'agent checks are not enabled on this server';
const noAgent: ServerAspect = () => refuse(`${NO_AGENT}.\n`);
/** HAProxy ends this one differently. */
const noAgentAddress: ServerAspect = () => refuse(NO_AGENT);

const ASPECTS: Readonly<Record<string, ServerAspect>> = {
  addr: setAddress,
  agent: noAgent,
  'agent-addr': noAgentAddress,
  'agent-port': noAgentAddress,
  'agent-send': noAgent,
  'check-addr'(server, [address, word, port]) {
    if (address === undefined || isIP(address) === 0) refuse(`Invalid addr '${address ?? ''}'\n`);
    requireChecks(server);
    if (word === 'port') server.check.port = parsePort(port);
    server.check.address = address;
    return '';
  },
  'check-port'(server, [port]) {
    const value = parsePort(port);
    requireChecks(server);
    server.check.port = value;
    return '';
  },
  fqdn: () => refuse('set server <b>/<s> fqdn failed because no resolution is configured.\n'),
  health(server, [state]) {
    if (state === undefined || !Object.hasOwn(FORCED_HEALTH, state))
      refuse("'set server <srv> health' expects 'up', 'stopping', or 'down'.\n");
    if (server.settings.track !== undefined) refuse('cannot change health on a tracking server.\n');
    FORCED_HEALTH[state as keyof typeof FORCED_HEALTH](server);
    return '';
  },
  ssl: () => refuse("'set server <srv> ssl' cannot be set.  default-server should define ssl settings\n"),
  state(server, [state]) {
    if (state === undefined || !ADMIN_STATES.includes(state))
      refuse("'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n");
    server.setAdmin(state as AdminState);
    return '';
  },
  weight: setWeight,
};

const USAGE = `usage: set server <backend>/<server> ${Object.keys(ASPECTS).join(' | ')}\n`;

export const SERVER_COMMANDS: readonly CommandRow[] = [
  {
    keyword: 'set server',
    usage: 'set server <bk>/<srv> [opts]',
    doc: "change a server's state, weight or address",
    level: 'admin',
    run([name, aspect, ...args], context) {
      const server = findServer(context.proxy, name);
      if (aspect === undefined || !Object.hasOwn(ASPECTS, aspect)) refuse(USAGE);
      return ASPECTS[aspect]!(server, args, context);
    },
  },
  {
    keyword: 'set weight',
    usage: 'set weight <bk>/<srv>  (DEPRECATED)',
    doc: "change a server's weight (use 'set server' instead)",
    level: 'admin',
    run: ([name, ...args], { proxy }) => setWeight(findServer(proxy, name), args),
  },
  {
    keyword: 'get weight',
    usage: 'get weight <bk>/<srv>',
    doc: "report a server's current weight",
    run([name], { proxy }) {
      const server = findServer(proxy, name);
      return `${server.weight} (initial ${server.settings.weight})\n`;
    },
  },
  {
    keyword: 'disable server',
    usage: 'disable server (DEPRECATED)',
    doc: "disable a server for maintenance (use 'set server' instead)",
    level: 'admin',
    run: ([name], { proxy }) => done(findServer(proxy, name).setAdmin('maint')),
  },
  {
    keyword: 'enable server',
    usage: 'enable server  (DEPRECATED)',
    doc: "enable a disabled server (use 'set server' instead)",
    level: 'admin',
    run: ([name], { proxy }) => done(findServer(proxy, name).setAdmin('ready')),
  },
  {
    keyword: 'disable health',
    doc: 'disable health checks',
    level: 'admin',
    run: ([name], { proxy }) => done((findServer(proxy, name).check.enabled = false)),
  },
  {
    keyword: 'enable health',
    doc: 'enable health checks',
    level: 'admin',
    run([name], { proxy }) {
      const server = findServer(proxy, name);
      if (!server.settings.check) refuse('Health check was not configured on this server, cannot enable.\n');
      server.check.enabled = true;
      return '';
    },
  },
  {
    keyword: 'disable agent',
    doc: 'disable agent checks',
    level: 'admin',
    run: ([name], { proxy }) => done(findServer(proxy, name)),
  },
  {
    keyword: 'enable agent',
    doc: 'enable agent checks',
    level: 'admin',
    run([name], { proxy }) {
      findServer(proxy, name);
      return refuse('Agent was not configured on this server, cannot enable.\n');
    },
  },
  {
    keyword: 'set maxconn server',
    usage: 'set maxconn server <bk>/<srv>',
    doc: "change a server's maxconn setting",
    level: 'admin',
    run([name, value], { proxy }) {
      const server = findServer(proxy, name);
      if (value === undefined) refuse('Require <maxconn>.\n');
      const maxconn = leadingInteger(value, 'maxconn');
      if (maxconn < 0) refuse('Value out of range.\n');
      server.setMaxconn(maxconn === 0 ? undefined : maxconn);
      return '';
    },
  },
  {
    keyword: 'shutdown sessions server',
    usage: 'shutdown sessions server <bk>/<srv>',
    doc: 'kill sessions on a server',
    level: 'admin',
    run([name], { proxy }) {
      const server = findServer(proxy, name);
      return done(shutdownSessions(proxy, (each) => each === server));
    },
  },
];

const BY = " by 'stats socket command'\n";

function setAddress(server: Server, [address, word, portText]: readonly string[]): string {
  if (address === undefined) refuse('set server <b>/<s> addr requires an address and optionally a port.\n');
  if (isIP(address) === 0) refuse(`Invalid addr '${address}'${BY}`);
  const { address: oldAddress, port: oldPort } = server;
  const port = word === 'port' ? parsePort(portText) : oldPort;
  const said = [
    address === oldAddress
      ? 'no need to change the addr'
      : `IP changed from '${oldAddress ?? ''}' to '${address}'`,
  ];
  if (word === 'port')
    said.push(
      port === oldPort ? 'no need to change the port' : `port changed from '${oldPort}' to '${port}'`,
    );
  server.setAddress(address, port);
  return said.join(', ') + BY;
}

const MAX_WEIGHT = 256;

function setWeight(server: Server, [text]: readonly string[]): string {
  if (text === undefined) refuse('Require <weight> or <weight%>.\n');
  const relative = text.endsWith('%');
  const value = leadingInteger(relative ? text.slice(0, -1) : text, 'weight', 'Empty weight string empty');
  if (relative && value < 0) refuse('Relative weight must be positive.\n');
  if (!relative && (value < 0 || value > MAX_WEIGHT))
    refuse('Absolute weight can only be between 0 and 256 inclusive.\n');
  const initial = server.settings.weight;
  const weight = relative ? Math.min(MAX_WEIGHT, Math.trunc((initial * value) / 100)) : value;
  if (isStatic(server) && weight !== 0 && weight !== initial)
    refuse("Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.\n");
  server.setWeight(weight);
  return '';
}

const HASHES = new Set(['source', 'uri', 'url_param', 'hdr', 'rdp-cookie', 'hash']);

/** Algorithms whose weights are fixed when they are laid out (configuration manual, `balance`). */
function isStatic({ backend }: Server): boolean {
  const { balance, hashType } = backend.settings;
  const name = balance.algorithm.replace(/\(.*$/, '');
  return name === 'static-rr' || (HASHES.has(name) && hashType?.method !== 'consistent');
}

function leadingInteger(text: string, what: string, empty = `${what} string empty`): number {
  const found = /^\s*[+-]?\d+/.exec(text)?.[0];
  if (found === undefined) refuse(`${empty} or preceded by garbage`);
  if (found.length !== text.length) refuse(`Trailing garbage in ${what} string`);
  return Number(found);
}

function parsePort(text: string | undefined): number {
  if (text === undefined || !/^\d+$/.test(text)) refuse('provided port is not an integer');
  const port = Number(text);
  if (port > 65_535) refuse('provided port is not valid');
  return port;
}

function requireChecks(server: Server): void {
  if (!server.settings.check) refuse('health checks are not enabled on this server');
}

/** The answer of a command that has nothing to say. */
function done(_result: unknown): string {
  return '';
}
