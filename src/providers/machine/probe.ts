import { revisionOf } from '../../plan/hash.ts';
import type { ObservedNode, ObservedService } from '../provider.ts';

/** What lablb keeps on a machine: a file for each managed file, which tells what was written. */
const RECORDS = '/var/lib/lablb/pushed';

/**
 * Tells in one go what is on a machine: system, packages, managed files, their services. A line a fact:
 *
 *     os rocky rhel centos fedora
 *     pkg httpd
 *     file <sha256 now> <sha256 as written> <path>
 *     svc <unit> <active|inactive|…> <enabled|…>
 *     started <service> <sha256> <path>        what it read when it was started (its unit notes it)
 *     fault <how> <service>                    what `lablb fail` made it do
 *
 * Files of many megabytes are hashed again only when size or change time differ from what was noted.
 */
export const PROBE = String.raw`
id= like=
[ -r /etc/os-release ] && eval "$(sed -n 's/^ID=/id=/p;s/^ID_LIKE=/like=/p' /etc/os-release)"
echo "os $id $like"
case " $id $like " in
*" debian "*|*" ubuntu "*) dpkg-query -W -f '$\{db:Status-Abbrev} $\{Package}\n' 2>/dev/null | sed -n 's/^ii  */pkg /p' ;;
*) rpm -qa --qf 'pkg %{NAME}\n' 2>/dev/null ;;
esac
units=
for record in /var/lib/lablb/pushed/*; do
  [ -e "$record" ] || continue
  read -r hash kind size changed path <"$record"
  case $path in
  /etc/systemd/system/*.service.d/lablb.conf) units="$units $(basename "$(dirname "$path")" .service.d)" ;;
  /etc/systemd/system/*.service) units="$units $(basename "$path" .service)" ;;
  esac
  now=-
  if [ ! -f "$path" ]; then :
  elif [ "$kind" = block ]; then now=$(sed -n "/^# >>> lablb $size\$/,/^# <<< lablb $size\$/p" "$path" | sha256sum)
  elif [ "$kind" = large ] && [ "$(stat -c '%s %Z' "$path")" = "$size $changed" ]; then now=$hash
  else now=$(sha256sum <"$path"); fi
  now=$(echo "$now" | cut -d' ' -f1)
  echo "file $now $hash $path"
done
for unit in $units; do
  echo "svc $unit $(systemctl is-active "$unit" 2>/dev/null) $(systemctl is-enabled "$unit" 2>/dev/null)"
  [ -e "/run/lablb/$unit" ] && sed "s/^/started $unit /" "/run/lablb/$unit"
done
[ ! -e /run/lablb/fault ] || echo "fault $(cat /run/lablb/fault)"
echo end
`.replaceAll('$\\{', '${');

/** Whether it came to its end: a busy daemon has been seen to lose what a command printed. */
export function isWhole(text: string): boolean {
  return text.endsWith('end\n');
}

/** What the probe's lines say; state and address are the provider's to know. */
export function readProbe(text: string): Omit<ObservedNode, 'state' | 'address'> {
  const facts = text.split('\n').map((line) => line.split(/\s+/));
  const of = (kind: string): string[][] =>
    facts.filter(([first]) => first === kind).map(([, ...rest]) => rest);
  const started = of('started');
  const [how, failed] = of('fault')[0] ?? [];
  return {
    fault: how && failed ? { how, service: failed } : undefined,
    family: familyFor(of('os')[0] ?? []),
    packages: new Set(of('pkg').map(([name]) => name!)),
    files: new Map(of('file').flatMap(([now, , path]) => (now === ABSENT ? [] : [[path!, now!] as const]))),
    pushed: new Map(of('file').map(([, pushed, path]) => [path!, pushed!])),
    services: new Map(
      of('svc').map(([name, active, enabled]) => [name!, service(name!, active, enabled, started)]),
    ),
  };
}

const ABSENT = '-';

/** Families by what os-release calls itself, and what it is like. */
export function familyFor(ids: readonly string[]): string | undefined {
  if (ids.some((id) => id === 'debian' || id === 'ubuntu')) return 'debian';
  if (ids.some((id) => ['rhel', 'centos', 'fedora', 'rocky', 'almalinux'].includes(id))) return 'rhel';
  return ids[0] || undefined;
}

function service(
  name: string,
  active: string | undefined,
  enabled: string | undefined,
  started: readonly string[][],
): ObservedService {
  const running = active === 'active' || active === 'reloading' || active === 'activating';
  const read = started.filter(([of]) => of === name).map(([, hash, path]) => [path!, hash!] as const);
  const hashes = new Map(read);
  return {
    running,
    enabled: enabled === 'enabled',
    revision:
      running && read.length > 0 ? revisionOf([...hashes.keys()], (path) => hashes.get(path)) : undefined,
  };
}

/** The record of a path: its name holds no slash. */
export function recordOf(path: string): string {
  return `${RECORDS}/${path.slice(1).replaceAll('/', ':')}`;
}
