import { createHash } from 'node:crypto';
import type { FileSpec } from '../provider.ts';
import { NOTE } from './note.ts';
import { recordOf } from './probe.ts';

/**
 * Puts files on a machine, all in one go: `sh -c PUSH` with a line a file on its standard input. Each file appears
 * by rename, with its mode; what it replaces for the first time can be kept as `.orig`; what was written is noted
 * beside it. Needs nothing but a POSIX shell and coreutils.
 */
export const PUSH = String.raw`
set -eu
umask 022
mkdir -p /var/lib/lablb/pushed
cat >/var/lib/lablb/note.new <<'EOT'
@NOTE@
EOT
chmod 755 /var/lib/lablb/note.new
mv -f /var/lib/lablb/note.new /var/lib/lablb/note
reload= resolved= networkmanager=
drop_block() {
  if grep -Fxq "# >>> lablb $1" "$2" && grep -Fxq "# <<< lablb $1" "$2"
  then sed "/^# >>> lablb $1\$/,/^# <<< lablb $1\$/d" "$2"
  else sed "/^# [<>][<>][<>] lablb $1\$/d" "$2"; fi
}
while read -r op record kind keep mode hash lab path data; do
  mkdir -p "$(dirname "$path")"
  if [ "$op" = remove ] && [ -e "$record" ]; then read -r _ kind lab _ <"$record"; fi
  case $op:$kind in
  put:*)
    if [ "$keep" = keep ] && [ -f "$path" ] && [ ! -e "$path.orig" ] && [ ! -e "$record" ]; then cp -pP "$path" "$path.orig"; fi
    case $kind in
    large) ;;
    block)
      # The rest of the file is not ours, and neither are its mode and owner.
      [ -e "$path" ] || { : >"$path"; chmod "$mode" "$path"; }
      cp -p "$path" "$path.lablb-new"
      drop_block "$lab" "$path" >"$path.lablb-new"
      [ -z "$(tail -c 1 "$path.lablb-new")" ] || echo >>"$path.lablb-new"
      printf %s "$data" | base64 -d >>"$path.lablb-new" ;;
    *) printf %s "$data" | base64 -d >"$path.lablb-new" ;;
    esac
    [ "$kind" = block ] || chmod "$mode" "$path.lablb-new"
    mv -f "$path.lablb-new" "$path"
    ! command -v restorecon >/dev/null || restorecon "$path"
    note=$(stat -c '%s %Z' "$path")
    [ "$kind" != block ] || note="$lab -"
    echo "$hash $kind $note $path" >"$record" ;;
  remove:block)
    if [ -e "$path" ]; then
      cp -p "$path" "$path.lablb-new"
      drop_block "$lab" "$path" >"$path.lablb-new"
      mv -f "$path.lablb-new" "$path"
    fi
    rm -f "$record" ;;
  *)
    if [ -e "$path.orig" ]; then mv -f "$path.orig" "$path"; else rm -f "$path"; fi
    rm -f "$record" ;;
  esac
  case $path in
  /etc/systemd/system/*) reload=yes ;;
  /etc/systemd/resolved.conf.d/*) resolved=yes ;;
  /etc/NetworkManager/conf.d/*) networkmanager=yes ;;
  esac
done
[ -z "$reload" ] || systemctl daemon-reload
# Who reads what was written and is no service of the lab.
[ -z "$resolved" ] || systemctl try-restart systemd-resolved
[ -z "$networkmanager" ] || systemctl try-reload-or-restart NetworkManager
`.replace('@NOTE@', () => NOTE);

/** What PUSH reads for these files. The content of a large one is beside its place already, as `.lablb-new`. */
export function pushInput(files: readonly FileSpec[]): string {
  return files.map((file) => `${fields(file).join(' ')}\n`).join('');
}

/** Where a large file is put before PUSH gives it its place. */
export function besidePath(path: string): string {
  return `${path}.lablb-new`;
}

function fields(file: FileSpec): string[] {
  const content = typeof file.content === 'string' ? Buffer.from(file.content) : Buffer.from(file.content);
  const kind = file.block === undefined ? (file.source === undefined ? 'file' : 'large') : 'block';
  return [
    file.absent ? 'remove' : 'put',
    recordOf(file.path),
    kind,
    file.keepOriginal ? 'keep' : '-',
    (file.mode ?? 0o644).toString(8),
    file.sha256 ?? createHash('sha256').update(content).digest('hex'),
    file.block ?? '-',
    file.path,
    content.length > 0 && kind !== 'large' ? content.toString('base64') : '',
  ];
}
