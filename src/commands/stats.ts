import { Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { coloursFor, cutTo } from '../cli/colours.ts';
import { renderFailure } from '../cli/failure.ts';
import { durationFlag, labArg, nameFlag } from '../cli/flags.ts';

export default class Stats extends LabCommand {
  static override summary = "Show the balancer's statistics: live in a terminal, once elsewhere";
  static override description =
    'Frontends, backends and servers with their sessions, requests a second, bytes, answers and checks, as the balancer tells them on its runtime socket (or else on its statistics page). q or Ctrl-C ends it.';
  static override examples = [
    '<%= config.bin %> stats',
    '<%= config.bin %> stats --interval 5s',
    '<%= config.bin %> stats --csv > stats.csv',
  ];
  static override args = { topology: labArg };
  static override flags = {
    name: nameFlag,
    once: Flags.boolean({ description: 'show it once, also in a terminal' }),
    csv: Flags.boolean({ description: "HAProxy's own CSV, as it is", exclusive: ['json'] }),
    interval: durationFlag({ description: 'time from one look to the next', default: 1000, least: 100 }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Stats);
    const [{ whichLab }, { providerFor }, { balancerOf, balancerStats }, { readStats }, { statsTable }] =
      await Promise.all([
        import('../lab/which.ts'),
        import('../providers/providers.ts'),
        import('../balancer/stats.ts'),
        import('../balancer/csv.ts'),
        import('../cli/stats-table.ts'),
      ]);
    const record = this.means(await whichLab({ topology: args.topology, name: flags.name }));
    const provider = await providerFor(record.topology);
    const { stdout } = process;
    const head = `${this.c.bold(record.name)} · ${balancerOf(record).name}`;
    const width = (): number => stdout.columns ?? WIDTH; // it may change meanwhile
    const table = (csv: string): string[] => statsTable(readStats(csv), this.c, width());

    const first = await balancerStats(record, provider);
    if (flags.csv) stdout.write(first);
    else if (flags.once || this.jsonEnabled() || !stdout.isTTY)
      this.log([cutTo(head, width()), ...table(first)].join('\n'));
    else {
      const { live } = await import('../cli/live.ts');
      const signal = this.interruptible();
      const draw = async (): Promise<string> => {
        const at = new Date().toTimeString().slice(0, 8);
        const body = await balancerStats(record, provider, signal).then(table, (error) => [
          renderFailure(error, coloursFor(stdout)),
        ]);
        return [cutTo(`${head} · ${at} · ${this.c.dim('q quits')}`, width()), ...body].join('\n');
      };
      await live({ draw, intervalMs: flags.interval, signal });
    }
    return { lab: record.name, node: balancerOf(record).name, rows: readStats(first).map(withNumbers) };
  }
}

/** Where nobody says how wide the terminal is. */
const WIDTH = 120;

function withNumbers(row: Readonly<Record<string, string>>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, /^\d{1,15}$/.test(value) ? Number(value) : value]),
  );
}
