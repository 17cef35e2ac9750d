import type { Guard } from './guard.ts';
import { NFTABLES_RULES } from './nftables-rules.ts';

/** Opens all that is noted. The unit that loads the machine's ruleset runs it after that. */
const OPEN = '/var/lib/lablb/nftables';
const DROP_IN = '/etc/systemd/system/nftables.service.d';

/** A ruleset of the machine's own: rules with a comment, which are found by it again, and nothing in its files. */
export const nftables: Guard = {
  name: 'nftables',
  // What iptables has is ufw's or firewalld's where these are active, and they speak for themselves.
  look: `${NFTABLES_RULES}
if command -v nft >/dev/null; then
  if systemctl is-active -q firewalld 2>/dev/null || grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null
  then nftables_rules look - | grep -v '^drops '
  else nftables_rules look -; fi
fi`,
  // At boot its unit may start before /var is there.
  allow: String.raw`
note "$1"
cat >${OPEN}.new <<'EOT'
# Opens the ports of a lab in nftables: run when the ruleset was loaded anew.
set -e${NFTABLES_RULES}
for what in $(sed -n 's/^nftables \([^ ]*\).*/\1/p' /var/lib/lablb/allowed); do
  nftables_rules open "$what" | nft -f -
done
EOT
mv -f ${OPEN}.new ${OPEN}
if [ ! -e ${DROP_IN}/lablb.conf ]; then
  [ -d ${DROP_IN} ] || : >${OPEN}.folder
  mkdir -p ${DROP_IN}
  cat >${DROP_IN}/lablb.conf.lablb-new <<'EOT'
[Unit]
After=local-fs.target

[Service]
ExecStartPost=-/bin/sh ${OPEN}
ExecReload=-/bin/sh ${OPEN}
EOT
  mv -f ${DROP_IN}/lablb.conf.lablb-new ${DROP_IN}/lablb.conf
  systemctl daemon-reload
fi
sh ${OPEN}`,
  forbid: String.raw`${NFTABLES_RULES}
if command -v nft >/dev/null; then
  nftables_rules close "$1" | nft -f - || return
  for other in $(sed -n 's/^nftables \([^ ]*\).*/\1/p' /var/lib/lablb/allowed); do
    [ -z "$(nftables_rules given "$other")" ] || return 0
  done
fi
rm -f ${OPEN} ${OPEN}.new ${DROP_IN}/lablb.conf.lablb-new
if [ -e ${DROP_IN}/lablb.conf ]; then
  rm -f ${DROP_IN}/lablb.conf
  systemctl daemon-reload
fi
[ ! -e ${OPEN}.folder ] || rmdir ${DROP_IN} 2>/dev/null
rm -f ${OPEN}.folder`,
  wants: ({ ports }) => ports,
  why: (port) => `nftables is active and ${port} is closed`,
};
