import type { FileSpec } from '../providers/provider.ts';

/** Programs that write /etc/resolv.conf, and what keeps them from it or tells them who to ask. */

/** Read by systemd-resolved. */
export const RESOLVED_FILE = '/etc/systemd/resolved.conf.d/lablb.conf';

export const NETWORKMANAGER_FILE: FileSpec = {
  path: '/etc/NetworkManager/conf.d/90-lablb.conf',
  content: '# Written by lablb: /etc/resolv.conf is the lab’s.\n[main]\ndns=none\n',
};

/** Sourced by dhcpcd before its own hooks, one of which would write the file anew with each lease. */
export const DHCPCD_HOOK: FileSpec = {
  path: '/etc/dhcpcd.enter-hook',
  content: '# Written by lablb: /etc/resolv.conf is the lab’s.\nskip_hooks="$skip_hooks resolv.conf"\n',
  keepOriginal: true,
};

/** dhclient would write the file anew with each lease. */
export const DHCLIENT_HOOK =
  '# Written by lablb: /etc/resolv.conf is the lab’s.\nmake_resolv_conf() { :; }\n';

export function dhclientHookPath(family = 'rhel'): string {
  return family === 'debian' ? '/etc/dhcp/dhclient-enter-hooks.d/lablb' : '/etc/dhcp/dhclient-enter-hooks';
}
