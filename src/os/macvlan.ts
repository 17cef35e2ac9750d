import type { FileSpec } from '../providers/provider.ts';

/**
 * It cannot manage a macvlan interface; but when it starts it would take down what cron has brought up, and write an
 * empty /etc/resolv.conf.
 */
export const NETWORKMANAGER_LEAVES_ETH0 = {
  path: '/etc/NetworkManager/conf.d/90-lablb-macvlan.conf',
  content:
    '# Written by lablb.\n[main]\ndns=none\n[device-lablb]\nmatch-device=interface-name:eth0\nmanaged=0\n',
};

/**
 * What the tutorial puts in root's crontab with `crontab -e`: on macvlan nothing else brings up eth0 of a container of
 * Red Hat's family. Here it is a file, in place before the first boot.
 */
export const MACVLAN_FILES: readonly FileSpec[] = [
  { path: '/var/spool/cron/root', content: '@reboot /usr/sbin/dhclient\n', mode: 0o600 },
  NETWORKMANAGER_LEAVES_ETH0,
];
