#!/bin/bash
# uplink.sh FOLDER [off]: a way from the sandbox's LAN to the package mirror of this machine, and names: a pair of
# interfaces and masquerading for what comes through it, in a table of nftables of its own. Needs root and nft. `off`
# takes it away, and so does down.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$1" && pwd)
inside() { "$folder/bin/inside" "$@"; }
table=lablb_uplink
# One of the addresses that are nobody's (RFC 2544), beside those of the LAN and the bridge.
host=198.18.2.1 lan=198.18.2.2

if [ -e "$folder/uplink" ]; then
  read -r forwarding <"$folder/uplink"
  ip link delete sandbox0 2>/dev/null || true
  nft delete table ip $table 2>/dev/null || true
  echo "$forwarding" >/proc/sys/net/ipv4/ip_forward
  rm "$folder/uplink"
  "$here/dhcp.sh" "$folder"
fi
[ "${2:-}" != off ] || exit 0

cat /proc/sys/net/ipv4/ip_forward >"$folder/uplink"
holder=$(cut -d' ' -f1 "$folder/holder")
ip link add sandbox0 type veth peer name up0 netns "$holder"
inside ip link set up0 netns lan
ip address add $host/30 dev sandbox0
ip link set sandbox0 up
in_lan() { inside ip netns exec lan "$@"; }
in_lan ip address add $lan/30 dev up0
in_lan ip link set up0 up
in_lan ip route add default via $host
# In there everything from the LAN has one address, so that nothing out here needs a route to it.
in_lan sysctl -qw net.ipv4.ip_forward=1
in_lan nft -f - <<END
table ip $table { chain out { type nat hook postrouting priority 100; oifname "up0" masquerade; }; }
END
echo 1 >/proc/sys/net/ipv4/ip_forward
nft -f - <<END
table ip $table { chain out { type nat hook postrouting priority 100; ip saddr $lan masquerade; }; }
END
"$here/dhcp.sh" "$folder" --server="$(sed -n 's/^nameserver //p;T;q' /etc/resolv.conf)"
