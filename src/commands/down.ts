import { existsSync } from 'node:fs';
import { Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { labArg, nameFlag } from '../cli/flags.ts';
import { LabError } from '../errors.ts';
import type { LabRecord } from '../state/record.ts';
import { plural, seconds } from '../text.ts';

export default class Down extends LabCommand {
  static override summary = 'Take a lab away: all of it, and nothing else';
  static override description =
    'Works from what lablb remembers, so it needs no file, and what is gone already is no obstacle. Machines that were there before the lab (provider ssh) are given back as they were: files, services, firewalls.';
  static override examples = ['<%= config.bin %> down', '<%= config.bin %> down --name quickstart'];
  static override args = { topology: labArg };
  static override flags = {
    name: nameFlag,
    purge: Flags.boolean({
      description:
        'also remove the packages that lablb installed on machines that are given back, and the images that it pulled and prepared on LXD',
    }),
    forget: Flags.boolean({
      description: 'give up what cannot be taken away, such as a machine that will never answer again',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Down);
    const started = performance.now();
    const [{ whichLab }, { providerFor }, { takeDown }] = await Promise.all([
      import('../lab/which.ts'),
      import('../providers/providers.ts'),
      import('../lab/down.ts'),
    ]);
    const record = await whichLab({ topology: args.topology, name: flags.name }).catch((error) => {
      // To want a known lab gone that is not there is no mistake; to mistype its name is.
      const known = flags.name === undefined && (args.topology === undefined || existsSync(args.topology));
      if (known && error instanceof LabError && error.fields.code === 'lab.unknown') return error.message;
      throw error;
    });
    if (typeof record === 'string') {
      this.log(`${record}: nothing to do`);
      return { gone: [] };
    }
    const { gone, left, kept, forgotten } = await takeDown(
      this.means(record),
      await providerFor(record.topology),
      {
        ...flags,
        gone: (node, ms) => this.#tell(record, node, ms),
        signal: this.interruptible({ hints: ['lablb down   (goes on where it was)'] }),
      },
    );
    const what =
      record.provider === 'ssh'
        ? `${plural(gone.length, 'machine')} given back`
        : `${plural(gone.length, 'node')} gone`;
    this.log(`${record.name} is down: ${what} (${seconds(performance.now() - started)})`);
    for (const one of forgotten) this.log(`  ${this.c.yellow('given up and left as it is')} ${one}`);
    const why = flags.purge
      ? 'something else needs them'
      : 'lablb down --purge of the next lab there removes what lablb installed';
    for (const [node, packages] of Object.entries(left))
      this.log(`  ${node} keeps ${packages.join(' ')}   (${why})`);
    if (kept.length > 0)
      this.log(
        `  ${kept.join(', ')} ${kept.length === 1 ? 'stays' : 'stay'} for the next lab   (lablb down --purge removes what is kept)`,
      );
    return { lab: record.name, gone, left, kept, forgotten };
  }

  /** Where that takes no time nobody needs to be told. */
  #tell({ provider }: LabRecord, node: string, ms: number): void {
    const what = provider === 'ssh' ? 'given back' : 'gone';
    if (provider !== 'local') this.log(`  ${this.c.green('✔')} ${node}  ${what}  ${this.c.dim(seconds(ms))}`);
  }
}
