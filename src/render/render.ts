import { LabError } from '../errors.ts';
import { COMMANDS } from '../os/commands.ts';
import { MACVLAN_FILES } from '../os/macvlan.ts';
import { webPagePath } from '../os/web-pages.ts';
import { HTTPD_MODULES, PACKAGED_PORT, portFiles } from '../os/web-ports.ts';
import type { FileSpec } from '../providers/provider.ts';
import type { NodeFile, Role, Topology, TopologyNode } from '../topology/topology.ts';
import { dnsFiles, resolverFiles } from './dns.ts';
import { errorFiles } from './error-files.ts';
import { HAPROXY_CONFIG } from './haproxy-config.ts';
import { hostRecords, hostsBlock, LOCALHOST, renderHosts } from './hosts.ts';
import { proxyData } from './proxy-data.ts';
import { renderTemplate, renderUserTemplate } from './templates.ts';
import { authorityFile, tlsFiles } from './tls-files.ts';
import type { NodeView } from './view.ts';

export type { NodeView } from './view.ts';

type Render = (topology: Topology, node: TopologyNode, view: NodeView) => FileSpec[];

/** What a node of each role has beside /etc/hosts. */
const FILES_OF_ROLE: Readonly<Record<Role, readonly Render[]>> = {
  web: [page, webPort],
  proxy: [configuration, tlsFiles, errors, rsyslog],
  client: [authorityFile],
  dns: [dnsFiles],
};

/**
 * Every file that should be on `node`. Pure. Paths are as on the node (the provider puts them under `view.root`);
 * inside the files they are the real ones.
 *
 * @throws ConfigError when the user's own template cannot be rendered.
 */
export function renderNode(topology: Topology, node: string, view: NodeView): FileSpec[] {
  const found = topology.nodes.find(({ name }) => name === node);
  if (!found)
    throw new LabError(`lab '${topology.name}' has no node '${node}'`, { code: 'node.unknown', node });
  return [hosts, resolverFiles, macvlan, own, ...FILES_OF_ROLE[found.role]].flatMap((render) =>
    render(topology, found, view),
  );
}

function hosts(topology: Topology, node: TopologyNode, view: NodeView): FileSpec[] {
  const lines = renderHosts(topology.name, node.name, hostRecords(topology, node, view.addresses));
  const path = '/etc/hosts';
  if (view.kind === 'embedded') return [{ path, content: `${LOCALHOST}${lines}` }];
  return [{ path, content: hostsBlock(topology.name, lines), block: topology.name, keepOriginal: true }];
}

function page(topology: Topology, node: TopologyNode, view: NodeView): FileSpec[] {
  const { title, names, name, server = 'embedded' } = node;
  const content = renderTemplate('web/page.html.hbs', { title, names, node: name, lab: topology.name });
  return [{ path: webPagePath(server, view.family), content, keepOriginal: view.kind === 'machine' }];
}

/** Packages answer on port 80; another one is their configuration's affair. */
function webPort(_: Topology, { server = 'embedded', port }: TopologyNode, view: NodeView): FileSpec[] {
  if (view.kind === 'embedded' || port === PACKAGED_PORT) return [];
  return portFiles(server, view.family).map(({ path, template }) => ({
    path,
    content: renderTemplate(template, { port, modules: HTTPD_MODULES }),
    keepOriginal: true,
  }));
}

function configuration(topology: Topology, node: TopologyNode, view: NodeView): FileSpec[] {
  const { config, stats } = topology.balancer;
  const content =
    config === undefined
      ? renderTemplate('proxy/haproxy.cfg.hbs', proxyData(topology, node, view))
      : config.template
        ? renderUserTemplate(config.text, config.file, proxyData(topology, node, view))
        : config.text;
  return [
    {
      path: HAPROXY_CONFIG,
      content,
      // It may hold the statistics page's password.
      mode: config || stats?.user !== undefined ? 0o600 : 0o644,
      keepOriginal: view.kind === 'machine',
    },
  ];
}

function errors(topology: Topology): FileSpec[] {
  return topology.balancer.errorPages ? errorFiles() : [];
}

/** Files that the topology itself asks for, and its commands as a script. */
function own(_: Topology, { extra }: TopologyNode, { kind }: NodeView): FileSpec[] {
  const { files = [], commands = [] } = extra as { files?: NodeFile[]; commands?: string[] };
  const keepOriginal = kind === 'machine';
  return [
    ...files.map((file) => ({ ...file, keepOriginal })),
    ...(commands.length > 0 && kind === 'machine'
      ? [{ path: COMMANDS, content: `# Commands of the topology.\n${commands.join('\n')}\n`, mode: 0o700 }]
      : []),
  ];
}

/** On macvlan nothing else brings up eth0: the tutorial's line in root's crontab does. */
function macvlan(_: Topology, __: TopologyNode, { dhclient }: NodeView): readonly FileSpec[] {
  return dhclient ? MACVLAN_FILES : [];
}

/** Debian's package of HAProxy brings a file of its own for the same socket: ours is in its place. */
const RSYSLOG_FILES: Readonly<Record<string, string>> = {
  debian: '/etc/rsyslog.d/49-haproxy.conf',
  rhel: '/etc/rsyslog.d/99-haproxy.conf',
};

function rsyslog({ balancer: { log } }: Topology, _: TopologyNode, view: NodeView): FileSpec[] {
  if (view.kind === 'embedded') return [];
  const content = renderTemplate('rsyslog/haproxy.conf.hbs', {
    file: log.file,
    info: log.info ?? null,
    udp: log.via === 'rsyslog-udp',
  });
  return [{ path: RSYSLOG_FILES[view.family ?? 'rhel'] ?? RSYSLOG_FILES.rhel!, content, keepOriginal: true }];
}
