import { didYouMean } from '../errors.ts';
import type { Refuse } from './diagnose.ts';
import { NODE_NAME, type NodeSettings, ROLES, SERVERS, type Settings } from './schema.ts';
import type { Source } from './source.ts';
import type { DnsServer, NodeFile, Role, TopologyNode, WebServer } from './topology.ts';

/** A node, and the key of `nodes` that it came from (undefined for one that is implied). */
export interface Placed {
  readonly node: TopologyNode;
  readonly key: string | undefined;
}

/** Settings that only nodes of these roles can have. */
const KEYS_OF_ROLES: Readonly<Record<string, readonly Role[]>> = {
  server: ['web', 'dns'],
  title: ['web'],
  port: ['web'],
  engine: ['proxy'],
  publish: ['proxy'],
};
const MAX_NODES = 250;
/** An absolute path of plain names. */
const NODE_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.@+:-]+)+$/;
const PROXY = 'proxyha';

/**
 * What the names of nodes begin with that the file has, and the settings have not as it means them: refused already, so
 * that nothing is to be said of nodes that are missing for it.
 */
export function unclearNodes({ nodes }: Settings, source: Source): string[] {
  const said = (source.value as { nodes?: unknown } | null)?.nodes ?? {};
  if (typeof said !== 'object' || Array.isArray(said)) return [''];
  return Object.entries(said).flatMap(([key, value]) => {
    const node = Object.hasOwn(nodes, key) ? nodes[key] : undefined;
    const clear = (setting: 'count' | 'role') => value?.[setting] == null || node?.[setting] !== undefined;
    return node && clear('count') && clear('role') ? [] : [key];
  });
}

/** The nodes in file order: counts expanded, the proxy implied, defaults filled in. */
export function placeNodes(settings: Settings, unclear: readonly string[], refuse: Refuse): Placed[] {
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
    const isClear = !unclear.includes(key);
    const role = isClear ? roleOf(key, node, refuse) : (node.role ?? roleByName(key) ?? 'web');
    for (const [setting, owners] of Object.entries(KEYS_OF_ROLES)) {
      if (isClear && !owners.includes(role) && node[setting as keyof NodeSettings] !== undefined) {
        refuse(
          ['nodes', key, setting],
          `belongs to a ${owners.join(' or ')} node; '${key}' is a ${role} node`,
          undefined,
          'key',
        );
      }
    }
    if ((role === 'web' || role === 'dns') && node.server && serverFor(role, node.server) === undefined)
      refuse(
        ['nodes', key, 'server'],
        `'${node.server}' is nothing for a ${role} node`,
        SERVERS[role].join(', '),
      );
    for (const path of Object.keys(node.files ?? {}))
      if (!NODE_PATH.test(path))
        refuse(
          ['nodes', key, 'files', path],
          `'${path}' is no path for a file`,
          'absolute, without spaces, quotes or ..',
          'key',
        );
    for (let n = 1; n <= (node.count ?? 1) && placed.length <= MAX_NODES; n++) {
      const name = node.count === undefined ? key : `${key}${n}`;
      if (role === 'web') webs++;
      placed.push({ node: nodeOf(name, role, n, webs, node, settings), key });
    }
  }
  if (placed.length > MAX_NODES) refuse(['nodes'], `more than ${MAX_NODES} nodes`, undefined, 'key');
  if (unclear.length === 0 && !placed.some(({ node }) => node.role === 'web')) {
    refuse(['nodes'], 'there is no web node', "for example 'web: {count: 2}'", 'key');
  }
  if (!placed.some(({ node }) => node.role === 'proxy')) {
    placed.push({ node: nodeOf(PROXY, 'proxy', 1, 0, {}, settings), key: undefined });
  }
  return placed;
}

function roleOf(key: string, node: NodeSettings, refuse: Refuse): Role {
  const role = node.role ?? roleByName(key);
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

function roleByName(key: string): Role | undefined {
  return ROLES.find((name) => key.startsWith(name));
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
  const servers = [node.server, defaults.server];
  const names = [...new Set((node.names ?? []).map(numbered))];
  const extra = {
    image: node.image ?? defaults.image,
    vm: node.vm ?? defaults.vm,
    limits: node.limits ?? defaults.limits,
    ssh: node.ssh,
    profiles: node.profiles ?? defaults.profiles,
    files: filesOf({ ...defaults.files, ...node.files }),
    commands: [...(defaults.commands ?? []), ...(node.commands ?? [])],
  };
  return {
    name,
    role,
    server:
      role === 'web'
        ? (serverFor('web', ...servers) ?? (provider === 'local' ? 'embedded' : 'httpd'))
        : undefined,
    dns: role === 'dns' ? (serverFor('dns', ...servers) ?? 'dnsmasq') : undefined,
    nameserver: role !== 'dns' && (node.nameserver ?? defaults.nameserver ?? false),
    engine: role === 'proxy' ? (node.engine ?? defaults.engine ?? 'lablb') : undefined,
    title: numbered(node.title ?? (role === 'web' ? `SITE${web}` : name)),
    names: names.includes(name) ? names : [...names, name],
    port: role === 'web' ? (node.port ?? 80) : role === 'proxy' ? balancer.port : role === 'dns' ? 53 : 0,
    publish: node.publish ?? [],
    address: node.address,
    packages: [...new Set([...(defaults.packages ?? []), ...(node.packages ?? [])])],
    extra: Object.fromEntries(Object.entries(extra).filter(([, value]) => !isNothing(value))),
  };
}

/** The first of these servers that is one for nodes of that role: `defaults` may name one for the others. */
function serverFor<R extends keyof ServerOf>(
  role: R,
  ...wanted: readonly (string | undefined)[]
): ServerOf[R] | undefined {
  const known: readonly string[] = SERVERS[role];
  return wanted.find((name) => name !== undefined && known.includes(name)) as ServerOf[R] | undefined;
}

interface ServerOf {
  readonly web: WebServer;
  readonly dns: DnsServer;
}

function isNothing(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

/** Files of the topology's own, contents read by now. */
function filesOf(files: NonNullable<NodeSettings['files']>): NodeFile[] {
  return Object.entries(files).map(([path, file]) => {
    const { content = '', mode } = typeof file === 'string' ? { content: file, mode: '0644' } : file;
    return { path, content, mode: Number.parseInt(mode, 8) };
  });
}
