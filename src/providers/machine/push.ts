import { createHash } from 'node:crypto';
import type { FileSpec } from '../provider.ts';
import { NOTE } from './note.ts';
import { recordName } from './probe.ts';

/**
 * Puts files on a machine, all in one go: `sh -c PUSH` with a line a file on its standard input. Each file appears
 * by rename, with its mode. What it replaces for the first time can be kept, as `.orig` where that name is free; what
 * was written is noted before it is there, so that whatever cuts this short, it can be done or undone again. Needs
 * nothing but a POSIX shell and coreutils.
 *
 * `originals/NAME` says how the path was before: `-` for not there, `joined` for a last line without its end (blocks),
 * or the path where the file is kept.
 */
export const PUSH = String.raw`
set -eu
umask 022
mkdir -p /var/lib/lablb/pushed /var/lib/lablb/originals
draft=
trap '[ -z "$draft" ] || rm -f "$draft"' EXIT
# Text into a file, whole or not at all.
write() { draft=$1.new; printf '%s\n' "$2" >"$draft"; mv -f "$draft" "$1"; draft=; }
draft=/var/lib/lablb/note.new
cat >"$draft" <<'EOT'
@NOTE@
EOT
chmod 755 "$draft"
mv -f "$draft" /var/lib/lablb/note
draft=
reload= resolved= networkmanager=
there() { [ -e "$1" ] || [ -L "$1" ]; }
# Whether systemd goes by a unit's file, or by what is beside it, as it is now: that of a unit which it had no use for
# yet it reads when it needs it, and to have all read anew takes long.
is_known() {
  unit=$\{1%.d/*.conf}
  systemctl show -p FragmentPath -p DropInPaths -p NeedDaemonReload "$\{unit##*/}" 2>/dev/null |
    { known= fresh=
      while IFS= read -r line; do
        case "$line " in "FragmentPath=$1 "|"DropInPaths="*"$1 "*) known=yes ;; "NeedDaemonReload=no ") fresh=yes ;; esac
      done
      [ "$known$fresh" = yesyes ]; }
}
decode() {
  base64 -d <<EOT
$data
EOT
}
drop_block() {
  if grep -Fxq "# >>> lablb $1" "$2" && grep -Fxq "# <<< lablb $1" "$2"
  then sed "/^# >>> lablb $1\$/,/^# <<< lablb $1\$/d" "$2"
  else sed "/^# [<>][<>][<>] lablb $1\$/d" "$2"; fi
}
keep_original() {
  if [ ! -e "$original" ]; then
    if ! there "$path"; then write "$original" -
    elif there "$path.orig"; then write "$original" "$path.lablb-orig"
    else write "$original" "$path.orig"; fi
  fi
  read -r kept <"$original"
  if [ "$kept" = - ] || there "$kept" || ! there "$path"; then return; fi
  draft=$kept.lablb-new
  cp -a "$path" "$draft"
  mv -f "$draft" "$kept"
  draft=
}
while read -r op name kind keep mode hash lab path data; do
  record=/var/lib/lablb/pushed/$name original=/var/lib/lablb/originals/$name
  folder=$\{path%/*}
  [ -d "$folder" ] || mkdir -p "$folder"
  if [ "$op" = remove ]; then
    [ -e "$record" ] || continue
    read -r _ kind lab _ <"$record"
  fi
  # A block goes into the file that a link leads to; a whole file takes the link's place.
  target=$path
  if [ "$kind" = block ] && [ -L "$path" ]; then target=$(readlink -f "$path"); fi
  kept=-
  case $op:$kind in
  put:*)
    if [ "$kind" != block ] && [ "$keep" = keep ] && [ ! -e "$record" ]; then keep_original; fi
    case $kind in
    large) draft=$target.lablb-new ;;
    block)
      # The rest of the file is not ours, and neither are its mode and owner.
      if [ ! -e "$record" ] && [ ! -e "$target" ]; then write "$original" -; fi
      [ -e "$target" ] || { : >"$target"; chmod "$mode" "$target"; }
      draft=$target.lablb-new
      cp -p "$target" "$draft"
      drop_block "$lab" "$target" >"$draft"
      if [ -n "$(tail -c 1 "$draft")" ]; then
        [ -e "$original" ] || { write "$original" joined; draft=$target.lablb-new; }
        echo >>"$draft"
      fi
      decode >>"$draft" ;;
    *)
      # Nobody else's from the first byte on: it may be a key.
      draft=$target.lablb-new
      ! there "$draft" || rm -f "$draft"
      umask 077
      decode >"$draft"
      umask 022 ;;
    esac
    [ "$kind" = block ] || chmod "$mode" "$draft"
    note="$lab -"
    [ "$kind" != large ] || note=$(stat -c '%s %Z' "$draft")
    printf '%s\n' "$hash $kind $note $path" >"$record.new"
    mv -f "$record.new" "$record"
    mv -f "$draft" "$target"
    draft=
    ! command -v restorecon >/dev/null || restorecon "$target"
    # Its new name is a change too.
    if [ "$kind" = large ]; then write "$record" "$hash $kind $(stat -c '%s %Z' "$target") $path"; fi ;;
  remove:block)
    if [ -e "$target" ]; then
      draft=$target.lablb-new
      cp -p "$target" "$draft"
      drop_block "$lab" "$target" >"$draft"
      if [ -e "$original" ]; then read -r kept <"$original"; else kept=; fi
      if [ "$kept" = joined ] && [ -z "$(tail -c 1 "$draft")" ]; then truncate -s -1 "$draft"; fi
      if [ "$kept" = - ] && [ ! -s "$draft" ]; then rm -f "$draft" "$target"; else mv -f "$draft" "$target"; fi
      draft=
    fi
    rm -f "$record" "$original" ;;
  *)
    if [ -e "$original" ]; then read -r kept <"$original"; fi
    # Kept, and no longer there: it has its place again.
    if [ "$kept" = - ]; then rm -f "$path"
    elif there "$kept"; then mv -f "$kept" "$path"; fi
    rm -f "$record" "$original" ;;
  esac
  case $op:$path in
  *:/etc/systemd/system/*) [ "$op" = put ] && is_known "$path" || reload=yes ;;
  *:/etc/systemd/resolved.conf.d/*) resolved=yes ;;
  *:/etc/NetworkManager/conf.d/*) networkmanager=yes ;;
  esac
done
[ -z "$reload" ] || systemctl daemon-reload
# Who reads what was written and is no service of the lab.
[ -z "$resolved" ] || systemctl try-restart systemd-resolved
[ -z "$networkmanager" ] || systemctl try-reload-or-restart NetworkManager
`
  .replaceAll('$\\{', '${')
  .replace('@NOTE@', () => NOTE);

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
    recordName(file.path),
    kind,
    file.keepOriginal ? 'keep' : '-',
    (file.mode ?? 0o644).toString(8),
    file.sha256 ?? createHash('sha256').update(content).digest('hex'),
    file.block ?? '-',
    file.path,
    content.length > 0 && kind !== 'large' ? content.toString('base64') : '',
  ];
}
