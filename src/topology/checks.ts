import { didYouMean } from '../errors.ts';
import { type Refuse, renderPath } from './diagnose.ts';
import type { Placed } from './nodes.ts';
import { HOST_NAME, NODE_NAME, type Settings } from './schema.ts';
import type { Path, Source } from './source.ts';
import type { Topology, TopologyNode } from './topology.ts';

interface Nodes {
  readonly placed: readonly Placed[];
  /** What the names of others may begin with, which were refused already. */
  readonly unclear: readonly string[];
}

/** What the schema alone cannot see: names, addresses, servers and ports that do not go together. */
export function checkTogether(
  settings: Settings,
  topology: Topology,
  nodes: Nodes,
  source: Source,
  refuse: Refuse,
): void {
  const { placed } = nodes;
  checkNames(placed, refuse);
  checkAddresses(settings, nodes, refuse);
  checkSites(settings, source, nodes, refuse);
  checkStatic(settings, nodes, refuse);
  checkBalancer(settings, source, refuse);
  checkTls(settings, source, refuse);
  checkNameservers(settings, nodes, refuse);
  checkPorts(topology, placed, source, refuse);
}

function checkNames(placed: readonly Placed[], refuse: Refuse): void {
  const owners = new Map<string, string>();
  const keys = new Map<string, string | undefined>();
  for (const { node, key } of placed) {
    if (keys.has(node.name)) {
      const message = `there is a '${node.name}' already, from '${keys.get(node.name)}'`;
      refuse(['nodes', key!], message, 'names of nodes are given once', 'key');
      continue;
    }
    keys.set(node.name, key);
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

/** An address is one node's, and so is a machine: over SSH, where its server is. */
function checkAddresses({ provider, ssh }: Settings, { placed, unclear }: Nodes, refuse: Refuse): void {
  const owners = new Map<string, string>();
  const machines = new Map<string, string>();
  for (const { node, key } of placed) {
    if (node.address === undefined) {
      const perhapsImplied = key === undefined && unclear.length > 0;
      if (provider !== 'ssh' || perhapsImplied) continue;
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
    else {
      refuse(['nodes', key!, 'address'], `${node.address} is taken by ${owner}`);
      continue;
    }
    if (provider !== 'ssh') continue;
    const own = (node.extra.ssh ?? {}) as { host?: string; port?: number };
    const machine = `${own.host ?? node.address}:${own.port ?? ssh.port}`;
    const there = machines.get(machine);
    if (there === undefined) machines.set(machine, node.name);
    else
      refuse(['nodes', key!, 'ssh'], `${machine} is the machine of ${there}; each node needs one of its own`);
  }
}

function checkSites(settings: Settings, source: Source, nodes: Nodes, refuse: Refuse): void {
  const hosts = new Map<string, string>();
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
    checkServers(servers, at, nodes, refuse);
  }
}

function checkStatic({ balancer }: Settings, nodes: Nodes, refuse: Refuse): void {
  if (!balancer.static) return;
  const path: Path = ['balancer', 'static'];
  checkServers(balancer.static.servers, [...path, 'servers'], nodes, refuse);
  if (balancer.static.begins.length + balancer.static.ends.length === 0)
    refuse(path, "neither 'begins' nor 'ends' says which requests are for files", undefined, 'key');
}

/** Each one a web node, once. */
function checkServers(
  servers: readonly string[],
  at: Path,
  { placed, unclear }: Nodes,
  refuse: Refuse,
): void {
  const roles = new Map(placed.map(({ node }) => [node.name, node.role]));
  const webs = placed.filter(({ node }) => node.role === 'web').map(({ node }) => node.name);
  for (const [index, server] of servers.entries()) {
    const role = roles.get(server);
    if (servers.indexOf(server) !== index) {
      refuse([...at, index], `names ${server} twice`);
    } else if (role === undefined) {
      if (unclear.some((beginning) => server.startsWith(beginning))) continue;
      refuse(
        [...at, index],
        `names no server that exists: '${server}'`,
        didYouMean(server, webs) ?? (webs.length > 0 ? `web nodes: ${webs.join(', ')}` : undefined),
      );
    } else if (role !== 'web') {
      refuse([...at, index], `${server} is a ${role} node, not a web node`);
    }
  }
}

function checkBalancer({ balancer: { stats } }: Settings, source: Source, refuse: Refuse): void {
  if (!stats) return;
  const path: Path = ['balancer', 'stats'];
  // A key that the file has, and the settings have not, was refused already.
  const lacks = (key: 'user' | 'password'): boolean =>
    stats[key] === undefined && !source.has([...path, key]);
  if (stats.password !== undefined && lacks('user')) {
    refuse([...path, 'password'], 'a password needs a user', undefined, 'key');
  } else if (stats.admin && lacks('user')) {
    refuse([...path, 'admin'], 'a page that changes things needs a user', 'lablb makes the password');
  }
}

/** Files of one's own go together: a key and an authority are those of a certificate. */
function checkTls({ balancer: { tls } }: Settings, source: Source, refuse: Refuse): void {
  if (!tls) return;
  const path: Path = ['balancer', 'tls'];
  if (tls.certificate === undefined) {
    if (source.has([...path, 'certificate'])) return;
    for (const key of ['key', 'authority'] as const)
      if (tls[key] !== undefined)
        refuse([...path, key], `names a file, and 'certificate' names none`, undefined, 'key');
    return;
  }
  for (const key of ['days', 'names'] as const)
    if (source.has([...path, key]))
      refuse(
        [...path, key],
        'is for a certificate that lablb makes, and this one is yours',
        undefined,
        'key',
      );
}

/** Who asks the lab's dns nodes, and whether there are any. */
function checkNameservers({ nodes, defaults }: Settings, { placed, unclear }: Nodes, refuse: Refuse): void {
  const servers = placed.filter(({ node }) => node.role === 'dns');
  const asked: Path[] = [
    ...(defaults.nameserver ? [['defaults', 'nameserver']] : []),
    ...Object.keys(nodes).flatMap((key) => (nodes[key]!.nameserver ? [['nodes', key, 'nameserver']] : [])),
  ];
  for (const path of asked) {
    const dns = servers.find(({ key }) => path[0] === 'nodes' && key === path[1]);
    if (servers.length === 0 && unclear.length === 0)
      refuse(path, 'there is no dns node to ask', "for example 'ns1: {role: dns}'", 'key');
    else if (dns)
      refuse(path, `'${dns.key}' is a dns node, which asks the servers that it had`, undefined, 'key');
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
  const seen = new Set<string>();
  for (const { node, key } of placed) {
    const where = node.name;
    if (seen.has(where)) continue; // its name was refused
    seen.add(where);
    if (node.role === 'web') claim(where, node.port, `${node.name} (its page)`, ['nodes', key!, 'port']);
    if (node.role !== 'proxy') continue;
    const { port, tls, stats, static: files } = topology.balancer;
    claim(where, port, `${node.name} (${renderPath(['balancer', 'port'])})`, ['balancer', 'port']);
    for (const [key, of] of Object.entries({ tls, stats, static: files })) {
      const path: Path = ['balancer', key, 'port'];
      if (of)
        claim(
          where,
          of.port,
          `${node.name} (${renderPath(path)})`,
          source.has(path) ? path : path.slice(0, 2),
        );
    }
    for (const [index, published] of node.publish.entries()) {
      claim('host', published, node.name, ['nodes', key!, 'publish', index]);
    }
  }
}
