/**
 * The checked topology: what the rest of lablb works with. Every default is filled in, every name resolved,
 * so nothing below `topology/` asks "is it set?". The YAML schema in `schema.ts` produces it.
 */

export type ProviderName = 'local' | 'lxd' | 'ssh';
export type Role = 'web' | 'proxy' | 'client' | 'dns';
export type WebServer = 'httpd' | 'nginx' | 'embedded';
export type DnsServer = 'dnsmasq' | 'bind';
export type EngineName = 'lablb' | 'haproxy';

export interface Topology {
  /** Name of the lab: lower-case letters, digits, dashes. It names the state folder and marks ownership. */
  readonly name: string;
  /** The file it came from; undefined for a lab known only from its record. */
  readonly file?: string;
  readonly provider: ProviderName;
  /** In file order, counts expanded (`web: {count: 3}` gives web1, web2, web3). */
  readonly nodes: readonly TopologyNode[];
  readonly balancer: Balancer;
  readonly dns: DnsSettings;
  /** Settings of the provider's own (`lxd: {…}`, `ssh: {…}`), each checked by its schema. */
  readonly lxd?: Readonly<Record<string, unknown>>;
  readonly ssh?: Readonly<Record<string, unknown>>;
}

export interface TopologyNode {
  /** Fit for a host name (RFC 1123 label). */
  readonly name: string;
  readonly role: Role;
  /** Web nodes: what serves the page. */
  readonly server?: WebServer;
  /** Dns nodes: what answers. */
  readonly dns?: DnsServer;
  /** Whether it asks the lab's dns nodes for names. */
  readonly nameserver?: boolean;
  /** Proxy nodes: which engine balances. */
  readonly engine?: EngineName;
  /** Shown in the page: `<h1>SITE1 HTTP Server …`. */
  readonly title: string;
  /** Names under which this node is found, for /etc/hosts: the first is the canonical one; `name` is among them. */
  readonly names: readonly string[];
  /** Port the node answers on: a web node's own (80 unless said), a proxy's `balancer.port`, 53 for dns; 0 for clients. */
  readonly port: number;
  /** Ports published on the host (proxy nodes). */
  readonly publish: readonly number[];
  /** Fixed address, when the topology states one. */
  readonly address?: string;
  readonly packages: readonly string[];
  /**
   * Extra settings: those that only one provider reads (image, vm, limits, profiles …), and `files` (NodeFile[]) and
   * `commands` (string[]) of the user's own.
   */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** A file that the topology itself asks for on a node. */
export interface NodeFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

/** What the dns nodes do. */
export interface DnsSettings {
  /** Seconds. */
  readonly ttl: number;
  /** Servers asked for other names: those that the dns node has itself, or these; none is nobody. */
  readonly forward: 'auto' | readonly string[];
}

export interface Balancer {
  /** 'roundrobin' | 'leastconn' | 'source' | … as in `balance`. */
  readonly balance: string;
  /** Port of the HTTP frontend. */
  readonly port: number;
  /** Host name → names of web nodes, in order. Empty: every web node serves every host. */
  readonly sites: readonly Site[];
  readonly check: HealthCheck | undefined;
  readonly stats: StatsPage | undefined;
  readonly tls: TlsSettings | undefined;
  /** A second frontend for files. */
  readonly static: StaticFiles | undefined;
  /** Whether servers see the client's address in X-Forwarded-For, and for which clients not. */
  readonly forwardFor: { readonly except?: string } | undefined;
  /** Whether error files are rendered; otherwise the engine's own pages are shown. */
  readonly errorPages: boolean;
  readonly log: LogSettings;
  /** The user's own haproxy.cfg instead of the rendered one. `template` says whether it is Handlebars. */
  readonly config?: { readonly file: string; readonly text: string; readonly template: boolean };
}

export interface Site {
  /** Short name, unique in the lab and fit for a backend or an ACL: `site1` for site1.testdomain.com. */
  readonly id: string;
  readonly host: string;
  /** Other hosts that reach the same site. */
  readonly aliases: readonly string[];
  /** How one of its servers is chosen, where it is not as `Balancer.balance`. */
  readonly balance?: string;
  readonly servers: readonly string[];
}

/** Times in milliseconds. */
export interface HealthCheck {
  readonly type: 'tcp' | 'http';
  readonly method: 'GET' | 'HEAD' | 'OPTIONS';
  readonly path: string;
  /** Host that is asked for, in HTTP/1.1; HTTP/1.0 without. */
  readonly host?: string;
  readonly inter: number;
  readonly timeout: number;
  readonly rise: number;
  readonly fall: number;
}

export interface StatsPage {
  readonly port: number;
  readonly uri: string;
  readonly realm: string;
  /** Seconds between refreshes of the page; 0 for none. */
  readonly refresh: number;
  readonly user?: string;
  /** Absent with a user: `up` makes one, which is kept beside the lab's record. */
  readonly password?: string;
  readonly admin: boolean;
}

export interface TlsSettings {
  readonly port: number;
  /** Whether HTTP only leads to HTTPS. */
  readonly redirect: boolean;
  /** How long the lab's own certificate is good for. */
  readonly days: number;
  /** Names and addresses of the certificate beside those of sites and proxy nodes. */
  readonly names: readonly string[];
  /** Absolute paths of the user's own PEM files; the key is in the certificate's file unless it is named. */
  readonly given?: { readonly certificate: string; readonly key?: string; readonly authority?: string };
}

/** Requests whose path begins or ends like this go to these servers. */
export interface StaticFiles {
  readonly port: number;
  readonly servers: readonly string[];
  readonly begins: readonly string[];
  readonly ends: readonly string[];
}

export interface LogSettings {
  /** Where requests are logged on the proxy node. */
  readonly file: string;
  /** Where the balancer logs what it says of itself and its servers, if not there too. */
  readonly info?: string;
  readonly via: 'file' | 'rsyslog-socket' | 'rsyslog-udp';
}
