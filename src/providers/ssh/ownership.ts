/**
 * What marks a machine as a lab's, and how it was before, all in `/var/lib/lablb`: `<lab>.json` says whose it is, with an
 * `id` that no other machine has, `<lab>.services` which services ran (`active X`) and were enabled (`enabled X`),
 * `<lab>.touched` which of them lablb had to do with, `<lab>.folders` and `<lab>.drafts` what comes with files. Only what
 * tells of packages (os/packages.ts) may outlast the lab. Scripts for `sh -c SCRIPT sh ARGUMENT…`; each can be run again
 * after it was cut short.
 */

/** Statuses of the scripts for what they refuse. */
export const REFUSED = { foreign: 17, noSystemd: 18, busy: 19 } as const;

/** LAB NODE: marks the machine, unless it is marked already. One at a time: two labs may want it at once. */
export const CLAIM = String.raw`
set -eu
umask 022
exec 9>/run/lablb.lock
flock -w 20 9 || exit 19
for record in /var/lib/lablb/*.json; do
  [ -e "$record" ] || continue
  if [ "$record" != "/var/lib/lablb/$1.json" ] || ! grep -Fq "\"node\":\"$2\"" "$record"; then cat "$record" >&2; exit 17; fi
done
[ ! -e "/var/lib/lablb/$1.json" ] || exit 0
command -v systemctl >/dev/null || exit 18
mkdir -p /var/lib/lablb
{
  systemctl list-units --type=service --state=active --no-legend --no-pager --plain | sed -n 's/^\([^ ]*\)\.service .*/active \1/p'
  systemctl list-unit-files --type=service --state=enabled --no-legend --no-pager | sed -n 's/^\([^ ]*\)\.service .*/enabled \1/p'
} >"/var/lib/lablb/$1.services.new"
mv -f "/var/lib/lablb/$1.services.new" "/var/lib/lablb/$1.services"
printf '{"version":1,"lab":"%s","node":"%s","id":"%s"}\n' "$1" "$2" "$(cat /proc/sys/kernel/random/uuid)" >"/var/lib/lablb/$1.json.new" || { rm -f "/var/lib/lablb/$1.json.new"; exit 1; }
mv -f "/var/lib/lablb/$1.json.new" "/var/lib/lablb/$1.json"`;

/** Whose the machine is: a line `lab LAB NODE ID` for each record. */
export const OWNERS = String.raw`
for record in /var/lib/lablb/*.json; do
  [ ! -e "$record" ] || sed -n 's/.*"lab":"\([^"]*\)","node":"\([^"]*\)"\(,"id":"\([^"]*\)"\)\{0,1\}.*/lab \1 \2 \4/p' "$record"
done`;

/**
 * LAB PATH…: before files come, notes the folders that they need and that are not there, what they are drafted as, and
 * the services that they define: once the files are gone, nothing else tells their names. `PATH/` is a folder that will
 * be made.
 */
export const NOTE_PATHS = `
set -eu
base=/var/lib/lablb/$1
shift
for path in "$@"; do
  case $path in */) folder=\${path%/} ;; *) folder=$(dirname "$path") ;; esac
  while [ ! -d "$folder" ]; do
    echo "$folder" >>"$base.folders"
    folder=$(dirname "$folder")
  done
  case $path in
  */) ;;
  *) echo "$path.lablb-new" >>"$base.drafts" ;;
  esac
  case $path in
  /etc/systemd/system/*.service.d/lablb.conf) basename "$(dirname "$path")" .service.d >>"$base.touched" ;;
  /etc/systemd/system/*.service) basename "$path" .service >>"$base.touched" ;;
  esac
done`;

/** LAB: before the files go, stops what did not run before, and disables what was not enabled. */
export const STOP_SERVICES = `
before=/var/lib/lablb/$1.services
for name in $(sort -u "/var/lib/lablb/$1.touched" 2>/dev/null); do
  grep -qx "active $name" "$before" 2>/dev/null || systemctl stop "$name" 2>/dev/null
  grep -qx "enabled $name" "$before" 2>/dev/null || systemctl disable -q "$name" 2>/dev/null
done
exit 0`;

/**
 * LAB: with the files as they were, lets run what ran before; then forgets that the machine was a lab's. `clear` is shell
 * that comes in between.
 */
export const release = (clear = ''): string => `
base=/var/lib/lablb/$1
before=$base.services
failed=
[ ! -e "$base.drafts" ] || sort -u "$base.drafts" | while read -r draft; do rm -f "$draft"; done
# Copies of what was not replaced after all.
for original in /var/lib/lablb/originals/*; do
  [ -e "$original" ] || continue
  read -r kept <"$original"
  case $kept in /*) rm -f "$kept" ;; esac
  rm -f "$original"
done
for name in $(sort -u "$base.touched" 2>/dev/null); do
  rm -f "/run/lablb/$name"
  ! grep -qx "enabled $name" "$before" 2>/dev/null || systemctl enable -q "$name" 2>/dev/null
  grep -qx "active $name" "$before" 2>/dev/null || { systemctl reset-failed "$name" 2>/dev/null; continue; }
  systemctl restart "$name" || failed="$failed $name"
done
[ -z "$failed" ] || { echo "not running as before:$failed" >&2; exit 1; }
# The inner ones first; what holds something by now stays.
leave() { [ ! -e "$base.folders" ] || sort -ur "$base.folders" | while read -r folder; do rmdir "$folder" 2>/dev/null; done; }
leave
${clear}
leave
# A folder that holds something of a package that stays goes with that.
if [ ! -e /var/lib/lablb/packages ]; then rm -f /var/lib/lablb/traces
elif [ -e "$base.folders" ]; then
  sort -u "$base.folders" | while read -r folder; do [ ! -d "$folder" ] || echo "d $folder"; done >>/var/lib/lablb/traces
fi
rm -f /run/lablb/fault /var/lib/lablb/note /var/lib/lablb/traces.before /var/lib/lablb/packages.* /var/lib/lablb/*.done "$before" "$base.touched" "$base.folders" "$base.drafts" "$base.json"
rm -rf /var/lib/lablb/firewalld
rmdir /var/lib/lablb/pushed /var/lib/lablb/originals /var/lib/lablb /run/lablb 2>/dev/null
exit 0`;

export interface Owner {
  readonly lab: string;
  readonly node: string;
  /** Empty where an older lablb marked it. */
  readonly id: string;
}

/** The owners that OWNERS told of. */
export function readOwners(text: string): Owner[] {
  return [...text.matchAll(/^lab (\S+) (\S+) (\S*)$/gm)].map(([, lab, node, id]) => ({
    lab: lab!,
    node: node!,
    id: id!,
  }));
}
