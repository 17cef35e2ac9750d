import { Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { labArg, nameFlag } from '../cli/flags.ts';
import { statusLines } from '../cli/status-lines.ts';
import { typedHere } from '../cli/typed.ts';
import { statsPassword } from '../credentials/kept.ts';
import { labStatus } from '../lab/status.ts';
import type { Which } from '../lab/which.ts';
import { providerFor } from '../providers/providers.ts';
import { allRecords, damagedRecords, type LabRecord } from '../state/record.ts';
import { proxyStates } from '../verify/stats.ts';

export default class Status extends LabCommand {
  static override summary = 'Show what is up, and what differs from what should be';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --json'];
  static override args = { topology: labArg };
  static override flags = {
    name: nameFlag,
    'show-password': Flags.boolean({ description: 'show the password of the statistics page, too' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Status);
    const one = args.topology !== undefined || flags.name !== undefined;
    const known = one ? [] : allRecords();
    const damaged = one ? [] : damagedRecords();
    const records =
      known.length > 0 ? known : await this.#meant({ topology: args.topology, name: flags.name }, one);
    const labs = await Promise.all(
      records.map(async (record) => {
        const provider = await providerFor(record.topology);
        const [status, balancing] = await Promise.all([
          labStatus(record, provider),
          proxyStates(record, provider),
        ]);
        const password = flags['show-password'] ? statsPassword(record.topology) : undefined;
        return { ...status, balancing, password };
      }),
    );
    for (const name of damaged)
      this.log(
        this.c.yellow(`what lablb remembers of ${name} cannot be read; lablb status FILE finds it again`),
      );
    if (labs.length === 0 && damaged.length === 0)
      this.log('no lab is up   (lablb up brings one up, lablb init writes a topology)');
    for (const [i, lab] of labs.entries())
      this.log(
        (i > 0 ? '\n' : '') +
          typedHere(statusLines(lab, this.c).join('\n'), { name: lab.lab, file: lab.file }),
      );
    return labs;
  }

  /** The one lab that is named; without a name the folder's, if it is there. */
  async #meant(which: Which, one: boolean): Promise<LabRecord[]> {
    const { whichLab } = await import('../lab/which.ts');
    return whichLab(which).then(
      (record) => [record],
      (error) => {
        if (one) throw error;
        return [];
      },
    );
  }
}
