import type { Family } from './family.ts';

/**
 * A package manager: shell that names what is installed, installs "$@" ($fresh is empty or `yes`), removes of "$@"
 * what nothing needs, and says whether "$1" is a path of something installed.
 */
interface Manager {
  readonly list: string;
  readonly install: string;
  readonly remove: string;
  readonly owns: string;
}

/**
 * What lablb installed on a machine, a name a line: what was there afterwards and not before. `.before` is there while
 * an install is under way, or was cut short. It outlasts the lab while the packages do.
 */
const RECORD = '/var/lib/lablb/packages';
const HEAD = `# What lablb installed here. The next 'lablb down --purge' removes it; without this file it is yours.`;

/** The same of what packages make and leave behind: `d FOLDER`, `f FILE`, `user NAME`, `group NAME`. */
const TRACES = '/var/lib/lablb/traces';
/** Files that a package manager puts beside one of the machine's own. */
const BESIDE = ['rpmnew', 'dpkg-dist', 'dpkg-new', 'ucf-dist'].map((end) => `-name '*.${end}'`).join(' -o ');

/** Packages of a family, with a record on the machine of what lablb brought to it. */
export function managing(manager: Manager): Pick<Family, 'install' | 'brought' | 'clear'> {
  const common = `export LC_ALL=C
record=${RECORD} traces=${TRACES}
list() { { ${manager.list}; } | sort -u; }
signs() {
  { find /etc /var/lib -xdev -maxdepth 3 '(' -type d -o -type f '(' ${BESIDE} ')' ')' -printf '%y %p\\n' 2>/dev/null
    sed 's/^\\([^:]*\\):.*/user \\1/' /etc/passwd
    sed 's/^\\([^:]*\\):.*/group \\1/' /etc/group; } | sort -u
}
note() {
  [ -e $record.before ] || return 0
  if [ -e $traces.before ]; then signs | comm -13 $traces.before - >>$traces; fi
  list | comm -13 $record.before - >>$record && rm -f $record.before $traces.before
}`;
  return {
    install: (packages, { fresh = false } = {}) => [
      'sh',
      '-c',
      `${common}
fresh=${fresh ? 'yes' : ''}
install() {
${manager.install}
}
mkdir -p "$(dirname $record)" || exit
# An install of an 'up' that was killed goes on by itself, and is waited for.
exec 9>>$record.lock
! command -v flock >/dev/null || flock 9
note && signs >$traces.before && list >$record.new && mv -f $record.new $record.before || exit
install "$@" 9>&-
status=$?
note
exit $status`,
      'sh',
      ...packages,
    ],
    brought: (remove) => [
      'sh',
      '-c',
      `${common}
remove() {
${manager.remove}
} >/dev/null 2>&1
note
[ -s $record ] || { rm -f $record; exit 0; }
left() { list >$record.now; sort -u $record | comm -12 $record.now -; rm -f $record.now; }
${remove ? 'remove $(left) </dev/null' : ''}
left >$record.left
if [ -s $record.left ]
then { echo "${HEAD}"; cat $record.left; } >$record.new && mv -f $record.new $record
else rm -f $record; fi
cat $record.left && rm -f $record.left`,
    ],
    clear: `${common}
owns() { ${manager.owns}; } >/dev/null 2>&1
made() { sed -n "s/^$1 //p" $traces 2>/dev/null | sort -ur; }
made f | while read -r path; do owns "$path" || rm -f "$path"; done
made d | while read -r path; do owns "$path" || rmdir "$path" 2>/dev/null; done
# Who still owns something stays: a number that is free would be somebody else's one day.
idle() {
  owned=$(timeout 20 find /etc /home /opt /run /srv /tmp /var -xdev "-$1" "$2" -print -quit 2>/dev/null)
  [ $? -le 1 ] && [ -z "$owned" ]
}
if [ ! -e $record ]; then
  made user | while read -r name; do ! idle user "$name" || userdel "$name" >/dev/null 2>&1; done
  made group | while read -r name; do
    ! grep -q "^$name:" /etc/group || ! idle group "$name" || groupdel "$name" >/dev/null 2>&1
  done
fi`,
  };
}
