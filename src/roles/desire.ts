import { COMMANDS } from '../os/commands.ts';
import { familyOf } from '../os/families.ts';
import type { Family } from '../os/family.ts';
import { allowancesFor } from '../os/guards.ts';
import type { Desired, DesiredNode, DesiredService } from '../plan/desired.ts';
import { revisionOf, sha256 } from '../plan/hash.ts';
import type { FileSpec, Programs } from '../providers/provider.ts';
import { HAPROXY_CONFIG } from '../render/haproxy-config.ts';
import type { NodeView, Provisional } from '../render/view.ts';
import type { Topology, TopologyNode } from '../topology/topology.ts';
import { ownSiteIn } from './own-site.ts';
import { opensOf, portsOf } from './ports.ts';
import { actualPort, type RoleContext, type ServiceSpec } from './role.ts';
import { roleOf } from './roles.ts';
import { statsSocketIn } from './stats-socket.ts';

/** Renders a node's files: `renderNode` of `render/`. */
export type Render = (topology: Topology, node: string, view: NodeView) => readonly FileSpec[];

export interface Wish {
  readonly desired: Desired;
  /** Nodes that are not there yet: what is wished of them rests on a guess. */
  readonly provisional: ReadonlyMap<string, Provisional>;
  /** Contents of every managed file: node → path → file. */
  readonly files: ReadonlyMap<string, ReadonlyMap<string, FileSpec>>;
}

/** A topology and where its nodes are → what should be on every one of them. */
export function desire(
  topology: Topology,
  views: ReadonlyMap<string, NodeView>,
  programs: Programs,
  render: Render,
): Wish {
  const nodes = topology.nodes.map((node) =>
    desireNode(topology, node, views.get(node.name)!, programs, render),
  );
  return {
    desired: { lab: topology.name, provider: topology.provider, nodes: nodes.map(({ wish }) => wish) },
    provisional: new Map(
      topology.nodes.flatMap(({ name }) => {
        const { provisional } = views.get(name)!;
        return provisional ? [[name, provisional] as const] : [];
      }),
    ),
    files: new Map(
      nodes.map(({ wish, files }) => [wish.name, new Map(files.map((file) => [file.path, file]))]),
    ),
  };
}

/** What a node needs installed, as its family calls it. */
export function packagesOf(topology: Topology, node: TopologyNode, family: string): readonly string[] {
  const known = familyOf(family);
  return known.packages(roleOf(node).packages({ topology, node, family: known }));
}

function desireNode(
  topology: Topology,
  node: TopologyNode,
  view: NodeView,
  programs: Programs,
  render: Render,
): { wish: DesiredNode; files: readonly FileSpec[] } {
  const role = roleOf(node);
  const family = familyOf(view.family);
  const rendered = render(topology, node.name, view);
  const context: RoleContext = { topology, node, view, family, files: rendered, programs };
  const services = [...role.services(context), ...commandsService(context)];
  const files = [
    ...rendered,
    ...services.flatMap((service) => [...(service.files ?? []), family.define(service)]),
  ];
  const hashes = new Map(files.map((file) => [file.path, file.sha256 ?? sha256(file.content)]));
  const config = rendered.find(({ path }) => path === HAPROXY_CONFIG)?.content.toString() ?? '';
  const site = topology.balancer.config && ownSiteIn(config);
  return {
    files,
    wish: {
      name: node.name,
      role: node.role,
      settings: view.settings && Object.fromEntries(view.settings),
      image: view.image,
      packages: family.packages(role.packages(context)),
      files: [...hashes].map(([path, hash]) => ({ path, sha256: hash })),
      services: services.map((service) => desireService(service, family, hashes)),
      after: role.after(topology),
      about: role.about(topology, node),
      family: family.name,
      root: view.root,
      address: view.addresses.get(node.name),
      socket: statsSocketIn(config),
      site,
      ports: [
        ...(site ? [{ port: site.port, use: site.tls ? 'https' : 'http', actual: site.port }] : []),
        ...portsOf(topology, node)
          .filter(({ port, use }) => !site || (!use.startsWith('http') && port !== site.port))
          .map((entry) => ({ ...entry, actual: actualPort(view, node.name, entry.port) })),
      ],
      allows:
        view.kind !== 'machine'
          ? undefined
          : allowancesFor({
              ports: opensOf(topology, node),
              programs: services.flatMap((service) => (service.files ?? []).map(({ path }) => path)),
              software: services.filter(({ packaged }) => packaged).map(({ name }) => name),
            }),
    },
  };
}

/** The topology's own commands run as a service that is done when they are: once, and again when they change. */
function commandsService({ files }: RoleContext): ServiceSpec[] {
  if (!files.some(({ path }) => path === COMMANDS)) return [];
  return [
    {
      name: 'lablb-commands',
      about: 'commands of the topology',
      argv: ['/bin/sh', '-e', COMMANDS],
      build: '',
      log: '/var/log/lablb-commands.log',
      otherLogs: [],
      watch: [COMMANDS],
      onChange: 'restart',
      listens: [],
      once: true,
    },
  ];
}

function desireService(
  service: ServiceSpec,
  family: Family,
  hashes: ReadonlyMap<string, string>,
): DesiredService {
  const watch = [family.define(service).path, ...service.watch];
  return {
    name: service.name,
    revision: revisionOf(watch, (path) => hashes.get(path)),
    watch,
    onChange: service.onChange,
    logs: [service.log, ...service.otherLogs],
    once: service.once,
    main: service.main,
  };
}
