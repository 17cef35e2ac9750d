import { type Diagnostic, didYouMean } from '../errors.ts';
import { finding, renderPath } from './diagnose.ts';
import { HOST_NAME, NODE_NAME, type NodeSettings, ROLES, type Settings } from './schema.ts';
import type { Path, Source } from './source.ts';
import type { Balancer, LogSettings, Role, Site, Topology, TopologyNode } from './topology.ts';

/** A node, and the key of `nodes` that it came from (undefined for one that is implied). */
interface Placed {
  readonly node: TopologyNode;
  readonly key: string | undefined;
}

/** Settings that only nodes of one role can have. */
const KEYS_OF_ROLE: Readonly<Record<string, Role>> = {
  server: 'web',
  title: 'web',
  port: 'web',
  engine: 'proxy',
  publish: 'proxy',
};
const MAX_NODES = 250;
const PROXY = 'proxyha';

export interface Resolved {
  readonly topology: Topology;
  /** What the schema alone cannot see: names, servers and ports that do not go together. */
  readonly diagnostics: readonly Diagnostic[];
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
  const refuse = (path: Path, message: string, hint?: string, part?: 'key' | 'value'): void => {
    diagnostics.push(finding(source, path, message, hint, part));
  };

  const placed = placeNodes(settings, refuse);
  const topology: Topology = {
    name: lab.name,
    file: lab.file,
    provider: settings.provider,
    nodes: placed.map(({ node }) => node),
    balancer: balancerOf(settings, placed, lab.config),
    lxd: settings.lxd,
    ssh: settings.ssh,
  };

  checkNames(placed, refuse);
  checkAddresses(settings, placed, refuse);
  checkSites(settings, source, placed, refuse);
  checkBalancer(settings, source, refuse);
  checkPorts(topology, placed, source, refuse);
  return {
    topology,
    diagnostics,
    keys: new Map(placed.flatMap(({ node, key }) => (key === undefined ? [] : [[node.name, key]]))),
  };
}

type Refuse = (path: Path, message: string, hint?: string, part?: 'key' | 'value') => void;

// ---------------------------------------------------------------------------------------------- nodes

function placeNodes(settings: Settings, refuse: Refuse): Placed[] {
  const placed: Placed[] = [];
  let webs = 0;
  for (const [key, node] of Object.entries(settings.nodes)) {
    if (!NODE_NAME.test(key)) {
      refuse(
        ['nodes', key],
        `'${key}' is unfit for a host`,
        'lower-case letters, digits and dashes, a letter first',
        'key',
      );
    }
    const role = roleOf(key, node, refuse);
    for (const [setting, owner] of Object.entries(KEYS_OF_ROLE)) {
      if (role !== owner && node[setting as keyof NodeSettings] !== undefined) {
        refuse(
          ['nodes', key, setting],
          `belongs to a ${owner} node; '${key}' is a ${role} node`,
          undefined,
          'key',
        );
      }
    }
    for (let n = 1; n <= (node.count ?? 1) && placed.length <= MAX_NODES; n++) {
      const name = node.count === undefined ? key : `${key}${n}`;
      if (role === 'web') webs++;
      placed.push({ node: nodeOf(name, role, n, webs, node, settings), key });
    }
  }
  if (placed.length > MAX_NODES) refuse(['nodes'], `more than ${MAX_NODES} nodes`, undefined, 'key');
  if (!placed.some(({ node }) => node.role === 'web')) {
    refuse(['nodes'], 'there is no web node', "for example 'web: {count: 2}'", 'key');
  }
  if (!placed.some(({ node }) => node.role === 'proxy')) {
    placed.push({ node: nodeOf(PROXY, 'proxy', 1, 0, {}, settings), key: undefined });
  }
  return placed;
}

function roleOf(key: string, node: NodeSettings, refuse: Refuse): Role {
  const role = node.role ?? ROLES.find((name) => key.startsWith(name));
  if (role) return role;
  const stem = key.replace(/[\d-]+$/, '');
  refuse(
    ['nodes', key],
    'has no role, and its name begins with none',
    didYouMean(stem, ROLES) ?? `say 'role: ${ROLES[0]}' (${ROLES.join(', ')})`,
    'key',
  );
  return 'web';
}

