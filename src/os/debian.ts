import type { Family } from './family.ts';
import { managing } from './packages.ts';
import { defineUnit, systemctl } from './systemd.ts';
import { failWithSystemd, healWithSystemd } from './systemd-faults.ts';

const PACKAGES: Readonly<Record<string, string>> = {
  httpd: 'apache2',
  bind: 'bind9',
  'bind-utils': 'bind9-dnsutils',
};

const APT = {
  list: `dpkg-query -W -f '\${db:Status-Abbrev}\${Package}\\n' | sed -n 's/^ii //p'`,
  // Lists may be absent or old: they are fetched when the first try fails. Files of ours are kept as they are.
  install: `export DEBIAN_FRONTEND=noninteractive
get() { apt-get install -qq -y --no-install-recommends -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120 \${fresh:+-o Dpkg::Options::=--force-unsafe-io} "$@" >/dev/null; }
get "$@" 2>/dev/null && return 0
for pause in 0 2 5; do sleep $pause; apt-get update -qq \${fresh:+-o Acquire::Languages=none} && break; done
get "$@"`,
  // Says no for what others need, and removes the rest.
  remove: 'DEBIAN_FRONTEND=noninteractive dpkg --purge "$@"',
  owns: 'dpkg-query -S "$1"',
};

/** Debian, Ubuntu. */
export const debian: Family = {
  name: 'debian',
  define: defineUnit,
  service: systemctl,
  fail: failWithSystemd,
  heal: healWithSystemd,
  packages: (wanted) => [...new Set(wanted.map((name) => PACKAGES[name] ?? name))],
  ...managing(APT),
  typed: (packages) => [
    ['apt-get', 'update'],
    [
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      'install',
      '-y',
      '--no-install-recommends',
      ...packages,
    ],
  ],
  software: {
    httpd: { service: 'apache2', logs: ['/var/log/apache2/error.log', '/var/log/apache2/access.log'] },
    nginx: { service: 'nginx', logs: ['/var/log/nginx/error.log', '/var/log/nginx/access.log'] },
    haproxy: { service: 'haproxy', logs: ['/var/log/haproxy.log'] },
    dnsmasq: { service: 'dnsmasq', logs: ['/var/log/dnsmasq.log'] },
    bind: { service: 'named', logs: ['/var/cache/bind/named.log'] },
    rsyslog: { service: 'rsyslog', logs: ['/var/log/syslog'] },
  },
};
