import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { nameFlag } from '../cli/flags.ts';

export default class Restore extends LabCommand {
  static override summary = 'Put a whole lab back to what a snapshot kept';
  static override description =
    'What was done on its nodes since is lost. `lablb up` then mends what differs.';
  static override examples = ['<%= config.bin %> restore before-the-exercise'];
  static override args = {
    snapshot: Args.string({ description: 'name of the snapshot (default: lablb)', default: 'lablb' }),
  };
  static override flags = {
    topology: Flags.string({ char: 't', description: 'topology file of the lab', helpValue: 'FILE' }),
    name: nameFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Restore);
    const [{ whichLab }, { providerFor }, { restoreSnapshot }] = await Promise.all([
      import('../lab/which.ts'),
      import('../providers/providers.ts'),
      import('../lab/snapshots.ts'),
    ]);
    const record = this.means(await whichLab(flags));
    await restoreSnapshot(record, await providerFor(record.topology), args.snapshot);
    this.log(this.typed(`${record.name} is what it was at '${args.snapshot}'   (lablb status)`));
    return { lab: record.name, snapshot: args.snapshot };
  }
}
