#!/bin/sh
# holder.sh FOLDER CGROUP: the first process inside; see up.sh. A cgroup2 tree alone, or systemd in containers fails.
set -eu

if [ "${3:-}" != inside ]; then
  mount --make-rprivate /
  mount -t proc proc /proc
  mkdir -p /run/netns
  mount -t tmpfs tmpfs /run/netns
  # /sys shows the interfaces of the namespace in which it was mounted.
  umount -l -R /sys 2>/dev/null || umount -l /sys
  mount -t sysfs sysfs /sys
  mount -t cgroup2 none /sys/fs/cgroup
  mkdir -p "/sys/fs/cgroup/$2"
  echo $$ >"/sys/fs/cgroup/$2/cgroup.procs"
  umount /sys/fs/cgroup
  # The tree begins here for all that lives inside.
  exec unshare --cgroup "$0" "$1" "$2" inside
fi

mount -t cgroup2 none /sys/fs/cgroup
mkdir /sys/fs/cgroup/holder
echo $$ >/sys/fs/cgroup/holder/cgroup.procs
touch "$1/held"
# The first process takes in orphans: an idle shell collects them.
trap 'exit 0' TERM
while :; do
  sleep 3600 &
  wait
done
