import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { nameFlag } from '../cli/flags.ts';

export default class Snapshot extends LabCommand {
  static override summary = 'Keep the state of a whole lab, to go back to it';
  static override description = 'Every node at once, under one name; one of that name is replaced.';
  static override examples = [
    '<%= config.bin %> snapshot before-the-exercise',
    '<%= config.bin %> snapshot --list',
  ];
  static override args = {
    snapshot: Args.string({ description: 'name of the snapshot (default: lablb)', default: 'lablb' }),
  };
  static override flags = {
    topology: Flags.string({ char: 't', description: 'topology file of the lab', helpValue: 'FILE' }),
    name: nameFlag,
    list: Flags.boolean({ description: 'show the snapshots that there are' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Snapshot);
    const [{ whichLab }, { providerFor }, snapshots] = await Promise.all([
      import('../lab/which.ts'),
      import('../providers/providers.ts'),
      import('../lab/snapshots.ts'),
    ]);
    const record = this.means(await whichLab(flags));
    const provider = await providerFor(record.topology);
    if (flags.list) {
      const names = await snapshots.listSnapshots(record, provider);
      this.log(names.join('\n') || `${record.name} has no snapshots`);
      return { lab: record.name, snapshots: names };
    }
    await snapshots.takeSnapshot(record, provider, args.snapshot);
    this.log(`${record.name}: snapshot '${args.snapshot}'   (lablb restore ${args.snapshot})`);
    return { lab: record.name, snapshot: args.snapshot };
  }
}
