import { firewalld } from './guards/firewalld.ts';
import type { Guard, Needs } from './guards/guard.ts';
import { nftables } from './guards/nftables.ts';
import { selinux } from './guards/selinux.ts';
import { ufw } from './guards/ufw.ts';

/** What lablb gets along with. Another firewall is a row here and a file beside these. */
const GUARDS: readonly Guard[] = [firewalld, ufw, nftables, selinux];

/** A line for each thing that lablb let through: guard, what, detail. */
const RECORD = '/var/lib/lablb/allowed';

/**
 * Shell that looks at all of them. $address: the machine's in the lab, if known. Lines: `guard NAME`, `allows NAME
 * WHAT`, `given NAME WHAT` for what lablb let through, `drops NAME FAMILY TABLE` for what it sees and leaves alone.
 */
export const LOOK_AT_GUARDS = `
${GUARDS.map(({ look }) => look).join('\n')}
[ ! -e ${RECORD} ] || sed -n 's/^\\([^ ]*\\) \\([^ ]*\\).*/given \\1 \\2/p' ${RECORD}`;

/** What each guard must let through for a node, with the reason for when it does not. */
export function allowancesFor(needs: Needs): Record<string, readonly { what: string; why: string }[]> {
  return Object.fromEntries(
    GUARDS.map((guard) => [guard.name, guard.wants(needs).map((what) => ({ what, why: guard.why(what) }))]),
  );
}

/** An argv that lets something through. `address`: the machine's in the lab. */
export function allowing(name: string, what: string, address = ''): readonly string[] {
  const script = `set -eu
address=$2
note() { mkdir -p ${dirname(RECORD)}; grep -qs "^${name} $1\\( \\|\\$\\)" ${RECORD} || echo "${name} $*" >>${RECORD}; }
allow() {${guard(name).allow}
}
allow "$1"`;
  return ['sh', '-c', script, 'sh', what, address];
}

/** An argv that takes back what lablb let through, and nothing else. */
export function forbidding(name: string, what: string): readonly string[] {
  return ['sh', '-c', FORBID, 'sh', name, what];
}

/** [GUARD WHAT]: the same, for all of it unless told what. Goes on after a failure, and says it at the end. */
export const FORBID = `
record=${RECORD}
[ -e "$record" ] || exit 0
${GUARDS.map(({ name, forbid }) => `forbid_${name}() {${forbid}\n}`).join('\n')}
left=
rm -f "$record.new"
while read -r guard what detail; do
  if [ $# -gt 0 ] && [ "$guard $what" != "$*" ] || ! "forbid_$guard" "$what" "$detail" </dev/null
  then echo "$guard $what $detail" >>"$record.new"; [ $# -gt 0 ] || left="$left $what in $guard;"; fi
done <"$record"
if [ -e "$record.new" ]; then mv -f "$record.new" "$record"; else rm -f "$record"; fi
[ $# -eq 0 ] || { ! grep -q "^$1 $2\\( \\|\\$\\)" "$record" 2>/dev/null || exit 1; }
[ -z "$left" ] || { echo "not taken back:$left" >&2; exit 1; }`;

function guard(name: string): Guard {
  return GUARDS.find((one) => one.name === name)!;
}

function dirname(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
