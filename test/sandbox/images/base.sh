#!/bin/bash
# base.sh FOLDER MIRROR: FOLDER/root, a Debian 12 with systemd, as small as it can be.
set -euo pipefail
folder=$1 mirror=$2
export LC_ALL=C
packages=systemd,systemd-sysv,dbus,cron,isc-dhcp-client,iproute2,curl,ca-certificates,netbase,rsyslog,procps,iputils-ping,less,logrotate,openssh-server,sudo
debootstrap --variant=minbase --include="$packages" bookworm "$folder/root" "$mirror"

# As on a machine that was just set up: keys of its own at the first start, and off until somebody wants it.
rm "$folder"/root/etc/ssh/ssh_host_*
mkdir "$folder/root/etc/systemd/system/ssh.service.d"
printf '[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\n' >"$folder/root/etc/systemd/system/ssh.service.d/keys.conf"
chroot "$folder/root" systemctl disable ssh
