import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { nameFlag } from '../cli/flags.ts';
import { EXIT, LabError } from '../errors.ts';
import { nodeOf } from '../lab/node.ts';

export default class Exec extends LabCommand {
  static override summary = 'Run a command on a node';
  static override description =
    'The exit status is the command’s own. On a local node the command runs on this machine, in the folder that stands for the node’s file system (so: etc/hosts, not /etc/hosts); `service NAME start|stop|restart|reload|status` drives the node’s services.';
  static override examples = [
    '<%= config.bin %> exec proxyha -- cat etc/haproxy/haproxy.cfg',
    '<%= config.bin %> exec web1 -- service web stop',
  ];
  static override usage = 'exec NODE [--topology FILE | --name NAME] [--json] -- CMD...';
  static override strict = false;
  static override args = { node: Args.string({ description: 'node of the lab', required: true }) };
  static override flags = {
    topology: Flags.string({ char: 't', description: 'topology file of the lab', helpValue: 'FILE' }),
    name: nameFlag,
  };

  async run(): Promise<unknown> {
    const { own, command } = splitAtDashes(this.argv);
    const { args, argv, flags } = await this.parse(Exec, own);
    // `lablb exec web1 ls` without the dashes is clear enough as long as the command has no flags.
    const wanted = [...(argv as string[]).slice(1), ...command];
    if (wanted.length === 0) {
      throw new LabError('no command to run', {
        code: 'usage',
        exit: EXIT.refused,
        hints: [`lablb exec ${args.node} -- CMD…`],
      });
    }
    const [{ whichLab }, { providerFor }] = await Promise.all([
      import('../lab/which.ts'),
      import('../providers/providers.ts'),
    ]);
    const record = this.means(await whichLab(flags));
    nodeOf(record, args.node);
    const provider = await providerFor(record.topology);
    if (!this.jsonEnabled()) {
      this.fail(await provider.attach(args.node, wanted));
      return undefined;
    }
    const result = await provider.exec(args.node, wanted, { signal: this.interruptible(), timeoutMs: 0 });
    this.fail(result.exitStatus);
    return result;
  }
}

/** What is after `--` is the command's and never read as a flag of lablb's. */
function splitAtDashes(argv: readonly string[]): { own: string[]; command: string[] } {
  const at = argv.indexOf('--');
  return at < 0 ? { own: [...argv], command: [] } : { own: argv.slice(0, at), command: argv.slice(at + 1) };
}
