import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { nameFlag } from '../cli/flags.ts';
import { nodeOf } from '../lab/node.ts';
import { seconds } from '../text.ts';

export default class Restart extends LabCommand {
  static override summary = 'Restart a node: the whole machine, or its services where it has none';
  static override examples = ['<%= config.bin %> restart web1'];
  static override args = { node: Args.string({ description: 'node of the lab', required: true }) };
  static override flags = {
    topology: Flags.string({ char: 't', description: 'topology file of the lab', helpValue: 'FILE' }),
    name: nameFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Restart);
    const started = performance.now();
    const [{ whichLab }, { providerFor }, { restartNode }] = await Promise.all([
      import('../lab/which.ts'),
      import('../providers/providers.ts'),
      import('../lab/restart.ts'),
    ]);
    const record = this.means(await whichLab(flags));
    const node = nodeOf(record, args.node);
    await restartNode(record, node, await providerFor(record.topology));
    this.log(`${node.name} has started again (${seconds(performance.now() - started)})`);
    return { lab: record.name, node: node.name };
  }
}