function nodeOf(
  name: string,
  role: Role,
  n: number,
  web: number,
  node: NodeSettings,
  { defaults, provider, balancer }: Settings,
): TopologyNode {
  const numbered = (text: string): string => text.replaceAll('{n}', String(n));
  const names = (node.names ?? []).map(numbered);
  const extra = {
    image: node.image ?? defaults.image,
    vm: node.vm ?? defaults.vm,
    limits: node.limits ?? defaults.limits,
  };
  return {
    name,
    role,
    server:
      role === 'web'
        ? (node.server ?? defaults.server ?? (provider === 'local' ? 'embedded' : 'httpd'))
        : undefined,
    engine: role === 'proxy' ? (node.engine ?? defaults.engine ?? 'lablb') : undefined,
    title: numbered(node.title ?? (role === 'web' ? `SITE${web}` : name)),
    names: names.includes(name) ? names : [...names, name],
    port: role === 'web' ? (node.port ?? 80) : role === 'proxy' ? balancer.port : 0,
    publish: node.publish ?? [],
    address: node.address,
    packages: [...new Set([...(defaults.packages ?? []), ...(node.packages ?? [])])],
    extra: Object.fromEntries(Object.entries(extra).filter(([, value]) => value !== undefined)),
  };
}

// ------------------------------------------------------------------------------------------- balancer

function balancerOf(settings: Settings, placed: readonly Placed[], config: string | undefined): Balancer {
  const { balance, port, sites, check, stats, errorPages, log } = settings.balancer;
  const file = settings.balancer.config;
  return {
    balance,
    port,
    sites: sitesOf(sites, placed),
    check,
    stats: stats && { ...stats, refresh: Math.round(stats.refresh / 1000) },
    errorPages,
    log: logOf(log),
    config: file === undefined ? undefined : { file, text: config ?? '', template: file.endsWith('.hbs') },
  };
}

/** Ids are first labels, or whole names where two sites share a first label or a node has that name. */
function sitesOf(sites: Settings['balancer']['sites'], placed: readonly Placed[]): Site[] {
  const first = (host: string): string => host.split('.')[0]!.toLowerCase();
  const hosts = Object.keys(sites);
  const taken = new Set(placed.map(({ node }) => node.name));
  return Object.entries(sites).map(([host, { servers, aliases }]) => {
    const short = first(host);
    const unique = !taken.has(short) && hosts.filter((other) => first(other) === short).length === 1;
    return {
      id: unique ? short : host.toLowerCase().replaceAll('.', '-'),
      host: host.toLowerCase(),
      aliases,
      servers,
    };
  });
}

function logOf({ file, rsyslog, udp }: Settings['balancer']['log']): LogSettings {
  if (rsyslog) return { via: 'rsyslog-socket', file: rsyslog };
  if (udp) return { via: 'rsyslog-udp', file: udp };
  return { via: 'file', file: file ?? '/var/log/haproxy.log' };
}

// --------------------------------------------------------------------------------------------- checks

function checkNames(placed: readonly Placed[], refuse: Refuse): void {
  const owners = new Map<string, string>();
  for (const { node, key } of placed) {
    for (const name of new Set(node.names.map((n) => n.toLowerCase()))) {
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, node.name);
      else refuse(pathOfName(node, key, name), `the name '${name}' of ${node.name} is taken by ${owner}`);
    }
    if (!NODE_NAME.test(node.name) && key !== undefined && NODE_NAME.test(key)) {
      refuse(['nodes', key, 'count'], `'${node.name}' is too long for a host name`);
    }
  }
}

function pathOfName(node: TopologyNode, key: string | undefined, name: string): Path {
  if (key === undefined) return ['nodes'];
  const index = node.names.findIndex((n) => n.toLowerCase() === name);
  return node.names[index] === node.name ? ['nodes', key] : ['nodes', key, 'names', index];
}

/** Over SSH one machine may be several nodes, on different ports; elsewhere an address is one node's. */
function checkAddresses({ provider }: Settings, placed: readonly Placed[], refuse: Refuse): void {
  const owners = new Map<string, string>();
  for (const { node, key } of placed) {
    if (node.address === undefined) {
      if (provider !== 'ssh') continue;
      const hint = key === undefined ? `add '${node.name}: {address: …}'` : undefined;
      refuse(
        ['nodes', ...(key === undefined ? [] : [key])],
        `${node.name} needs an address with provider 'ssh'`,
        hint,
        'key',
      );
      continue;
    }
    const owner = owners.get(node.address);
    if (owner === undefined) owners.set(node.address, node.name);
    else if (provider !== 'ssh') refuse(['nodes', key!, 'address'], `${node.address} is taken by ${owner}`);
  }
}

