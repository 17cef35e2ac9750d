import { durationText } from '../topology/duration.ts';
import type { Topology, TopologyNode } from '../topology/topology.ts';
import { ERROR_FILES, errorFilePath } from './error-files.ts';
import { HIDDEN } from './placeholder.ts';
import { CERTIFICATE_PATH } from './tls-files.ts';
import type { NodeView } from './view.ts';

/** Rows of docs/topology.md: what a `haproxy.cfg` template can name. Kept beside `proxyData`, which makes it. */
export const PROXY_DATA_DOCS: readonly (readonly [name: string, meaning: string])[] = [
  ['lab', 'name of the lab'],
  ['node', 'this proxy node: `name`, `role`, `title`, `names`, `address`, `port`'],
  ['nodes', 'every node of the lab, as `node`'],
  [
    'webs',
    'the web nodes, as in `servers`: `name`, `at` (host or address to connect to), `address`, `port`, `title`, `names`',
  ],
  ['sites', 'sites in order: `id`, `host`, `hosts` (as a Host header may say it), `balance`, `servers`'],
  [
    'backends',
    'a backend for each site, or one for all web nodes: `id`, `about`, `balance`, `check`, `servers`',
  ],
  ['defaultBackend', 'id of the backend when there are no sites, else null'],
  ['bind', 'address to listen on: `*`, or the node’s own'],
  ['port', 'port to listen on'],
  [
    'check',
    '`on`, `http`, `method`, `path`, `host` (or null), `inter` (`1s`), `timeout`, `rise`, `fall`, `expectForbidden`',
  ],
  [
    'tls',
    'null, or `port`, `file` (certificate and key), `redirect`, `suffix` (`:8443`, or empty for 443), `usual` (80 and 443)',
  ],
  ['static', 'null, or `port`, `begins`, `ends`, `servers`'],
  ['forwardFor', 'null, or `except` (a network or null)'],
  [
    'stats',
    'null, or `port`, `uri`, `realm`, `refresh` (seconds), `auth` (`user:password` or null), `admin`',
  ],
  ['errorFiles', 'error files: `status`, `path`'],
  ['log', '`file`, `info` (the second file or null), and which way: `stdout`, `udp`, `socket`'],
  ['socket', 'path of the runtime API’s socket'],
  ['root', 'folder that stands for `/` (provider `local`), else empty'],
  ['embedded', 'whether this is provider `local`: no chroot, user, daemon'],
];

/** What the template of haproxy.cfg is given. Keys are never missing (templates are strict): absent is null. */
export function proxyData(topology: Topology, node: TopologyNode, view: NodeView) {
  const { balancer } = topology;
  const embedded = view.kind === 'embedded';
  const actual = (of: TopologyNode, port: number): number => view.ports?.get(of.name)?.get(port) ?? port;
  const nodes = topology.nodes.map((other) => nodeData(other, view, actual));
  const webs = topology.nodes
    .filter((other) => other.role === 'web')
    // Names are looked up when the balancer starts; processes on this machine have no /etc/hosts of their own.
    .map((web) => ({
      ...nodeData(web, view, actual),
      at: embedded ? (view.addresses.get(web.name) ?? '127.0.0.1') : web.names[0]!,
    }));
  const serversNamed = (names: readonly string[]) =>
    names.map((name) => webs.find((web) => web.name === name)!);
  const port = actual(node, balancer.port);
  const check = checkData(topology, embedded);
  const tls = balancer.tls && {
    port: actual(node, balancer.tls.port),
    file: `${view.root}${CERTIFICATE_PATH}`,
    redirect: balancer.tls.redirect,
  };

  const files = balancer.static && {
    port: actual(node, balancer.static.port),
    begins: balancer.static.begins,
    ends: balancer.static.ends,
    servers: serversNamed(balancer.static.servers),
  };
  // A browser says every port but http's 80 and https's 443.
  const portsSaid = [port, tls?.port, files?.port].filter(
    (one) => one !== undefined && one !== 80 && one !== 443,
  );
  const sites = balancer.sites.map(({ id, host, aliases, balance, servers }) => ({
    id,
    host,
    hosts: [host, ...aliases].flatMap((name) => [name, ...portsSaid.map((one) => `${name}:${one}`)]),
    balance: balance ?? balancer.balance,
    servers: serversNamed(servers),
  }));
  const defaultBackend = sites.length === 0 ? 'web_servers' : null;
  const forPages = defaultBackend
    ? [
        {
          id: defaultBackend,
          about: 'Every web server, whatever host is asked for.',
          balance: balancer.balance,
          check,
          servers: webs,
        },
      ]
    : sites.map(({ id, host, balance, servers }) => ({
        id,
        about: `The servers of ${host}.`,
        balance,
        check,
        servers,
      }));
  const forFiles = files && {
    id: 'static_files',
    about: 'The servers of files.',
    balance: balancer.balance,
    check,
    servers: files.servers,
  };
  const backends = forFiles ? [...forPages, forFiles] : forPages;

  return {
    lab: topology.name,
    node: nodeData(node, view, actual),
    nodes,
    webs,
    sites,
    backends,
    defaultBackend,
    bind: view.bind ?? '*',
    port,
    check,
    tls: tls
      ? {
          ...tls,
          // What follows the host in an address of the HTTPS frontend.
          suffix: tls.port === 443 ? '' : `:${tls.port}`,
          // HAProxy's own redirect keeps the port that the client asked for.
          usual: tls.port === 443 && port === 80,
        }
      : null,
    static: files ?? null,
    forwardFor: balancer.forwardFor ? { except: balancer.forwardFor.except ?? null } : null,
    stats: balancer.stats
      ? {
          port: actual(node, balancer.stats.port),
          uri: balancer.stats.uri,
          realm: balancer.stats.realm,
          refresh: balancer.stats.refresh,
          auth:
            balancer.stats.user === undefined
              ? null
              : `${balancer.stats.user}:${balancer.stats.password ?? view.credentials?.statsPassword ?? HIDDEN}`,
          admin: balancer.stats.admin,
        }
      : null,
    errorFiles: balancer.errorPages
      ? ERROR_FILES.map(({ status }) => ({ status, path: `${view.root}${errorFilePath(status)}` }))
      : [],
    log: {
      file: `${view.root}${balancer.log.file}`,
      info: balancer.log.info === undefined ? null : `${view.root}${balancer.log.info}`,
      stdout: embedded,
      udp: !embedded && balancer.log.via === 'rsyslog-udp',
      socket: !embedded && balancer.log.via !== 'rsyslog-udp',
    },
    socket: view.socket ?? `${view.root}/run/haproxy/admin.sock`,
    root: view.root,
    embedded,
  };
}

function nodeData(node: TopologyNode, view: NodeView, actual: (of: TopologyNode, port: number) => number) {
  return {
    name: node.name,
    role: node.role,
    title: node.title,
    names: node.names,
    address: view.addresses.get(node.name) ?? null,
    port: actual(node, node.port),
  };
}

function checkData({ balancer: { check }, nodes }: Topology, embedded: boolean) {
  const http = check?.type === 'http';
  return {
    on: check !== undefined,
    http,
    method: check?.method ?? 'GET',
    path: check?.path ?? '/',
    host: check?.host ?? null,
    inter: durationText(check?.inter ?? 0),
    timeout: durationText(check?.timeout ?? 0),
    rise: check?.rise ?? 0,
    fall: check?.fall ?? 0,
    expectForbidden:
      http && !embedded && check.path === '/' && nodes.some(({ server }) => server === 'httpd'),
  };
}
