/**
 * `/var/lib/lablb/note SERVICE PATH…`, which units run when their service has started or reloaded: notes the hashes of
 * what it has read, for the probe to compare with what is there later.
 */
export const NOTE = String.raw`#!/bin/sh
name=$1
shift
mkdir -p /run/lablb
# Sets record: its name is the path's, with ':' for each slash.
find_record() {
  record=/var/lib/lablb/pushed/ rest=$\{1#/}
  while [ "$rest" != "$\{rest#*/}" ]; do record=$record$\{rest%%/*}: rest=$\{rest#*/}; done
  record=$record$rest
}
for path do
  shift
  [ -e "$path" ] || continue
  kind=file lab=
  find_record "$path"
  [ ! -e "$record" ] || read -r _ kind lab _ <"$record"
  if [ "$kind" != block ]; then set -- "$@" "$path"
  else echo "$(sed -n "/^# >>> lablb $lab\$/,/^# <<< lablb $lab\$/p" "$path" | sha256sum | cut -d' ' -f1)  $path"; fi
done >"/run/lablb/$name.new"
[ $# = 0 ] || sha256sum "$@" >>"/run/lablb/$name.new"
mv -f "/run/lablb/$name.new" "/run/lablb/$name"`.replaceAll('$\\{', '${');
