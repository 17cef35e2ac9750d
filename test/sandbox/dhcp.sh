#!/bin/bash
# dhcp.sh FOLDER [off | OPTION…]: the DHCP server of the sandbox's LAN, ended if there is one, and started with these
# options of dnsmasq beside its own.
set -euo pipefail
folder=$(cd "$1" && pwd)
shift
inside() { "$folder/bin/inside" "$@"; }

if [ -e "$folder/dnsmasq.pid" ]; then
  pid=$(cat "$folder/dnsmasq.pid")
  inside kill "$pid" 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do
    inside kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  rm -f "$folder/dnsmasq.pid"
fi
[ "${1:-}" != off ] || exit 0
# Leases are short: each new node takes one, and a day's work needs more than the LAN has addresses.
inside ip netns exec lan dnsmasq --conf-file=/dev/null --interface=lan1 --bind-interfaces --no-resolv --no-hosts \
  --dhcp-authoritative --no-ping --dhcp-range=198.18.0.100,198.18.0.250,10m --dhcp-leasefile="$folder/leases" \
  --pid-file="$folder/dnsmasq.pid" --user=root --log-facility="$folder/dnsmasq.log" --log-dhcp "$@"