function checkSites(settings: Settings, source: Source, placed: readonly Placed[], refuse: Refuse): void {
  const hosts = new Map<string, string>();
  const roles = new Map(placed.map(({ node }) => [node.name, node.role]));
  const webs = placed.filter(({ node }) => node.role === 'web').map(({ node }) => node.name);
  for (const [host, { servers, aliases }] of Object.entries(settings.balancer.sites)) {
    const path: Path = ['balancer', 'sites', host];
    if (!HOST_NAME.test(host))
      refuse(path, 'unfit for a host', 'letters, digits, dashes, joined by dots', 'key');
    const at = source.has([...path, 'servers']) ? [...path, 'servers'] : path;
    for (const [index, name] of [host, ...aliases].entries()) {
      const where = index === 0 ? path : [...path, 'aliases', index - 1];
      const owner = hosts.get(name.toLowerCase());
      if (owner === undefined) hosts.set(name.toLowerCase(), host);
      else refuse(where, `the host '${name}' is that of site ${owner} already`, undefined, 'key');
    }
    for (const [index, server] of servers.entries()) {
      const role = roles.get(server);
      if (servers.indexOf(server) !== index) {
        refuse([...at, index], `names ${server} twice`);
      } else if (role === undefined) {
        refuse(
          [...at, index],
          `names no server that exists: '${server}'`,
          didYouMean(server, webs) ?? `web nodes: ${webs.join(', ')}`,
        );
      } else if (role !== 'web') {
        refuse([...at, index], `${server} is a ${role} node, not a web node`);
      }
    }
  }
}

function checkBalancer({ balancer: { stats } }: Settings, source: Source, refuse: Refuse): void {
  if (!stats) return;
  const path: Path = ['balancer', 'stats'];
  // A key that the file has, and the settings have not, was refused already.
  const lacks = (key: 'user' | 'password'): boolean =>
    stats[key] === undefined && !source.has([...path, key]);
  if (stats.user !== undefined && lacks('password')) {
    refuse([...path, 'user'], 'a user needs a password', 'best one from the environment');
  } else if (stats.password !== undefined && lacks('user')) {
    refuse([...path, 'password'], 'a password needs a user', undefined, 'key');
  } else if (stats.admin && lacks('user')) {
    refuse([...path, 'admin'], 'a page that changes things needs a user and a password');
  }
}

/** Ports on one address: what a node listens on, and what is published on the host. */
function checkPorts(topology: Topology, placed: readonly Placed[], source: Source, refuse: Refuse): void {
  const taken = new Map<string, string>();
  const refused = new Set<string>();
  const claim = (where: string, port: number, by: string, path: Path): void => {
    const owner = taken.get(`${where} ${port}`);
    const name = renderPath(path);
    if (owner === undefined) taken.set(`${where} ${port}`, by);
    else if (refused.has(name))
      return; // every proxy has the same ports: once is enough
    else refused.add(name);
    if (owner !== undefined)
      refuse(path, `port ${port} is taken by ${owner}${where === 'host' ? ' on the host' : ''}`);
  };
  for (const { node, key } of placed) {
    const where = topology.provider === 'ssh' ? (node.address ?? node.name) : node.name;
    if (node.role === 'web') claim(where, node.port, `${node.name} (its page)`, ['nodes', key!, 'port']);
    if (node.role !== 'proxy') continue;
    const { port, stats } = topology.balancer;
    const at: Path = source.has(['balancer', 'stats', 'port'])
      ? ['balancer', 'stats', 'port']
      : ['balancer', 'stats'];
    claim(where, port, `${node.name} (${renderPath(['balancer', 'port'])})`, ['balancer', 'port']);
    if (stats) claim(where, stats.port, `${node.name} (${renderPath(['balancer', 'stats', 'port'])})`, at);
    for (const [index, published] of node.publish.entries()) {
      claim('host', published, node.name, ['nodes', key!, 'publish', index]);
    }
  }
}
