import { basename } from 'node:path/posix';
import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { nameFlag } from '../cli/flags.ts';
import { didYouMean, EXIT, LabError } from '../errors.ts';
import { nodeOf } from '../lab/node.ts';

export default class Logs extends LabCommand {
  static override summary = 'Show the logs of a node’s services';
  static override examples = [
    '<%= config.bin %> logs proxyha --follow',
    '<%= config.bin %> logs web1 -n 100',
    '<%= config.bin %> logs proxyha --file haproxy-access.log',
  ];
  static override args = { node: Args.string({ description: 'node of the lab', required: true }) };
  static override flags = {
    topology: Flags.string({ char: 't', description: 'topology file of the lab', helpValue: 'FILE' }),
    name: nameFlag,
    follow: Flags.boolean({ char: 'f', description: 'go on showing what is written, until Ctrl-C' }),
    file: Flags.string({
      description: 'only this log, by its path or its name (may be given again)',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'FILE',
    }),
    lines: Flags.integer({ char: 'n', description: 'last lines of each log', default: 20, min: 0 }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Logs);
    const [{ whichLab }, { providerFor }] = await Promise.all([
      import('../lab/which.ts'),
      import('../providers/providers.ts'),
    ]);
    const record = this.means(await whichLab(flags));
    const node = nodeOf(record, args.node);
    const provider = await providerFor(record.topology);
    const all = [...new Set(node.services.flatMap((service) => service.logs))];
    const logs = chosen(all, flags.file);
    if (all.length === 0) {
      this.log(`${node.name} has no services, so no logs`);
      return { node: node.name, logs: {} };
    }
    const tail = ['tail', '-n', String(flags.lines)];
    const paths = logs.map((log) => node.root + log);
    if (this.jsonEnabled()) {
      const read = paths.map(async (path, i) => [
        logs[i],
        (await provider.exec(node.name, [...tail, path])).stdout,
      ]);
      return { node: node.name, logs: Object.fromEntries(await Promise.all(read)) };
    }
    const signal = this.interruptible();
    const argv =
      flags.follow || flags.file
        ? [...tail, ...(flags.follow ? ['-F'] : []), ...paths]
        : existing(flags.lines, paths);
    const status = await provider.attach(node.name, argv, { signal });
    // Ctrl-C is how following ends.
    const ended = signal.aborted || status === EXIT.interrupted;
    this.fail(ended ? (flags.follow ? EXIT.ok : EXIT.interrupted) : status);
    return undefined;
  }
}

/** Of all logs those that are there: one that nothing was written to yet is no error. */
function existing(lines: number, paths: readonly string[]): readonly string[] {
  const script = `lines=$1; shift; n=$#
for path; do [ ! -e "$path" ] || set -- "$@" "$path"; done; shift "$n"
[ $# -eq 0 ] || exec tail -n "$lines" "$@"`;
  return ['sh', '-c', script, 'sh', String(lines), ...paths];
}

/** The logs that are named; all when none is. @throws LabError `logs.unknown` with those that there are. */
function chosen(all: readonly string[], wanted: readonly string[] = []): readonly string[] {
  const named = (log: string, word: string): boolean => log === word || basename(log) === word;
  const stranger = wanted.find((word) => !all.some((log) => named(log, word)));
  if (stranger !== undefined && all.length > 0)
    throw new LabError(`it has no log '${stranger}'`, {
      code: 'logs.unknown',
      exit: EXIT.refused,
      hints: [
        didYouMean(
          stranger,
          all.map((log) => basename(log)),
        ) ?? `one of: ${all.join(', ')}`,
      ],
    });
  return wanted.length === 0 ? all : all.filter((log) => wanted.some((word) => named(log, word)));
}
