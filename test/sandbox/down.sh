#!/bin/bash
# down.sh FOLDER: ends the sandbox of up.sh and removes its folder. Again, or on half a one: the same.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ -d "$1" ] || exit 0
folder=$(cd "$1" && pwd)

main() {
  [ ! -e "$folder/uplink" ] || "$here/uplink.sh" "$folder" off || true
  if [ -e "$folder/holder" ]; then
    read -r pid start <"$folder/holder"
    if [ "$(start_of "$pid")" = "$start" ]; then
      kill -KILL "$pid"
      for ((i = 0; i < 100; i++)); do
        [ "$(start_of "$pid")" = "$start" ] || break
        sleep 0.1
      done
    fi
  fi
  remove_cgroups
  rm -rf "$folder"
}

start_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20 || true; }

# The tree of the containers, leaves first, wherever this machine has its cgroup2 mounted.
remove_cgroups() {
  [ -e "$folder/cgroup" ] || return 0
  local tree
  tree=$(findmnt -n -t cgroup2 -o TARGET | head -1)/$(cat "$folder/cgroup")
  [ -d "$tree" ] || return 0
  for ((i = 0; i < 20; i++)); do
    find "$tree" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    [ -d "$tree" ] || return 0
    sleep 0.1
  done
  echo "sandbox: $tree is still in use" >&2
}

main
