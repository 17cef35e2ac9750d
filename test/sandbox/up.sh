#!/bin/bash
# up.sh FOLDER: a sandbox with LXD of its own, as root on Linux. Again on one that is up: nothing happens.
# With LABLB_SANDBOX_DAEMON=incus it is Incus in the place of LXD, and `lxc` is not to be found inside.
#
#   FOLDER/bin/inside   runs a command inside, where `lxc` means this LXD: `inside lxc list`, `inside lablb up`
#   FOLDER/bin/lxc      the same for the client alone (FOLDER/bin/incus)
#   FOLDER/client       the client's name
#
# One process, the holder, is the first of a process namespace and has network and mount namespaces too; the daemon,
# the containers and the LAN live inside. When the holder ends, so does all of it, and the kernel tidies up.
# Inside: `lan0`, the interface of the default route, on a LAN 198.18.0.0/24 with DHCP (dnsmasq on the other end of the
# pair, 198.18.0.1), and LXD's bridge lxdbr0, 198.18.1.0/24.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
# The root of a container is nobody here, and has to get through to its file system.
chmod 711 "$folder"
export LC_ALL=C

case ${LABLB_SANDBOX_DAEMON:-lxd} in
lxd) client=lxc other=incus daemon=lxd init="lxd init" prefix=LXD options="--group root" packages=packages ;;
incus) client=incus other=lxc daemon=/usr/libexec/incus/incusd init="incus admin init" prefix=INCUS options="" packages=packages.incus ;;
*) echo "sandbox: LABLB_SANDBOX_DAEMON is lxd or incus" >&2 && exit 1 ;;
esac

main() {
  [ "$(id -u)" = 0 ] || fail "the sandbox needs root"
  for tool in $daemon $client dnsmasq unshare nsenter debootstrap mksquashfs newuidmap; do
    command -v $tool >/dev/null || fail "$tool is missing: apt-get install $(tr '\n' ' ' <"$here/$packages")"
  done
  if holder_lives; then
    "$folder/bin/$client" query /1.0 >/dev/null && exit 0
    fail "it is half up: $here/down.sh $folder"
  fi
  [ ! -e "$folder/holder" ] || fail "its holder is gone, its files are not: $here/down.sh $folder"
  images=$("$here/images/build.sh")
  hold
  wrappers
  limits
  lan
  daemon
  storage_and_images
}

holder_lives() { [ -e "$folder/holder" ] && [ "$(start_of "$(cut -d' ' -f1 "$folder/holder")")" = "$(cut -d' ' -f2 "$folder/holder")" ]; }

# When a process started, in ticks since the boot: with it, a pid is one process for ever.
start_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20 || true; }

# The holder, and its pid with its start in FOLDER/holder.
hold() {
  local cgroup=lablb-sandbox-$$ pid
  echo "$cgroup" >"$folder/cgroup"
  setsid unshare --net --mount --pid --fork --kill-child "$here/holder.sh" "$folder" "$cgroup" \
    </dev/null >"$folder/holder.log" 2>&1 &
  wait_for "the namespaces" 100 test -e "$folder/held"
  pid=$(ps -o pid= --ppid $! | tr -d ' ')
  echo "$pid $(start_of "$pid")" >"$folder/holder"
  disown
}

wrappers() {
  local pid path
  pid=$(cut -d' ' -f1 "$folder/holder")
  mkdir -p "$folder/bin" "$folder/config"
  # `images:` is a server of images elsewhere; here it is this very LXD, so that topologies need no change.
  printf 'default-remote: local\nremotes:\n  images: {addr: "unix://%s/daemon/unix.socket", public: false}\n' "$folder" \
    >"$folder/config/config.yml"
  cat >"$folder/bin/inside" <<SH
#!/bin/sh
exec nsenter --target $pid --net --mount --pid --cgroup --wd="\$PWD" -- \\
  env ${prefix}_DIR=$folder/daemon ${prefix}_CONF=$folder/config "\$@"
SH
  printf '#!/bin/sh\nexec %s/bin/inside %s "$@"\n' "$folder" "$(command -v $client)" >"$folder/bin/$client"
  chmod 755 "$folder"/bin/*
  echo "$client" >"$folder/client"
  # Here is one of the two, whatever this machine has.
  if path=$(command -v $other); then inside mount --bind /dev/null "$path"; fi
}

# Counted per user, and containers are all of one user: as LXD's manual has it for more than a few. They are the
# machine's, and stay: another sandbox may need them.
limits() {
  raise fs/inotify/max_user_instances 8192
  raise kernel/keys/maxkeys 2000
  raise kernel/keys/maxbytes 2000000
}

raise() {
  local now
  now=$(cat "/proc/sys/$1")
  [ "$now" -ge "$2" ] || inside sh -c "echo $2 >/proc/sys/$1" || echo "sandbox: $1 is $now and cannot be raised" >&2
}

# A switch with a host (lan0) and a DHCP server (lan1) on it.
lan() {
  inside ip link set lo up
  inside sysctl -qw net.ipv4.ip_forward=1
  inside ip link add lan0 type veth peer name lan1
  inside ip netns add lan
  inside ip link set lan1 netns lan
  inside ip netns exec lan ip link set lo up
  inside ip netns exec lan ip address add 198.18.0.1/24 dev lan1
  inside ip netns exec lan ip link set lan1 up
  inside ip address add 198.18.0.10/24 dev lan0
  inside ip link set lan0 up
  inside ip route add default via 198.18.0.1
  "$here/dhcp.sh" "$folder"
}

daemon() {
  inside sh -c "mkdir -p $folder/daemon /sys/fs/cgroup/daemon; echo \$\$ >/sys/fs/cgroup/daemon/cgroup.procs; exec setsid $daemon $options </dev/null >$folder/daemon.log 2>&1 &"
  inside $daemon waitready --timeout 60
}

storage_and_images() {
  local debian rocky pool='driver: dir'
  # With btrfs an image is unpacked once and launches are snapshots, as on hosts that are set up well.
  if [ -e /dev/loop-control ] && grep -qw btrfs /proc/filesystems && command -v mkfs.btrfs >/dev/null; then
    pool='driver: btrfs, config: {size: 20GiB}'
  fi
  { read -r debian && read -r rocky; } <<<"$images"
  inside $init --preseed >/dev/null <<YAML
config: {}
networks:
  - {name: lxdbr0, type: bridge, config: {ipv4.address: 198.18.1.1/24, ipv4.nat: "false", ipv6.address: none}}
storage_pools:
  - {name: default, $pool}
profiles:
  - name: default
    devices:
      root: {path: /, pool: default, type: disk}
      eth0: {name: eth0, network: lxdbr0, type: nic}
YAML
  "$folder/bin/$client" -q image import "$debian/debian.meta.tar.gz" "$debian/debian.squashfs" --alias debian/12 </dev/null
  "$folder/bin/$client" -q image import "$rocky/rocky.meta.tar.gz" "$rocky/rocky.squashfs" --alias rockylinux/8 </dev/null
}

inside() { "$folder/bin/inside" "$@"; }

wait_for() {
  local what=$1 tries=$2
  shift 2
  for ((i = 0; i < tries; i++)); do
    "$@" && return 0
    sleep 0.1
  done
  cat "$folder/holder.log"
  fail "no sign of $what"
}

fail() {
  echo "sandbox: $*" >&2
  exit 1
}

main
