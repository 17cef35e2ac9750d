#!/bin/bash
# base.sh FOLDER MIRROR: FOLDER/root, a Debian 12 with systemd, as small as it can be.
set -euo pipefail
folder=$1 mirror=$2
packages=systemd,systemd-sysv,dbus,cron,isc-dhcp-client,iproute2,curl,ca-certificates,netbase,rsyslog,procps,iputils-ping,less,logrotate
debootstrap --variant=minbase --include="$packages" bookworm "$folder/root" "$mirror"
