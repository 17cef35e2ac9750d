import { Document, isCollection, isMap, isScalar, type Node, type Scalar, visit } from 'yaml';
import { durationText } from './duration.ts';
import type { Parsed } from './parse.ts';
import type { Path } from './source.ts';
import type { Topology, TopologyNode } from './topology.ts';

/** What stands in for a secret. */
const HIDDEN = '********';

/**
 * The topology as a file that says everything, each value with where it comes from: a line, the environment, or
 * the default. The file validates, and gives the same lab. Secrets show as the variable they come from, or hidden.
 */
export function describeTopology({ topology, source, keys, overridden }: Parsed): string {
  const document = new Document(settingsOf(topology));
  visit(document, {
    Pair: (_, pair, ancestors) => {
      const path = pathOf([...ancestors, pair]);
      const value = pair.value as Node;
      if (isMap(value) && value.items.length > 0) return undefined;
      keepAsText(value);
      if (path.join('.') === 'balancer.stats.password') (value as Scalar).value = secret(path);
      if (isCollection(value)) value.flow = true;
      value.comment = ` ${origin(path)}`;
      return visit.SKIP;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });

  function secret(path: Path): string {
    const [variable] = source.variables(path);
    return variable ? `\${${variable}}` : HIDDEN;
  }

  function origin(path: Path): string {
    if (path.join('.') === 'provider' && overridden) return '--provider';
    for (const candidate of candidates(path)) {
      if (!source.has(candidate)) continue;
      const variables = source.variables(candidate);
      const { line } = source.place(candidate);
      return `line ${line}${variables.length > 0 ? `, from ${variables.join(', ')}` : ''}`;
    }
    return 'default';
  }

  /** Where the file may have said it: under the key that a count expanded, as a shorthand, in `defaults`. */
  function candidates(path: Path): Path[] {
    if (path[0] === 'nodes') {
      const key = keys.get(String(path[1]));
      return [
        ...(key === undefined ? [] : [['nodes', key, ...path.slice(2)]]),
        ['defaults', ...path.slice(2)],
      ];
    }
    if (path[1] === 'sites' && path.at(-1) === 'servers' && !source.has(path)) return [path.slice(0, -1)];
    return [path];
  }
}

/** The topology in the shape of the file. Unset keys are left out. */
function settingsOf({ name, provider, nodes, balancer, dns, lxd, ssh }: Topology): object {
  const { balance, port, sites, check, stats, errorPages, log, config } = balancer;
  return defined({
    name,
    provider,
    nodes: Object.fromEntries(nodes.map((node) => [node.name, nodeSettings(node)])),
    balancer: defined({
      balance,
      port,
      sites: Object.fromEntries(
        sites.map(({ host, servers, aliases, balance }) => [host, defined({ servers, aliases, balance })]),
      ),
      check: check ? { ...check, inter: durationText(check.inter) } : false,
      stats: stats ? defined({ ...stats, refresh: `${stats.refresh}s` }) : false,
      errorPages,
      log: { [{ file: 'file', 'rsyslog-socket': 'rsyslog', 'rsyslog-udp': 'udp' }[log.via]]: log.file },
      config: config?.file,
    }),
    dns: { ttl: `${dns.ttl}s`, forward: dns.forward.length === 0 ? false : dns.forward },
    lxd: provider === 'lxd' ? lxd : undefined,
    ssh: provider === 'ssh' ? ssh : undefined,
  });
}

function nodeSettings({
  name: _,
  role,
  server,
  dns,
  nameserver,
  engine,
  title,
  names,
  port,
  publish,
  address,
  packages,
  extra,
}: TopologyNode) {
  const web = role === 'web' ? { server, title, port } : {};
  const answers = role === 'dns' ? { server: dns } : { nameserver };
  const proxy = role === 'proxy' ? { engine, publish } : {};
  return defined({ role, ...web, ...proxy, ...answers, names, address, packages, ...extra });
}

function defined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

/** What looks like a reference to the environment is a text by now: it must stay one. */
function keepAsText(value: Node): void {
  if (isScalar(value) && typeof value.value === 'string')
    value.value = value.value.replaceAll('${', () => '$${');
  else if (isCollection(value)) for (const item of value.items) keepAsText(item as Node);
}

function pathOf(ancestors: readonly unknown[]): Path {
  return ancestors.flatMap((item) => {
    const key = (item as { key?: unknown }).key;
    return isScalar(key) ? [String(key.value)] : [];
  });
}
