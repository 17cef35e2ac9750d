import type { NodeName } from '../providers/provider.ts';

/** How a system finds addresses of names, as its own /etc/resolv.conf had it before any lab. */
export interface Resolver {
  /** Who writes the file; `link` for a link to something unknown, its `target`. */
  readonly owner: 'file' | 'dhclient' | 'dhcpcd' | 'networkmanager' | 'resolved' | 'link';
  readonly target?: string;
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
}

export type Provisional = 'address' | 'system';

/** What a lab has that its topology does not say: made or read by lablb, never in its record. */
export interface Credentials {
  /** The statistics page's, when the topology leaves it to lablb. */
  readonly statsPassword?: string;
  readonly tls?: TlsFiles;
}

/** PEM texts. */
export interface TlsFiles {
  /** The server's certificate, with those between it and its authority. */
  readonly certificate: string;
  readonly key: string;
  /** Both and the authority's, as PKCS#12; only of certificates that lablb made. */
  readonly pkcs12?: string | Uint8Array;
  /** For clients to trust. */
  readonly authority?: string;
}

/** What only the provider knows about a node and its neighbours, for rendering the node's files. */
export interface NodeView {
  /**
   * `embedded`: processes on this machine under a folder (provider local): the whole of /etc/hosts is ours, the
   * configuration names addresses and real paths, logs go to standard output, no chroot, user or daemon.
   * `machine`: a system of its own: /etc/hosts gets a block, the configuration names hosts.
   */
  readonly kind: 'embedded' | 'machine';
  /** IPv4 address of each node, by name. A node without one is left out of /etc/hosts. */
  readonly addresses: ReadonlyMap<NodeName, string>;
  /** Ports that differ from the topology's: node → port of the topology → port in fact. */
  readonly ports?: ReadonlyMap<NodeName, ReadonlyMap<number, number>>;
  /** Folder that stands for `/` on the node, without a final slash; '' on a real machine. */
  readonly root: string;
  /** Where the balancer listens: an address of its own, or '*' for all (the default). */
  readonly bind?: string;
  /** 'rhel', 'debian' …: decides where a web server keeps its page. 'rhel' unless said. */
  readonly family?: string;
  /**
   * The node is not there yet, and what is said of it here is a guess, good enough to show a plan: `address` where only
   * addresses are not known, `system` where its family is not either.
   */
  readonly provisional?: Provisional;
  /** What the provider itself is to be told of it (profiles, devices, limits), by name, in one line each. */
  readonly settings?: ReadonlyMap<string, string>;
  /** What a node that is not there is made from, where that is the provider's affair. */
  readonly image?: string;
  /** Absent where nobody has looked yet. */
  readonly resolver?: Resolver;
  /** eth0 gets its address from a line in root's crontab, as in the tutorial (macvlan), and NetworkManager leaves it alone. */
  readonly dhclient?: boolean;
  /** Unix socket of the balancer, when `<root>/run/haproxy/admin.sock` will not do (108 bytes at most). */
  readonly socket?: string;
  /** Absent where only the form of the files matters: placeholders stand for them. */
  readonly credentials?: Credentials;
}
