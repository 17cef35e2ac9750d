import { dirname, resolve as resolvePath } from 'node:path';
import type { Diagnostic } from '../errors.ts';
import { checkTogether } from './checks.ts';
import { finding, type Refuse } from './diagnose.ts';
import { checkFitsProvider } from './fits-provider.ts';
import { type Placed, placeNodes, unclearNodes } from './nodes.ts';
import type { Settings } from './schema.ts';
import type { Source } from './source.ts';
import type { Balancer, DnsSettings, LogSettings, Site, TlsSettings, Topology } from './topology.ts';

export interface Resolved {
  readonly topology: Topology;
  /** What the schema alone cannot see: names, servers and ports that do not go together. */
  readonly diagnostics: readonly Diagnostic[];
  /** What the provider leaves undone. */
  readonly warnings: readonly Diagnostic[];
  /** Key of `nodes` that a node came from. */
  readonly keys: ReadonlyMap<string, string>;
}

/**
 * Settings → Topology: counts expanded, the proxy implied, every default that depends on something else filled in,
 * every name looked up. `config` is the text of the user's own haproxy.cfg, when `settings` names one.
 */
export function resolve(
  settings: Settings,
  source: Source,
  lab: { file: string; name: string; config?: string },
): Resolved {
  const diagnostics: Diagnostic[] = [];
  const refuse: Refuse = (path, message, hint, part) => {
    diagnostics.push(finding(source, path, message, hint, part));
  };

  const warnings: Diagnostic[] = [];
  const warn: Refuse = (path, message, hint, part) => {
    warnings.push({ ...finding(source, path, message, hint, part), severity: 'warning' });
  };

  const unclear = unclearNodes(settings, source);
  const placed = placeNodes(settings, unclear, refuse);
  const topology: Topology = {
    name: lab.name,
    file: lab.file,
    provider: settings.provider,
    nodes: placed.map(({ node }) => node),
    balancer: balancerOf(settings, placed, lab),
    dns: dnsOf(settings.dns),
    lxd: settings.lxd,
    ssh: settings.ssh,
  };

  checkTogether(settings, topology, { placed, unclear }, source, refuse);
  checkFitsProvider(settings, source, { refuse, warn });
  return {
    topology,
    diagnostics,
    warnings,
    keys: new Map(placed.flatMap(({ node, key }) => (key === undefined ? [] : [[node.name, key]]))),
  };
}

function balancerOf(
  settings: Settings,
  placed: readonly Placed[],
  lab: { file: string; config?: string },
): Balancer {
  const { balance, port, sites, check, stats, errorPages, log, forwardFor } = settings.balancer;
  const file = settings.balancer.config;
  return {
    balance,
    port,
    sites: sitesOf(sites, placed),
    check,
    stats: stats && { ...stats, refresh: Math.ceil(stats.refresh / 1000) },
    tls: tlsOf(settings, lab.file),
    static: settings.balancer.static,
    forwardFor,
    errorPages,
    log: logOf(log),
    config:
      file === undefined ? undefined : { file, text: lab.config ?? '', template: file.endsWith('.hbs') },
  };
}

function tlsOf({ balancer: { tls } }: Settings, file: string): TlsSettings | undefined {
  if (!tls) return undefined;
  const { certificate, key, authority, ...settings } = tls;
  const beside = (path: string | undefined) => path && resolvePath(dirname(file), path);
  const given = certificate && {
    certificate: beside(certificate)!,
    key: beside(key),
    authority: beside(authority),
  };
  return { ...settings, given: given || undefined };
}

function dnsOf({ ttl, forward }: Settings['dns']): DnsSettings {
  return { ttl: Math.ceil(ttl / 1000), forward: forward === false ? [] : forward };
}

/**
 * Ids are first labels; whole names where two sites share a first label or something else has that name; with a
 * number where even those are alike.
 */
function sitesOf(sites: Settings['balancer']['sites'], placed: readonly Placed[]): Site[] {
  const first = (host: string): string => host.split('.')[0]!.toLowerCase();
  const firsts = Object.keys(sites).map(first);
  const taken = new Set(placed.map(({ node }) => node.name));
  return Object.entries(sites).map(([host, { servers, aliases, balance }]) => {
    const short = first(host);
    const whole = host.toLowerCase().replaceAll('.', '-');
    let id = firsts.filter((other) => other === short).length === 1 ? short : whole;
    for (let n = 1; taken.has(id); n++) id = n === 1 ? whole : `${whole}-${n}`;
    taken.add(id);
    return { id, host: host.toLowerCase(), aliases, balance, servers };
  });
}

function logOf({ file, rsyslog, udp }: Settings['balancer']['log']): LogSettings {
  if (rsyslog) return { via: 'rsyslog-socket', file: rsyslog };
  if (typeof udp === 'string') return { via: 'rsyslog-udp', file: udp };
  if (udp) return { via: 'rsyslog-udp', file: udp.access, info: udp.info };
  return { via: 'file', file: file ?? '/var/log/haproxy.log' };
}
