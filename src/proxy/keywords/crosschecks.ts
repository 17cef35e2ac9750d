/** What only shows once everything was read: references between sections, and settings that do not fit together. */
import type { ParseContext } from '../../config/language.ts';
import { didYouMean, type Place } from '../../errors.ts';
import type { Configuration, ProxySettings, ServerSettings } from '../settings.ts';
import { checkTls } from '../tls/check.ts';
import { BALANCE_ROWS } from './balance.ts';

export function checkConfiguration(configuration: Configuration, context: ParseContext): void {
  checkNames(configuration.proxies, context);
  const backends: Backends = new Map(
    configuration.proxies.filter(hasBackend).map((proxy) => [proxy.name, proxy]),
  );
  numberProxies(configuration, context);
  for (const proxy of configuration.proxies) {
    if (hasFrontend(proxy)) checkFrontend(proxy, backends, context);
    if (hasBackend(proxy)) checkBackend(proxy, backends, context);
    if (!proxy.disabled) checkTimeouts(proxy, context);
    checkMode(proxy, context);
  }
  checkTls(configuration, context);
}

type Backends = ReadonlyMap<string, ProxySettings>;

const hasFrontend = (proxy: ProxySettings) => proxy.kind !== 'backend';
const hasBackend = (proxy: ProxySettings) => proxy.kind !== 'frontend';

/** A frontend and a backend may share a name, as in HAProxy up to 3.2. */
function checkNames(proxies: readonly ProxySettings[], context: ParseContext): void {
  const known = new Map<string, ProxySettings[]>();
  for (const proxy of proxies) {
    const same = known.get(proxy.name) ?? [];
    const clash = same.find(
      (p) => (hasFrontend(p) && hasFrontend(proxy)) || (hasBackend(p) && hasBackend(proxy)),
    );
    if (clash !== undefined) {
      const first = `${clash.kind} '${clash.name}' of ${where(clash.place)}`;
      context.report('error', `${proxy.kind} '${proxy.name}' has the name of the ${first}`, proxy.place);
    }
    known.set(proxy.name, [...same, proxy]);
  }
}

/**
 * Numbers that `id` gave stay; the others follow in file order. As in HAProxy the runtime socket, where there is one,
 * is number 1. Servers count from 1.
 */
function numberProxies({ global, proxies }: Configuration, context: ParseContext): void {
  number(proxies, global.statsSockets.length > 0 ? 2 : 1, context);
  for (const proxy of proxies) number(proxy.servers, 1, context);
}

function number(
  items: readonly (ProxySettings | ServerSettings)[],
  first: number,
  context: ParseContext,
): void {
  const taken = new Map<number, ProxySettings | ServerSettings>();
  for (const item of items.filter((i) => i.id !== 0)) {
    const other = taken.get(item.id);
    if (other !== undefined) {
      context.report(
        'error',
        `'${item.name}' has the id ${item.id} of '${other.name}'`,
        item.place,
        'give each its own',
      );
    }
    taken.set(item.id, item);
  }
  let next = first;
  for (const item of items.filter((i) => i.id === 0)) {
    while (taken.has(next)) next++;
    item.id = next++;
  }
}

function checkFrontend(proxy: ProxySettings, backends: Backends, context: ParseContext): void {
  if (proxy.binds.length === 0 && !proxy.saysBind && !proxy.disabled) {
    const hint = proxy.kind === 'frontend' ? "add one, or make it a 'backend'" : undefined;
    if (proxy.kind === 'frontend')
      context.report('warning', `frontend '${proxy.name}' has no 'bind' line`, proxy.place, hint);
  }
  const names: { name: string; place: Place; said: string }[] = proxy.useBackends.flatMap((rule) =>
    typeof rule.name === 'string' ? [{ name: rule.name, place: rule.place, said: 'use_backend' }] : [],
  );
  if (proxy.defaultBackend !== undefined) {
    names.push({ name: proxy.defaultBackend, place: proxy.place, said: 'default_backend' });
  }
  for (const { name, place, said } of names) checkTarget(proxy, name, place, said, backends, context);
}

