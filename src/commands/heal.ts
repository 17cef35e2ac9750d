import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { nameFlag } from '../cli/flags.ts';
import { nodeOf } from '../lab/node.ts';

export default class Heal extends LabCommand {
  static override summary = 'Undo what lablb fail did: for one node, or for all of them';
  static override examples = ['<%= config.bin %> heal', '<%= config.bin %> heal web1'];
  static override args = {
    node: Args.string({ description: 'node of the lab (default: every node that was made to fail)' }),
  };
  static override flags = {
    topology: Flags.string({ char: 't', description: 'topology file of the lab', helpValue: 'FILE' }),
    name: nameFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Heal);
    const [{ whichLab }, { providerFor }, { healNodes }] = await Promise.all([
      import('../lab/which.ts'),
      import('../providers/providers.ts'),
      import('../lab/faults.ts'),
    ]);
    const record = this.means(await whichLab(flags));
    const nodes = args.node === undefined ? record.desired.nodes : [nodeOf(record, args.node)];
    const healed = await healNodes(record, nodes, await providerFor(record.topology));
    for (const { node, how, service } of healed) this.log(`${node} is well again (${how}): ${service} runs`);
    if (healed.length === 0)
      this.log(`${args.node ? `${args.node} was not` : 'no node was'} made to fail: nothing to do`);
    return { lab: record.name, healed };
  }
}
