import type { Guard } from './guard.ts';

/** ufw, by its own files: what it prints is for people, and slow. */
export const ufw: Guard = {
  name: 'ufw',
  look: String.raw`
if grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null; then
  echo 'guard ufw'
  ! grep -q '^DEFAULT_INPUT_POLICY="ACCEPT"' /etc/default/ufw 2>/dev/null || echo 'allows ufw *'
  sed -n 's/^### tuple ### \(allow\|limit\) \([a-z]*\) \([0-9:,]*\) 0\.0\.0\.0\/0 any 0\.0\.0\.0\/0 \([^ ]* - \)\{0,1\}in\( .*\)\{0,1\}$/\2 \3/p' \
    /etc/ufw/user.rules 2>/dev/null | while read -r protocol ports; do
    for port in $(echo "$ports" | tr ,: ' -'); do
      case $protocol in
      any) echo "allows ufw $port/tcp"; echo "allows ufw $port/udp" ;;
      *) echo "allows ufw $port/$protocol" ;;
      esac
    done
  done
fi`,
  allow: `
note "$1"
ufw allow "$1" >/dev/null`,
  forbid: `
command -v ufw >/dev/null || return 0
ufw --force delete allow "$1" >/dev/null`,
  wants: ({ ports }) => ports,
  why: (port) => `ufw is active and ${port} is closed`,
};
