#!/bin/bash
# Builds the images that the sandbox launches, as root on Debian with a package mirror in reach, and prints the
# folder that holds them:
#
#   debian.meta.tar.gz debian.squashfs      as images:debian/12 has it: systemd-networkd, apt, no web server
#   rocky.meta.tar.gz  rocky.squashfs       behaves as images:rockylinux/8 does for our purposes
#
# Both bring their packages with them (a repository of files under /srv), so that nodes install for real and
# nothing is downloaded when tests run. Each is kept in the cache under a hash of its recipe.
set -euo pipefail
cd "$(dirname "$0")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lablb/sandbox
# The mirror that this machine's own packages come from.
mirror=${LABLB_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Release: bookworm' | head -n 1)}
mkdir -p "$cache"
exec 3>&1 1>&2
exec 9>"$cache/.lock"
flock 9

main() {
  local base debian rocky
  base=$(key base.sh)
  debian=$(key base.sh debian.sh pack.sh)
  rocky=$(key base.sh rocky.sh pack.sh rpm/*)
  prune "base-$base" "debian-$debian" "rocky-$rocky"
  built "base-$base" || made "base-$base" ./base.sh "$mirror"
  built "debian-$debian" || made "debian-$debian" ./debian.sh "$cache/base-$base/root"
  built "rocky-$rocky" || made "rocky-$rocky" ./rocky.sh "$cache/base-$base/root"
  printf '%s\n' "$cache/debian-$debian" "$cache/rocky-$rocky" >&3
}

# Hash of the recipe: another recipe is another image.
key() { cat "$@" | sha256sum | cut -c1-16; }

built() { [ -e "$cache/$1/.done" ] && touch "$cache/$1/.done"; }

# Runs a recipe with a folder to fill as its first argument; only a whole one is ever found again.
made() {
  local name=$1 recipe=$2
  shift 2
  echo "building $name"
  rm -rf "${cache:?}/$name"
  mkdir -p "$cache/$name"
  nice -n 15 "$recipe" "$cache/$name" "$@" >"$cache/$name/log" 2>&1 || {
    tail -20 "$cache/$name/log"
    exit 1
  }
  touch "$cache/$name/.done"
}

# What older recipes left and nobody used for a week: branches of one clone have recipes of their own.
prune() {
  local entry
  for entry in "$cache"/{base,debian,rocky}-*; do
    [ -e "$entry" ] || continue
    [ -z "$(find "$entry/.done" -mtime -7 2>/dev/null)" ] || continue
    case " $* " in *" ${entry##*/} "*) ;; *) rm -rf "$entry" ;; esac
  done
}

main
