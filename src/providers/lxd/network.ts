import { LabError } from '../../errors.ts';
import type { RunResult } from '../../shell/run.ts';
import { PROBE } from '../machine/probe.ts';
import type { LxdClient } from './client.ts';
import { BRING_DHCP, DHCP_CLIENT } from './dhcp.ts';

/** Seconds until a node must have an address. */
const ADDRESS_WITHIN_S = 30;
const LOOKS_A_SECOND = 20;
const GAVE_UP = 97;
const NO_INTERFACE = 96;
const NO_INOTIFY = 95;
const NO_CLIENT = 94;
const NEXT_FAILED = 93;

/**
 * Waits on the node until its system manager answers and eth0 has a default route, which is when DHCP is done. On
 * macvlan a node that has booted, and whose eth0 nobody brings up, gets its DHCP here. `again`: it runs already, and its
 * interface may be another one than at boot. A node without any interface is not waited for.
 */
const WAIT = `
macvlan=$1 tries=$2 again=$3 client=$4
${BRING_DHCP}
# eth0; in a virtual machine it may be called otherwise.
nic() { for nic in eth0 /sys/class/net/e*; do nic=\${nic##*/}; [ ! -e "/sys/class/net/$nic" ] || return 0; done; return 1; }
# A default route on it.
routed() { nic && while read -r on to _; do [ "$on $to" != "$nic 00000000" ] || return 0; done </proc/net/route && return 1; }
booted() { case $(systemctl is-system-running 2>/dev/null) in running|degraded) ;; *) [ $i -gt 100 ] ;; esac; }
if [ "$again" = yes ] && ! routed; then
  if systemctl -q is-enabled lablb-dhcp; then systemctl restart lablb-dhcp
  elif has dhclient; then pkill -x dhclient; dhclient "$nic"
  elif has nmcli; then nmcli -t device reapply "$nic" || nmcli -t device connect "$nic"
  else networkctl reconfigure "$nic" || systemctl restart systemd-networkd; fi >/dev/null 2>&1
fi
i=0
until [ ! -d /run/systemd/system ] || [ -S /run/systemd/private ]; do
  i=$((i + 1)); [ $i -lt "$tries" ] || exit 97; sleep 0.05
done
failed= helped=
give_up() {
  journalctl -q -b -o cat --no-pager 2>/dev/null | grep -q 'inotify.*Too many open files' && exit 95
  [ "$failed" != 94 ] || exit 94
  exit 97
}
until routed; do
  i=$((i + 1)); [ $i -lt "$tries" ] || give_up
  [ $i -lt 60 ] || nic || exit 96
  if [ "$macvlan" = yes ] && [ -z "$helped" ] && [ $((i % 10)) = 0 ] && nic && booted && ! taken; then
    bring_dhcp && helped=yes || failed=$?
    [ "$failed" != 94 ] || [ $i -lt 200 ] || give_up
  fi
  sleep 0.05
done
`;

/** The same, then a command of its own if there is one, then what the node is like now: one call for all. */
const WAIT_AND_TELL = `${WAIT}
shift 4
[ $# = 0 ] || "$@" >&2 || { sleep 0.1; exit 93; }
set --
${PROBE}`;

export const INOTIFY_HINT =
  'sudo sysctl -w fs.inotify.max_user_instances=8192   (and a line of it in /etc/sysctl.d)';

export interface Wait {
  /** Interface of the LAN that it is on; undefined on a bridge. */
  readonly parent?: string;
  readonly again?: boolean;
  /** A command for the node, run at once when it has its address. */
  readonly andThen?: { readonly argv: readonly string[]; readonly timeoutMs: number };
}

/**
 * Waits for a node's address, and comes back with what the node says of itself (PROBE).
 *
 * @throws LabError `lxd.inotify`, `node.no-interface`, `node.no-dhcp`, or `node.no-address` that tells what was waited for, and
 * on which network; `node.command-failed` when what comes after it fails.
 */
export async function waitForAddress(
  client: LxdClient,
  node: string,
  { parent, again, andThen }: Wait,
): Promise<string> {
  const options = [
    parent ? 'yes' : 'no',
    String(ADDRESS_WITHIN_S * LOOKS_A_SECOND),
    again ? 'yes' : 'no',
    DHCP_CLIENT,
  ];
  const script = ['sh', '-c', WAIT_AND_TELL, 'sh', ...options, ...(andThen?.argv ?? [])];
  const deadline = Date.now() + ADDRESS_WITHIN_S * 1000;
  for (;;) {
    const result = await client.try(['exec', client.at(node), '-T', '--', ...script], {
      timeoutMs: (ADDRESS_WITHIN_S + 15) * 1000 + (andThen?.timeoutMs ?? 0),
      what: `${node}: waiting for an address`,
    });
    if (result.exitStatus === 0) return result.stdout;
    if (result.exitStatus === NEXT_FAILED) throw commandFailed(node, andThen!.argv, result);
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

function commandFailed(node: string, command: readonly string[], { stderr }: RunResult): LabError {
  return new LabError('could not install its packages', {
    code: 'node.command-failed',
    node,
    command,
    stderr,
  });
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
