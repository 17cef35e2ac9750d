import type { Guard } from './guard.ts';

const PROGRAM = 'bin_t:';

/**
 * SELinux: HAProxy may connect to any port, and what systemd starts of ours has the type of a program, so that it runs
 * unconfined. `setsebool` and `semanage` write the policy's own store.
 */
export const selinux: Guard = {
  name: 'selinux',
  look: `
if [ "$(getenforce 2>/dev/null)" = Enforcing ]; then
  echo 'guard selinux'
  case $(getsebool haproxy_connect_any 2>/dev/null) in *'> on') echo 'allows selinux haproxy_connect_any' ;; esac
  for file in /usr/local/sbin/lablb-*; do
    case $(stat -c %C "$file" 2>/dev/null) in *:bin_t:*) echo "allows selinux ${PROGRAM}$file" ;; esac
  done
fi`,
  allow: `
case $1 in
${PROGRAM}*)
  file=\${1#${PROGRAM}}
  restorecon -F "$file"
  case $(stat -c %C "$file") in *:bin_t:*) return 0 ;; esac
  if command -v semanage >/dev/null; then
    note "$1"
    semanage fcontext -a -t bin_t "$file"
    restorecon -F "$file"
  else chcon -t bin_t "$file"; fi ;;
*)
  note "$1"
  setsebool -P "$1" on ;;
esac`,
  forbid: `
command -v setsebool >/dev/null || return 0
case $1 in
${PROGRAM}*) semanage fcontext -d "\${1#${PROGRAM}}" ;;
*) setsebool -P "$1" off ;;
esac`,
  wants: ({ programs, software }) => [
    ...programs.map((path) => PROGRAM + path),
    ...(software.includes('haproxy') ? ['haproxy_connect_any'] : []),
  ],
  why: (what) =>
    what.startsWith(PROGRAM)
      ? `SELinux is enforcing and ${what.slice(PROGRAM.length)} is not of a program's type`
      : `SELinux is enforcing and ${what} is off`,
};
