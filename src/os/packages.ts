import type { Family } from './family.ts';

/**
 * A package manager: shell that names what is installed, installs "$@" ($fresh is empty or `yes`), and removes of "$@"
 * what nothing needs.
 */
interface Manager {
  readonly list: string;
  readonly install: string;
  readonly remove: string;
}

/**
 * What lablb installed on a machine, a name a line: what was there afterwards and not before. `.before` is there while
 * an install is under way, or was cut short.
 */
const RECORD = '/var/lib/lablb/packages';

/** Packages of a family, with a record on the machine of what lablb brought to it. */
export function managing(manager: Manager): Pick<Family, 'install' | 'brought'> {
  const common = `export LC_ALL=C
record=${RECORD}
list() { { ${manager.list}; } | sort -u; }
note() {
  [ -e $record.before ] || return 0
  list | comm -13 $record.before - >>$record && rm -f $record.before
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
mkdir -p "$(dirname $record)" && note && list >$record.new && mv -f $record.new $record.before || exit
install "$@"
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
[ -s $record ] || exit 0
left() { list >$record.now; sort -u $record | comm -12 $record.now -; rm -f $record.now; }
${remove ? 'remove $(left) </dev/null' : ''}
left`,
    ],
  };
}
