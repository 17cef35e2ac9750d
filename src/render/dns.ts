import { LabError } from '../errors.ts';
import { type DnsPaths, dnsPaths, EMBEDDED_NAMES } from '../os/dns-paths.ts';
import {
  DHCLIENT_HOOK,
  DHCPCD_HOOK,
  dhclientHookPath,
  NETWORKMANAGER_FILE,
  RESOLVED_FILE,
} from '../os/resolvers.ts';
import type { FileSpec } from '../providers/provider.ts';
import type { DnsServer, Topology, TopologyNode } from '../topology/topology.ts';
import { type HostRecord, hostRecords, renderHosts } from './hosts.ts';
import { renderTemplate } from './templates.ts';
import type { NodeView, Resolver } from './view.ts';
import { nameRecords, reverseZonesOf, zonesOf } from './zones.ts';

/** Files of a dns node: the names of the lab as a client must see them, for the server that answers. */
export function dnsFiles(topology: Topology, node: TopologyNode, view: NodeView): FileSpec[] {
  const hosts = labNames(topology, view);
  if (view.kind === 'embedded')
    return [{ path: EMBEDDED_NAMES, content: renderHosts(topology.name, node.name, hosts) }];
  return SERVER_FILES[node.dns ?? 'dnsmasq'](topology, node, view, hosts, dnsPaths(view.family));
}

/** Where a site is, is where the balancer is; every other name is its node's. */
export function labNames(topology: Topology, { addresses }: Pick<NodeView, 'addresses'>): HostRecord[] {
  return hostRecords(topology, { role: 'client' }, addresses);
}

type ServerFiles = (
  topology: Topology,
  node: TopologyNode,
  view: NodeView,
  hosts: readonly HostRecord[],
  paths: DnsPaths,
) => FileSpec[];

const SERVER_FILES: Readonly<Record<DnsServer, ServerFiles>> = {
  dnsmasq: (topology, node, view, hosts, paths) => {
    const records = nameRecords(hosts);
    const content = renderTemplate('dns/dnsmasq.conf.hbs', {
      ...common(topology, node, view),
      logFile: paths.logs.dnsmasq,
      zones: zonesOf(records),
      records,
    });
    return [{ path: paths.dnsmasq, content, keepOriginal: true }];
  },
  bind: (topology, node, view, hosts, paths) => {
    const zones = [...zonesOf(nameRecords(hosts)), ...reverseZonesOf(hosts)];
    const { lab, ttl, ...options } = common(topology, node, view);
    const servers = dnsNodes(topology, view).map(({ names }) => `${names[0]}.`);
    const primary = servers[0] ?? 'localhost.';
    return [
      {
        path: paths.bind,
        content: renderTemplate('dns/named.conf.hbs', {
          ...options,
          lab,
          logFile: paths.logs.bind,
          directory: paths.directory,
          folder: paths.zones,
          clients: [...new Set(view.addresses.values())],
          zones,
        }),
        keepOriginal: true,
      },
      ...zones.map((zone) => ({
        path: `${paths.zones}/${zone.file}`,
        content: renderTemplate('dns/zone.hbs', { ...zone, lab, ttl, primary, servers }),
      })),
    ];
  },
};

function common(topology: Topology, node: TopologyNode, view: NodeView) {
  return {
    lab: topology.name,
    node: node.name,
    address: view.addresses.get(node.name) ?? null,
    ttl: topology.dns.ttl,
    forwarders: topology.dns.forward === 'auto' ? upstream(topology, view) : topology.dns.forward,
  };
}

/** Files that make a node ask the lab's dns nodes, whoever writes its /etc/resolv.conf. */
export function resolverFiles(topology: Topology, node: TopologyNode, view: NodeView): FileSpec[] {
  const servers = dnsNodes(topology, view).map(({ name }) => view.addresses.get(name)!);
  if (!node.nameserver || view.kind === 'embedded' || servers.length === 0) return [];
  const resolver = view.resolver ?? { owner: 'file', nameservers: [], search: [] };
  const lab = topology.name;
  const file = (): FileSpec => ({
    path: '/etc/resolv.conf',
    content: renderTemplate('dns/resolv.conf.hbs', {
      lab,
      search: resolver.search.join(' '),
      // The system reads three. The last one is who is asked when the lab's are gone.
      nameservers: [...servers.slice(0, 2), ...upstream(topology, view), ...servers.slice(2)].slice(0, 3),
    }),
    keepOriginal: true,
  });
  switch (resolver.owner) {
    case 'file':
      return [file()];
    case 'dhclient':
      return [
        { path: dhclientHookPath(view.family), content: DHCLIENT_HOOK, mode: 0o755, keepOriginal: true },
        file(),
      ];
    case 'dhcpcd':
      return [DHCPCD_HOOK, file()];
    case 'networkmanager':
      return [NETWORKMANAGER_FILE, file()];
    case 'resolved': {
      const content = renderTemplate('dns/resolved.conf.hbs', { lab, nameservers: servers.join(' ') });
      return [{ path: RESOLVED_FILE, content }];
    }
    default:
      throw unknownOwner(node, resolver);
  }
}

/** Who the node asked before the lab, as far as that is somebody else. */
function upstream(topology: Topology, view: NodeView): string[] {
  const own = dnsNodes(topology, view).map(({ name }) => view.addresses.get(name));
  return (view.resolver?.nameservers ?? []).filter(
    (address) => !own.includes(address) && !/^(?:127\.|::1$)/.test(address),
  );
}

function dnsNodes({ nodes }: Topology, { addresses }: NodeView): TopologyNode[] {
  return nodes.filter(({ role, name }) => role === 'dns' && addresses.has(name));
}

function unknownOwner({ name }: TopologyNode, { target }: Resolver): LabError {
  return new LabError(
    `/etc/resolv.conf is a link to ${target}, which a program writes that lablb does not know; nothing was changed there`,
    {
      code: 'resolver.unknown',
      node: name,
      hints: [`nodes: { ${name}: { nameserver: false } }`, 'make /etc/resolv.conf a file of its own'],
    },
  );
}
