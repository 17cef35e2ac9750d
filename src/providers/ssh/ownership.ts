/**
 * What marks a machine as a lab's, and how it was before: `/var/lib/lablb/<lab>.json` says whose it is,
 * `/var/lib/lablb/<lab>.services` which services ran (`active X`) and were enabled (`enabled X`). Scripts for
 * `sh -c SCRIPT sh ARGUMENT…`; each can be run again after it was cut short.
 */

/** Statuses of the scripts for what they refuse. */
export const REFUSED = { foreign: 17, noSystemd: 18 } as const;

/** LAB NODE: marks the machine, unless it is marked already. */
export const CLAIM = String.raw`
set -eu
umask 022
mkdir -p /var/lib/lablb
for record in /var/lib/lablb/*.json; do
  [ -e "$record" ] || continue
  if [ "$record" != "/var/lib/lablb/$1.json" ] || ! grep -Fq "\"node\":\"$2\"" "$record"; then cat "$record" >&2; exit 17; fi
done
[ ! -e "/var/lib/lablb/$1.json" ] || exit 0
command -v systemctl >/dev/null || { rmdir /var/lib/lablb; exit 18; }
{
  systemctl list-units --type=service --state=active --no-legend --no-pager --plain | sed -n 's/^\([^ ]*\)\.service .*/active \1/p'
  systemctl list-unit-files --type=service --state=enabled --no-legend --no-pager | sed -n 's/^\([^ ]*\)\.service .*/enabled \1/p'
} >"/var/lib/lablb/$1.services.new"
mv -f "/var/lib/lablb/$1.services.new" "/var/lib/lablb/$1.services"
printf '{"version":1,"lab":"%s","node":"%s"}\n' "$1" "$2" >"/var/lib/lablb/$1.json.new"
mv -f "/var/lib/lablb/$1.json.new" "/var/lib/lablb/$1.json"`;

/** Whose the machine is: a line `lab LAB NODE` for each record. */
export const OWNERS = String.raw`
for record in /var/lib/lablb/*.json; do
  [ ! -e "$record" ] || sed -n 's/.*"lab":"\([^"]*\)","node":"\([^"]*\)".*/lab \1 \2/p' "$record"
done`;

/** LAB PATH…: before files come, notes the folders that they need and that are not there. */
export const NOTE_FOLDERS = `
folders=/var/lib/lablb/$1.folders
shift
for path in "$@"; do
  folder=$(dirname "$path")
  while [ ! -d "$folder" ]; do
    echo "$folder" >>"$folders" || exit 1
    folder=$(dirname "$folder")
  done
done`;

/**
 * LAB SERVICE…: before the files go, stops what did not run before, and disables what was not enabled. The names are
 * written down first: once the files are gone, nothing else tells them.
 */
export const STOP_SERVICES = `
before=/var/lib/lablb/$1.services
touched=/var/lib/lablb/$1.touched
shift
for name in "$@"; do
  echo "$name" >>"$touched" || exit 1
  grep -qx "active $name" "$before" 2>/dev/null || systemctl stop "$name" 2>/dev/null
  grep -qx "enabled $name" "$before" 2>/dev/null || systemctl disable -q "$name" 2>/dev/null
done
exit 0`;

/** LAB: with the files as they were, lets run what ran before; then forgets that the machine was a lab's. */
export const RELEASE = `
before=/var/lib/lablb/$1.services
touched=/var/lib/lablb/$1.touched
folders=/var/lib/lablb/$1.folders
failed=
# The inner ones first; what holds something by now stays.
[ ! -e "$folders" ] || sort -ur "$folders" | while read -r folder; do rmdir "$folder" 2>/dev/null; done
for name in $(sort -u "$touched" 2>/dev/null); do
  rm -f "/run/lablb/$name"
  grep -qx "active $name" "$before" 2>/dev/null || continue
  systemctl restart "$name" || failed="$failed $name"
done
[ -z "$failed" ] || { echo "not running as before:$failed" >&2; exit 1; }
rm -f /run/lablb/fault /var/lib/lablb/note "$before" "$touched" "$folders" "/var/lib/lablb/$1.json"
rmdir /var/lib/lablb/pushed /var/lib/lablb /run/lablb 2>/dev/null
exit 0`;

export interface Owner {
  readonly lab: string;
  readonly node: string;
}

/** The owners that OWNERS told of. */
export function readOwners(text: string): Owner[] {
  return [...text.matchAll(/^lab (\S+) (\S+)$/gm)].map(([, lab, node]) => ({ lab: lab!, node: node! }));
}
