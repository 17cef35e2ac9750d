import type { Family } from './family.ts';
import { managing } from './packages.ts';
import { defineUnit, systemctl } from './systemd.ts';
import { failWithSystemd, healWithSystemd } from './systemd-faults.ts';

/** Always there, and some releases have it under another name (curl-minimal), with which it would clash. */
const THERE = new Set(['curl']);

const RPM = {
  list: "rpm -qa --qf '%{NAME}\\n'",
  install: `rpm -q "$@" >/dev/null 2>&1 && return 0
dnf=$(command -v dnf || command -v microdnf || command -v yum)
for pause in 0 2 5; do sleep $pause; "$dnf" install -y -q "$@" >/dev/null && return 0; done
return 1`,
  // All or nothing at once; then one by one, as far as that leads.
  remove: `rpm -e "$@" && return 0
for round in "$@"; do
  before=$#
  for name in "$@"; do shift; rpm -e "$name" || set -- "$@" "$name"; done
  [ $# -lt $before ] || break
done`,
  owns: 'rpm -qf "$1"',
};

/** Red Hat, Rocky, Alma, CentOS, Fedora. */
export const rhel: Family = {
  name: 'rhel',
  define: defineUnit,
  service: systemctl,
  fail: failWithSystemd,
  heal: healWithSystemd,
  packages: (wanted) => [...new Set(wanted.filter((name) => !THERE.has(name)))],
  ...managing(RPM),
  typed: (packages) => [['dnf', 'install', '-y', ...packages]],
  software: {
    httpd: { service: 'httpd', logs: ['/var/log/httpd/error_log', '/var/log/httpd/access_log'] },
    nginx: { service: 'nginx', logs: ['/var/log/nginx/error.log', '/var/log/nginx/access.log'] },
    haproxy: { service: 'haproxy', logs: ['/var/log/haproxy.log'] },
    dnsmasq: { service: 'dnsmasq', logs: ['/var/log/dnsmasq.log'] },
    bind: { service: 'named', logs: ['/var/named/data/named.log'] },
    rsyslog: { service: 'rsyslog', logs: ['/var/log/messages'] },
  },
};
