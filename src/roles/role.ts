import type { Family } from '../os/family.ts';
import type { FileSpec, Programs } from '../providers/provider.ts';
import type { NodeView } from '../render/view.ts';
import type { Topology, TopologyNode } from '../topology/topology.ts';

/** What a node is for, as services and packages; its files come from `render/`. */
export interface Role {
  services(node: RoleContext): ServiceSpec[];
  packages(node: Pick<RoleContext, 'topology' | 'node' | 'family'>): string[];
  /** Nodes whose services come first. */
  after(topology: Topology): string[];
  /** For the summary: "httpd, page SITE1". */
  about(topology: Topology, node: TopologyNode): string;
}

export interface RoleContext {
  readonly topology: Topology;
  readonly node: TopologyNode;
  readonly view: NodeView;
  readonly family: Family;
  /** The node's rendered files. */
  readonly files: readonly FileSpec[];
  readonly programs: Programs;
}

/** A service before a family of systems has given it the form that it has there. Paths are as on the node. */
export interface ServiceSpec {
  readonly name: string;
  /** Real paths. */
  readonly argv: readonly string[];
  readonly build: string;
  /** Where its output goes. */
  readonly log: string;
  /** Where its standard error goes on a local node; to `log` unless said. */
  readonly errors?: string;
  /** Logs that it writes itself. */
  readonly otherLogs: readonly string[];
  /** Files that it reads when it starts. */
  readonly watch: readonly string[];
  readonly onChange: 'reload' | 'restart';
  readonly listens: readonly { readonly address: string; readonly port: number }[];
  /** A package brought it, with its definition: `argv` is the package's affair. */
  readonly packaged?: boolean;
  /** It ends when its work is done, which a start of the system does not repeat. */
  readonly once?: boolean;
  /** Folders that must be there before it starts. */
  readonly folders?: readonly string[];
  /** Folder under /run that is there while it runs. */
  readonly runtimeFolder?: string;
  /** What it needs on the node beside rendered files: its executable. */
  readonly files?: readonly FileSpec[];
  /** For people. */
  readonly about?: string;
  /** It is what the node is there for: what `lablb fail` makes fail. */
  readonly main?: boolean;
}

/** The port in fact of a port of the topology. */
export function actualPort(view: NodeView, node: string, port: number): number {
  return view.ports?.get(node)?.get(port) ?? port;
}
