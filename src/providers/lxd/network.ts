import { LabError } from '../../errors.ts';
import type { LxdClient } from './client.ts';
import { BRING_DHCP, DHCP_CLIENT } from './dhcp.ts';

/** Seconds until a node must have an address. */
const ADDRESS_WITHIN_S = 30;
const GAVE_UP = 97;
const NO_INTERFACE = 96;
const NO_INOTIFY = 95;
const NO_CLIENT = 94;

/**
 * Waits on the node until its system manager answers and eth0 has a default route, which is when DHCP is done. On
 * macvlan a node that has booted, and whose eth0 nobody brings up, gets its DHCP here. `again`: it runs already, and its
 * interface may be another one than at boot. A node without any interface is not waited for.
 */
const WAIT = `
macvlan=$1 tries=$2 again=$3 client=$4
${BRING_DHCP}
# eth0; in a virtual machine it may be called otherwise.
nic() { for nic in eth0 $(ls /sys/class/net | grep ^e); do [ ! -e "/sys/class/net/$nic" ] || return 0; done; return 1; }
routed() { nic && grep -q "^$nic[[:space:]]00000000" /proc/net/route; }
booted() { case $(systemctl is-system-running 2>/dev/null) in running|degraded) ;; *) [ $i -gt 50 ] ;; esac; }
if [ "$again" = yes ] && ! routed; then
  if systemctl -q is-enabled lablb-dhcp; then systemctl restart lablb-dhcp
  elif has dhclient; then pkill -x dhclient; dhclient "$nic"
  elif has nmcli; then nmcli -t device reapply "$nic" || nmcli -t device connect "$nic"
  else networkctl reconfigure "$nic" || systemctl restart systemd-networkd; fi >/dev/null 2>&1
fi
i=0
until [ ! -d /run/systemd/system ] || [ -S /run/systemd/private ]; do
  i=$((i + 1)); [ $i -lt "$tries" ] || exit 97; sleep 0.1
done
failed= helped=
give_up() {
  journalctl -q -b -o cat --no-pager 2>/dev/null | grep -q 'inotify.*Too many open files' && exit 95
  [ "$failed" != 94 ] || exit 94
  exit 97
}
until routed; do
  i=$((i + 1)); [ $i -lt "$tries" ] || give_up
  [ $i -lt 30 ] || nic || exit 96
  if [ "$macvlan" = yes ] && [ -z "$helped" ] && [ $((i % 5)) = 0 ] && nic && booted && ! taken; then
    bring_dhcp && helped=yes || failed=$?
    [ "$failed" != 94 ] || [ $i -lt 100 ] || give_up
  fi
  sleep 0.1
done
`;

export const INOTIFY_HINT =
  'sudo sysctl -w fs.inotify.max_user_instances=8192   (and a line of it in /etc/sysctl.d)';

/** @throws LabError `lxd.inotify`, `node.no-interface`, `node.no-dhcp`, or `node.no-address` that tells what was waited for, and on which network. */
export async function waitForAddress(
  client: LxdClient,
  node: string,
  { parent, again, signal }: { parent?: string; again?: boolean; signal?: AbortSignal },
): Promise<void> {
  const options = [parent ? 'yes' : 'no', String(ADDRESS_WITHIN_S * 10), again ? 'yes' : 'no', DHCP_CLIENT];
  const script = ['sh', '-c', WAIT, 'sh', ...options];
  const deadline = Date.now() + ADDRESS_WITHIN_S * 1000;
  for (;;) {
    const result = await client.try(['exec', client.at(node), '-T', '--', ...script], {
      timeoutMs: (ADDRESS_WITHIN_S + 15) * 1000,
      signal,
      what: `${node}: waiting for an address`,
    });
    if (result.exitStatus === 0) return;
    if (result.exitStatus === NO_INTERFACE) throw noInterface(client, node);
    if (result.exitStatus === NO_INOTIFY) throw noInotify(node);
    if (result.exitStatus === NO_CLIENT) throw noClient(node);
    // A virtual machine's agent is not there at once.
    if (result.exitStatus !== GAVE_UP && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      continue;
    }
    throw noAddress(client, node, parent);
  }
}

function noInterface(client: LxdClient, node: string): LabError {
  return new LabError('it has no network interface', {
    code: 'node.no-interface',
    node,
    stderr: 'none of its profiles has a device of type nic; the default profile of a new project is empty',
    hints: [
      `${client.command} config show --expanded ${client.at(node)}`,
      "macvlan: auto under 'lxd:', or a profile with a nic in 'profiles:'",
    ],
  });
}

/** Counted for all containers of a host together: with many of them systemd starts, and can start nothing. */
function noInotify(node: string): LabError {
  return new LabError('its system cannot start: the host has no inotify instances left', {
    code: 'lxd.inotify',
    node,
    stderr: 'systemd there: Failed to create inotify object: Too many open files',
    hints: [INOTIFY_HINT, 'fewer containers on this host'],
  });
}

/** What its system has for its interfaces, if it has anything, leaves one of macvlan alone. */
function noClient(node: string): LabError {
  return new LabError('it has no DHCP client for an interface of macvlan', {
    code: 'node.no-dhcp',
    node,
    stderr: 'looked for: cron with dhclient, dhclient, dhcpcd, systemd-networkd, Python 3',
    hints: ['an image with one of them', 'a bridge instead: `macvlan: false`'],
  });
}

function noAddress(client: LxdClient, node: string, parent: string | undefined): LabError {
  const dhcp = parent
    ? 'the DHCP server of that LAN did not answer; Wi-Fi interfaces usually refuse macvlan'
    : 'the DHCP server of the bridge did not answer; a firewall of the host may stand in its way';
  const hints = parent ? ['a bridge instead: `macvlan: false`'] : [`${client.command} network list`];
  return new LabError(`no address after ${ADDRESS_WITHIN_S} s`, {
    code: 'node.no-address',
    node,
    stderr: `waited for an IPv4 address on eth0 (${parent ? `macvlan on ${parent}` : 'bridge'})\n${dhcp}`,
    hints: ['lablb doctor lxd', `${client.command} exec ${client.at(node)} -- dhclient -v eth0`, ...hints],
  });
}
