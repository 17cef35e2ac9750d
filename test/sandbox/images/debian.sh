#!/bin/bash
# debian.sh FOLDER BASE: as images:debian/12: eth0 by systemd-networkd, no cron, no dhclient, no web server.
set -euo pipefail
. ./pack.sh
folder=$1 base=$2
root=$folder/root
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

cp -a "$base" "$root"
quiet_services "$root"
chroot "$root" apt-get update -qq
# Without udev networkd waits for it for ever.
chroot "$root" apt-get install -qq -y --no-install-recommends udev
chroot "$root" apt-get purge -qq -y --autoremove cron isc-dhcp-client

# What nodes will install, with all that it needs, as a repository of files.
packages=$root/srv/packages
mkdir -p "$packages"
chroot "$root" apt-get install -qq -y --no-install-recommends --download-only \
  apache2 nginx haproxy cron isc-dhcp-client dhcpcd-base tree dnsmasq bind9 bind9-dnsutils ufw nftables
mv "$root"/var/cache/apt/archives/*.deb "$packages/"
for deb in "$packages"/*.deb; do
  chroot "$root" dpkg-deb -f "/srv/packages/${deb##*/}"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
done >"$packages/Packages"
echo 'deb [trusted=yes] file:/srv/packages ./' >"$root/etc/apt/sources.list"
rm -rf "$root"/var/lib/apt/lists/* "$root/usr/sbin/policy-rc.d"

cat >"$root/etc/systemd/network/eth0.network" <<'UNIT'
[Match]
Name=eth0

[Network]
DHCP=ipv4

[DHCPv4]
UseDomains=true
UNIT
chroot "$root" systemctl enable systemd-networkd
chroot "$root" systemctl mask systemd-networkd-wait-online
pack "$root" "$folder" debian Debian 12
