import type { FaultSpec } from './faults.ts';

/**
 * Faults where systemd is. Needs nothing but systemd, a POSIX shell and coreutils, and nothing of the web server: its
 * configuration is left alone. All that is made is under /run, so that a restart of the machine heals it too:
 * `/run/lablb/fault` (a line `HOW SERVICE`) is there from before the first change until after the last.
 *
 * - stop, freeze: the unit is stopped, its processes get SIGSTOP.
 * - slow: its processes stand still for the delay, run for a moment, stand still again: an answer waits for the next
 *   moment, so from nothing to the delay.
 * - refuse: the service runs in a network namespace of its own, where nobody reaches it.
 * - error: the same, and in its place a socket unit answers with 500.
 */
export function failWithSystemd({ how, service, port, delayMs }: FaultSpec): readonly string[] {
  return ['sh', '-c', FAIL, 'sh', how, service, String(port), String(delayMs / 1000)];
}

/** Undoes whatever fault there is, and says which: a line `HOW SERVICE`; nothing when there is none. */
export function healWithSystemd(): readonly string[] {
  return ['sh', '-c', HEAL, 'sh'];
}

const HEAL_FUNCTION = `
heal() {
  read -r how service <"/run/lablb/fault"
  systemctl stop lablb-fault.socket lablb-fault.service 'lablb-fault@*.service' 2>/dev/null
  rm -f /run/systemd/system/lablb-fault.socket /run/systemd/system/lablb-fault.service
  rm -f /run/systemd/system/lablb-fault@.service "/run/systemd/system/$service.service.d/lablb-fault.conf"
  rm -f /run/lablb/fault.sh
  rmdir "/run/systemd/system/$service.service.d" 2>/dev/null
  systemctl daemon-reload
  case $how in
  freeze | slow) systemctl kill -s CONT "$service" 2>/dev/null ;;
  refuse | error) systemctl stop "$service" ;;
  esac
  systemctl start "$service" || { s=$?; journalctl -q --no-pager -n 12 -o cat -u "$service" >&2; return $s; }
  rm -f /run/lablb/fault
}`;

const HEAL = `${HEAL_FUNCTION}
[ -e /run/lablb/fault ] || exit 0
heal && echo "$how $service"
`;

/** HOW SERVICE PORT SECONDS. */
const FAIL = String.raw`
how=$1 service=$2 port=$3 delay=$4
if [ -e /run/lablb/fault ]; then cat /run/lablb/fault >&2; exit 17; fi
systemctl is-active -q "$service" || exit 18
@HEAL@
slow() {
  cat >/run/lablb/fault.sh <<'EOT'
trap 'systemctl kill -s CONT "$1"' EXIT
trap 'exit 0' TERM
while :; do
  systemctl kill -s STOP "$1"
  sleep "$2"
  systemctl kill -s CONT "$1"
  sleep 0.02
done
EOT
  cat >/run/systemd/system/lablb-fault.service <<EOT
[Unit]
Description=$service answers late (lablb fail)
[Service]
ExecStart=/bin/sh /run/lablb/fault.sh $service $delay
EOT
  systemctl daemon-reload && systemctl start lablb-fault.service
}
alone() {
  mkdir -p "/run/systemd/system/$service.service.d" &&
    printf '[Service]\nPrivateNetwork=yes\n' >"/run/systemd/system/$service.service.d/lablb-fault.conf" &&
    systemctl daemon-reload && systemctl restart "$service"
}
stand_in() {
  cat >/run/lablb/fault.sh <<'EOT'
cr=$(printf '\r')
read -r method rest || exit 0
while read -r line; do
  case $line in "" | "$cr") break ;; esac
done
printf 'HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\nContent-Length: 31\r\nConnection: close\r\n\r\n'
[ "$method" = HEAD ] || printf '<h1>Internal Server Error</h1>\n'
EOT
  cat >/run/systemd/system/lablb-fault.socket <<EOT
[Unit]
Description=answers with 500 in the place of $service (lablb fail)
[Socket]
ListenStream=$port
Accept=yes
Backlog=1024
MaxConnections=1024
TriggerLimitIntervalSec=0
EOT
  cat >/run/systemd/system/lablb-fault@.service <<EOT
[Unit]
Description=answers with 500 in the place of $service (lablb fail)
CollectMode=inactive-or-failed
[Service]
ExecStart=-/bin/sh /run/lablb/fault.sh
StandardInput=socket
StandardError=null
RuntimeMaxSec=30
EOT
  systemctl daemon-reload && systemctl start lablb-fault.socket
}
mkdir -p /run/lablb /run/systemd/system && echo "$how $service" >/run/lablb/fault.new &&
  mv -f /run/lablb/fault.new /run/lablb/fault || exit 1
case $how in
stop) systemctl stop "$service" ;;
freeze) systemctl kill -s STOP "$service" ;;
slow) slow ;;
refuse) alone ;;
error) alone && stand_in ;;
*) false ;;
esac || {
  s=$?
  journalctl -q --no-pager -n 12 -o cat -u "$service" >&2
  heal
  exit $s
}
`.replace('@HEAL@', () => HEAL_FUNCTION);