function checkTarget(
  proxy: ProxySettings,
  name: string,
  place: Place,
  said: string,
  backends: Backends,
  context: ParseContext,
): void {
  const target = backends.get(name);
  if (target === undefined) {
    const hint = didYouMean(name, backends.keys());
    const message = `${proxy.kind} '${proxy.name}': '${said}' names '${name}', and no backend has that name`;
    context.report('error', message, place, hint);
  } else if (proxy.mode === 'http' && target.mode === 'tcp') {
    const message = `${proxy.kind} '${proxy.name}' speaks HTTP and its backend '${name}' does not`;
    context.report('error', message, place, `say 'mode http' in '${name}'`);
  }
}

function checkBackend(proxy: ProxySettings, backends: Backends, context: ParseContext): void {
  const known = new Map<string, ServerSettings>();
  for (const server of proxy.servers) {
    const other = known.get(server.name);
    if (other !== undefined) {
      const message = `${proxy.kind} '${proxy.name}' has a second server '${server.name}', after the one of line ${other.place.line}`;
      context.report('error', message, server.place, 'give each its own name');
    } else known.set(server.name, server);
    checkServer(server, proxy, backends, context);
  }
  for (const { name, place } of proxy.useServers) {
    if (typeof name !== 'string' || known.has(name)) continue;
    context.report(
      'error',
      `no server '${name}' in ${proxy.kind} '${proxy.name}'`,
      place,
      didYouMean(name, known.keys()),
    );
  }
  const policy = BALANCE_ROWS.find((row) => row.keyword === proxy.balance.algorithm);
  if (policy?.http && proxy.mode === 'tcp') {
    const message = `'balance ${policy.keyword}' reads requests, and ${proxy.kind} '${proxy.name}' is in mode tcp: roundrobin instead`;
    context.report('warning', message, proxy.place, "say 'mode http'");
    proxy.balance = { algorithm: 'roundrobin', args: [] };
  }
}

function checkServer(
  server: ServerSettings,
  proxy: ProxySettings,
  backends: Backends,
  context: ParseContext,
): void {
  if (server.track !== undefined) {
    const [first, second] = server.track.split('/') as [string, string | undefined];
    const owner = second === undefined ? proxy : backends.get(first);
    const tracked = owner?.servers.find((s) => s.name === (second ?? first));
    if (tracked === undefined) context.report('error', `no server '${server.track}' to track`, server.place);
    else if (!tracked.check && tracked.track === undefined) {
      context.report(
        'error',
        `'${server.track}' is tracked, but its health is not checked`,
        server.place,
        "say 'check' there",
      );
    }
  }
  const tcp = server.endpoint.kind === 'tcp' && server.port === undefined;
  const stepPort = proxy.check.tcpSteps.some((step) => step.kind === 'connect' && step.port !== undefined);
  if (server.check && tcp && server.checkPort === undefined && !stepPort) {
    context.report(
      'error',
      `server '${server.name}' has no port to check`,
      server.place,
      "write it behind the address, or 'port <port>'",
    );
  }
}

function checkTimeouts(proxy: ProxySettings, context: ParseContext): void {
  const missing: string[] = [];
  if (hasFrontend(proxy) && !proxy.timeouts.client && proxy.binds.length > 0) missing.push('client');
  if (hasBackend(proxy) && proxy.servers.length > 0) {
    if (!proxy.timeouts.connect) missing.push('connect');
    if (!proxy.timeouts.server) missing.push('server');
  }
  if (missing.length === 0) return;
  const lines = missing.map((name) => `'timeout ${name}'`).join(', ');
  const message = `${proxy.kind} '${proxy.name}' has no ${lines}: what waits for a silent peer waits for ever`;
  context.report('warning', message, proxy.place, "set them in 'defaults'");
}

/** What HAProxy reads over in mode tcp, and says so. */
function checkMode(proxy: ProxySettings, context: ParseContext): void {
  if (proxy.mode === 'http') return;
  if (proxy.options.log === 'http' || proxy.options.log === 'http-clf' || proxy.options.log === 'https') {
    if (hasFrontend(proxy)) {
      const message = `'option httplog' needs mode http: ${proxy.kind} '${proxy.name}' logs in the TCP format`;
      context.report('warning', message, proxy.place);
    }
    proxy.options.log = 'tcp';
  }
  if (proxy.forwardFor !== undefined) {
    const message = `'option forwardfor' has no effect in ${proxy.kind} '${proxy.name}': it needs mode http`;
    context.report('warning', message, proxy.place);
    proxy.forwardFor = undefined;
  }
}

function where(place: Place): string {
  return `${place.file}:${place.line}`;
}
