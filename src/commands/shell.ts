import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { nameFlag } from '../cli/flags.ts';
import { nodeOf } from '../lab/node.ts';

export default class Shell extends LabCommand {
  static override summary = 'Open a shell on a node';
  static override description =
    'On a local node it is a shell on this machine, in the folder that stands for the node’s file system.';
  static override examples = ['<%= config.bin %> shell proxyha'];
  static override enableJsonFlag = false;
  static override args = { node: Args.string({ description: 'node of the lab', required: true }) };
  static override flags = {
    topology: Flags.string({ char: 't', description: 'topology file of the lab', helpValue: 'FILE' }),
    name: nameFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Shell);
    const [{ whichLab }, { providerFor }] = await Promise.all([
      import('../lab/which.ts'),
      import('../providers/providers.ts'),
    ]);
    const record = this.means(await whichLab(flags));
    const node = nodeOf(record, args.node);
    const provider = await providerFor(record.topology);
    this.fail(await provider.attach(node.name, SHELL));
  }
}

/** The best shell that the node has. */
const SHELL = ['sh', '-c', 'if command -v bash >/dev/null; then exec bash -l; else exec sh -l; fi'];
