#!/bin/bash
# rocky.sh FOLDER BASE: what a lab meets on images:rockylinux/8, made from Debian, for Rocky's own mirrors are not in
# reach: ID=rocky, dnf and rpm with a local repository (httpd, nginx, haproxy, dnsmasq, bind, firewalld, NetworkManager built by rpmbuild with Red Hat's paths),
# crond with root's crontab in /var/spool/cron/root, dhclient, rsyslog; no apt, no dpkg.
set -euo pipefail
. ./pack.sh
folder=$1 base=$2
here=$PWD root=$folder/root
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

main() {
  cp -a "$base" "$root"
  quiet_services "$root"
  chroot "$root" apt-get update -qq
  chroot "$root" apt-get install -qq -y --no-install-recommends dnf rpm file createrepo-c \
    libapr1 libaprutil1 libpcre2-8-0 liblua5.3-0 libopentracing-c-wrapper0 \
    libdbus-1-3 libhogweed6 libidn2-0 libnetfilter-conntrack3 libnettle8 \
    bind9-libs libcap2 libedit2 libfstrm0 libjemalloc2 libjson-c5 liblmdb0 libmaxminddb0 libnghttp2-14 libprotobuf-c1 libuv1 libxml2 \
    gir1.2-glib-2.0 nftables polkitd python3-dbus python3-gi python3-nftables
  build_packages
  become_rocky
  pack "$root" "$folder" rocky Rockylinux 8
}

# Debian's programs in packages that are Red Hat's outside.
build_packages() {
  local work=$root/root/rpmbuild spec
  mkdir -p "$work/debs" "$work/SPECS" "$root/srv/repo"
  (cd "$work/debs" && chroot "$root" sh -c 'cd /root/rpmbuild/debs && apt-get -qq download \
    apache2-bin nginx haproxy tree dnsmasq-base bind9 bind9-utils bind9-dnsutils bind9-host firewalld python3-firewall \
    network-manager libnm0 libndp0 udev')
  for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/debs/root"; done
  cp "$here"/rpm/*.spec "$work/SPECS/"
  for spec in "$work"/SPECS/*.spec; do
    chroot "$root" rpmbuild -bb --quiet --define '_rpmdir /srv/repo' --define 'debs /root/rpmbuild/debs/root' \
      --define '_unitdir /usr/lib/systemd/system' --define '_build_id_links none' --define '_buildshell /bin/bash' --define '__strip /bin/true' \
      --define '_lib64 /usr/lib64' "/root/rpmbuild/SPECS/${spec##*/}"
  done
  chroot "$root" createrepo_c -q /srv/repo
  # These are on a Rocky image from the start, and here too, but as Debian's: let rpm know.
  chroot "$root" bash -c 'rpm --initdb; rpm -i /srv/repo/noarch/{rocky-base,cronie,dhcp-client,rsyslog}-*.rpm'
  rm -rf "$work"
}

become_rocky() {
  rm -f "$root/etc/os-release"
  cat >"$root/etc/os-release" <<'TEXT'
NAME="Rocky Linux"
VERSION="8.10 (test sandbox)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="8.10"
PLATFORM_ID="platform:el8"
PRETTY_NAME="Rocky Linux 8.10 (made for tests from Debian)"
TEXT
  mkdir -p "$root/etc/yum.repos.d" "$root/etc/dnf/vars"
  echo 8 >"$root/etc/dnf/vars/releasever"
  printf '[appstream]\nname=Rocky Linux 8 - AppStream (files)\nbaseurl=file:///srv/repo\nenabled=1\ngpgcheck=0\n' \
    >"$root/etc/yum.repos.d/rocky.repo"

  # cronie: the daemon is crond, root's crontab is /var/spool/cron/root.
  rm -rf "$root/var/spool/cron/crontabs"
  ln -s . "$root/var/spool/cron/crontabs"
  ln -s cron "$root/usr/sbin/crond"
  sed -e 's/^ExecStart=.*/ExecStart=\/usr\/sbin\/crond -f/' -e '/EnvironmentFile/d' -e '/^Alias/d' \
    "$root/lib/systemd/system/cron.service" >"$root/usr/lib/systemd/system/crond.service"
  chroot "$root" systemctl disable cron
  rm -f "$root/lib/systemd/system/cron.service"
  chroot "$root" systemctl enable crond

  # OpenSSH's daemon is sshd.
  mv "$root/lib/systemd/system/ssh.service" "$root/usr/lib/systemd/system/sshd.service"
  mv "$root/etc/systemd/system/ssh.service.d" "$root/etc/systemd/system/sshd.service.d"
  sed -i '/^Alias/d' "$root/usr/lib/systemd/system/sshd.service"

  # NetworkManager takes a bridge's eth0, and leaves a macvlan's alone.
  cat >"$root/usr/lib/systemd/system/NetworkManager.service" <<'UNIT'
[Unit]
Description=Stands in for NetworkManager: eth0 by DHCP, unless it is macvlan
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip -d link show eth0 | grep -q macvlan || dhclient -nw eth0'
[Install]
WantedBy=multi-user.target
UNIT
  chroot "$root" systemctl enable NetworkManager
  chroot "$root" systemctl mask systemd-networkd systemd-binfmt
  rm -rf "$root"/usr/bin/apt* "$root"/usr/bin/dpkg* "$root"/var/lib/{apt,dpkg} "$root/usr/sbin/policy-rc.d"
}

main
