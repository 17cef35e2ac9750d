/**
 * `/var/lib/lablb/note SERVICE PATH…`, which units run when their service has started or reloaded: notes the hashes of
 * what it has read, for the probe to compare with what is there later.
 */
export const NOTE = String.raw`#!/bin/sh
name=$1
shift
mkdir -p /run/lablb
for path in "$@"; do
  kind=file lab=
  record=/var/lib/lablb/pushed/$(printf %s "$(echo "$path" | cut -c2-)" | tr / :)
  [ ! -e "$record" ] || read -r _ kind lab _ <"$record"
  [ -e "$path" ] || continue
  if [ "$kind" = block ]; then sum=$(sed -n "/^# >>> lablb $lab\$/,/^# <<< lablb $lab\$/p" "$path" | sha256sum)
  else sum=$(sha256sum <"$path"); fi
  echo "$(echo "$sum" | cut -d' ' -f1)  $path"
done >"/run/lablb/$name.new"
mv -f "/run/lablb/$name.new" "/run/lablb/$name"`;
