/**
 * The daemon has been seen to lose what a command wrote when it ended at once (LXD 5.0, one in a hundred on a busy
 * host). One that stays for a moment after its last word is heard. A signal goes through to the command.
 */
const LINGER = `what=$1
shift
exec 3<&0
"$@" <&3 3<&- &
p=$!
trap 'kill $p' TERM INT HUP
wait $p
s=$?
[ "$what $s" = 'failures 0' ] || sleep 0.1
exit $s`;

/** The same command, heard to the end; or only when it fails. */
export function lingering(argv: readonly string[], what: 'all' | 'failures' = 'all'): string[] {
  return ['sh', '-c', LINGER, 'sh', what, ...argv];
}
