/** Where a family of systems has the files of its DNS servers. */
export interface DnsPaths {
  /** The whole configuration of each server. */
  readonly dnsmasq: string;
  readonly bind: string;
  /** Folder of BIND's zones. */
  readonly zones: string;
  /** Folder that BIND works in, which it may write to. */
  readonly directory: string;
  /** Where the servers log, in places that SELinux and AppArmor let them. */
  readonly logs: Readonly<Record<'dnsmasq' | 'bind', string>>;
}

const PATHS: Readonly<Record<string, DnsPaths>> = {
  rhel: {
    dnsmasq: '/etc/dnsmasq.conf',
    bind: '/etc/named.conf',
    zones: '/var/named/lablb',
    directory: '/var/named',
    logs: { dnsmasq: '/var/log/dnsmasq.log', bind: '/var/named/data/named.log' },
  },
  debian: {
    dnsmasq: '/etc/dnsmasq.conf',
    bind: '/etc/bind/named.conf',
    zones: '/etc/bind/lablb',
    directory: '/var/cache/bind',
    logs: { dnsmasq: '/var/log/dnsmasq.log', bind: '/var/cache/bind/named.log' },
  },
};

/** Paths of a family; those of Red Hat's for one that is not known yet. */
export function dnsPaths(family = 'rhel'): DnsPaths {
  return PATHS[family] ?? PATHS.rhel!;
}

/** Names of the lab for lablb's own server on a local node, in the form of /etc/hosts. */
export const EMBEDDED_NAMES = '/etc/lablb/dns.hosts';
