/**
 * What the tutorial puts in root's crontab with `crontab -e`: on macvlan nothing else brings up eth0 of a system of Red
 * Hat's family. Here it is a file, in place before the first boot.
 */
export const DHCLIENT_CRONTAB = {
  path: '/var/spool/cron/root',
  content: '@reboot /usr/sbin/dhclient\n',
  mode: 0o600,
};
