import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { nameFlag } from '../cli/flags.ts';
import { plural } from '../text.ts';
import type { SuiteResult } from '../verify/junit.ts';

export default class Test extends LabCommand {
  static override summary = 'Prove with real requests that the lab does what it should';
  static override description =
    'Sends requests with curl and prints the command, so that anyone can repeat it. Exit status 1 when something does not hold.';
  static override examples = ['<%= config.bin %> test', '<%= config.bin %> test roundrobin --requests 24'];
  static override strict = false;
  static override args = {
    suite: Args.string({ description: 'suites to run, e.g. roundrobin (default: all)' }),
  };
  static override flags = {
    topology: Flags.string({ char: 't', description: 'topology file of the lab', helpValue: 'FILE' }),
    name: nameFlag,
    requests: Flags.integer({
      char: 'n',
      description: 'requests for each site',
      default: 12,
      min: 1,
      max: 100_000,
    }),
    junit: Flags.string({
      description: 'also write the results to this file, as JUnit XML',
      helpValue: 'FILE',
    }),
  };

  async run(): Promise<unknown> {
    const { argv, flags } = await this.parse(Test);
    const [{ whichLabOrAdopted }, { providerFor }, { suitesNamed }, { junitXml }, { writeFileSync }] =
      await Promise.all([
        import('../lab/adopt.ts'),
        import('../providers/providers.ts'),
        import('../verify/suites.ts'),
        import('../verify/junit.ts'),
        import('node:fs'),
      ]);
    const suites = suitesNamed(argv as string[]);
    const record = await whichLabOrAdopted(flags);
    const provider = await providerFor(record.topology);
    const signal = this.interruptible();

    const results: SuiteResult[] = [];
    for (const suite of suites) {
      const say = (line: string): void => this.log(line);
      const cases = await suite.run({
        record,
        provider,
        requests: flags.requests,
        signal,
        colours: this.c,
        say,
      });
      for (const one of cases)
        if (one.skipped) this.log(`${this.c.yellow('○')} ${one.name}: skipped, ${one.skipped}`);
      results.push({ suite: suite.name, cases });
    }
    if (flags.junit) writeFileSync(flags.junit, junitXml(record.name, results));

    const all = results.flatMap(({ cases }) => cases);
    const failed = all.filter((one) => one.failure !== undefined).length;
    if (failed > 0) {
      this.log(`${plural(failed, 'case')} of ${all.length} did not hold`);
      this.fail();
    }
    return { lab: record.name, ok: failed === 0, results };
  }
}
