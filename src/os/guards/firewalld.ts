import type { Guard } from './guard.ts';

/**
 * The zone that holds: that of the interface with $address, the machine's in the lab, else that of the default route.
 * It prints what `firewall-cmd` says, which starts Python each time: not more often than needed.
 */
const ZONE = String.raw`
firewalld_zone() {
  device=
  [ -z "$address" ] || device=$(ip -o -4 address show to "$address/32" | sed -n 's/^[0-9]*: *\([^ ]*\) .*/\1/p;q')
  [ -n "$device" ] || device=$(ip -o -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p;q')
  firewall-cmd --get-zone-of-interface="$device" 2>/dev/null || firewall-cmd --get-default-zone
}`;

/** firewalld: the ports and the services of one zone. */
export const firewalld: Guard = {
  name: 'firewalld',
  look: String.raw`${ZONE}
if systemctl is-active -q firewalld 2>/dev/null; then
  echo "guard firewalld"
  firewall-cmd --zone="$(firewalld_zone)" --list-all | while read -r key values; do
    case $key in
    target:) [ "$values" != ACCEPT ] || echo 'allows firewalld *' ;;
    ports:) for port in $values; do echo "allows firewalld $port"; done ;;
    services:) for service in $values; do
        for file in "/etc/firewalld/services/$service.xml" "/usr/lib/firewalld/services/$service.xml"; do
          [ -e "$file" ] || continue
          grep -o '<port [^>]*' "$file" | sed -n -E \
            's/.* protocol="([a-z]+)".* port="([0-9-]+)".*/allows firewalld \2\/\1/p;t;s/.* port="([0-9-]+)".* protocol="([a-z]+)".*/allows firewalld \1\/\2/p'
          break
        done
      done ;;
    esac
  done
fi`,
  // What a zone's file was is kept: firewalld writes it anew, and has none where nothing was changed yet.
  allow: `${ZONE}
zone=$(firewalld_zone)
kept=/var/lib/lablb/firewalld/$zone
if [ ! -e "$kept" ]; then
  rm -rf "$kept.new"
  mkdir -p "$kept.new"
  firewall-cmd --permanent --zone="$zone" --list-all | sed 1d >"$kept.new/list"
  for file in "$zone.xml" "$zone.xml.old"; do
    [ ! -e "/etc/firewalld/zones/$file" ] || cp -p "/etc/firewalld/zones/$file" "$kept.new/"
  done
  mv "$kept.new" "$kept"
fi
note "$1" "$zone"
firewall-cmd -q --permanent --zone="$zone" --add-port="$1"
firewall-cmd -q --zone="$zone" --add-port="$1"`,
  forbid: `
command -v firewall-cmd >/dev/null || return 0
zone=$2 kept=/var/lib/lablb/firewalld/$2
if systemctl is-active -q firewalld; then
  firewall-cmd -q --zone="$zone" --remove-port="$1" || return
  firewall-cmd -q --permanent --zone="$zone" --remove-port="$1" || return
  now=$(firewall-cmd --permanent --zone="$zone" --list-all | sed 1d)
else
  firewall-offline-cmd -q --zone="$zone" --remove-port="$1" || return
  now=$(firewall-offline-cmd --zone="$zone" --list-all | sed 1d)
fi
[ -e "$kept/list" ] || return 0
[ "$now" = "$(cat "$kept/list")" ] || return 0
for file in "$zone.xml" "$zone.xml.old"; do
  if [ -e "$kept/$file" ]; then cp -p "$kept/$file" "/etc/firewalld/zones/$file"; else rm -f "/etc/firewalld/zones/$file"; fi
done
rm -rf "$kept"`,
  wants: ({ ports }) => ports,
  why: (port) => `firewalld is active and ${port} is closed`,
};
