import type { ProviderName, Role } from '../topology/topology.ts';

/** What a lab should be, as hashes and names: enough to plan and to remember, and free of secrets. */
export interface Desired {
  readonly lab: string;
  readonly provider: ProviderName;
  readonly nodes: readonly DesiredNode[];
}

export interface DesiredNode {
  readonly name: string;
  readonly role: Role;
  /** What the provider itself is to be told of it, by name, in one line each. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What it is made from, where it is made. */
  readonly image?: string;
  readonly packages: readonly string[];
  readonly files: readonly DesiredFile[];
  /** In the order in which they are started. */
  readonly services: readonly DesiredService[];
  /** Nodes whose services are started before this node's: a balancer starts when its servers answer. */
  readonly after: readonly string[];
  /** What the summary says about the node: "httpd, page SITE1". */
  readonly about: string;
  /** Family of its system, which decides how services are driven: 'embedded', 'rhel' … */
  readonly family: string;
  /** Folder that stands for `/`; '' on a real machine. */
  readonly root: string;
  /** Where the node answers, as far as it was known: ports as they are, not as the topology has them. */
  readonly address?: string;
  readonly ports: readonly PortMapping[];
  /** Proxy nodes: the unix socket of the runtime API, a real path on the node. */
  readonly socket?: string;
  /** Proxy nodes with a configuration of the user's own: where that answers HTTP, as far as it can be told. */
  readonly site?: { readonly host?: string; readonly port: number; readonly tls: boolean };
  /** What guards (firewalls, SELinux) must let through where they are active: by guard, with the reason. */
  readonly allows?: Readonly<Record<string, readonly Allowance[]>>;
}

export interface Allowance {
  readonly what: string;
  /** A clause for "because …". */
  readonly why: string;
}

export interface DesiredFile {
  readonly path: string;
  readonly sha256: string;
}

export interface PortMapping {
  /** Port in the topology, and what it is for: 'http', 'statistics', … */
  readonly port: number;
  readonly use: string;
  /** Port in fact; differs where the topology's was not to be had. */
  readonly actual: number;
}

export interface DesiredService {
  readonly name: string;
  readonly revision: string;
  /** Managed files that it reads when it starts; a change of one needs `onChange`. */
  readonly watch: readonly string[];
  readonly onChange: 'reload' | 'restart';
  /** Its log, as a path on the node. */
  readonly logs: readonly string[];
  /** It does its work once, when all is in place. */
  readonly once?: boolean;
  /** It is what the node is there for: what `lablb fail` makes fail. */
  readonly main?: boolean;
}
