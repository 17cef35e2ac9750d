import { PROBE } from '../machine/probe.ts';
import { PUSH } from '../machine/push.ts';
import type { ExecResult, FileSpec, SweepResult } from '../provider.ts';

const COMMAND_FAILED = 92;
const PUSH_FAILED = 93;

/**
 * One call for what would be many: files (from standard input, see PUSH), commands until one fails, and what the node is
 * like afterwards (PROBE). Each of the commands is in the arguments as its length and its words.
 */
export function sweepArgv(
  files: readonly FileSpec[],
  commands: readonly (readonly string[])[],
): readonly string[] {
  // Not `(…) || exit`: there its `set -e` would be without effect.
  const push = files.length > 0 ? `(\n${PUSH}\n)\n[ $? = 0 ] || exit ${PUSH_FAILED}` : '';
  const words = commands.flatMap((argv) => [String(argv.length), ...argv]);
  return ['sh', '-c', `${push}\n${RUN}\n${PROBE}`, 'sh', ...words];
}

const RUN = String.raw`
done=0
while [ $# -gt 0 ]; do
  n=$1 i=1 command=
  shift
  while [ $i -le "$n" ]; do command="$command \"\${$i}\"" i=$((i + 1)); done
  eval "$command" </dev/null >&2 || { echo "failed $done $?"; sleep 0.1; exit ${COMMAND_FAILED}; }
  shift "$n"
  done=$((done + 1))
done
`;

/** Which command failed, when that is why it ended. */
export function failureIn({ exitStatus, stdout, stderr }: ExecResult): SweepResult | undefined {
  if (exitStatus !== COMMAND_FAILED) return undefined;
  const [, done, status] = /^failed (\d+) (\d+)$/m.exec(stdout) ?? [];
  return { done: Number(done ?? 0), failure: { exitStatus: Number(status ?? 1), stdout: '', stderr } };
}
