import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { nameFlag } from '../cli/flags.ts';
import { canWrite, writeOutput } from '../cli/output-file.ts';
import { table } from '../cli/table.ts';
import { plural } from '../text.ts';
import type { SuiteResult } from '../verify/junit.ts';
import { FAILURE_NAMES, type FailureName } from '../verify/suite.ts';

export default class Test extends LabCommand {
  static override summary = 'Prove with real requests that the lab does what it should';
  static override description =
    'Sends requests with curl and prints the command, so that anyone can repeat it. Without a name every suite runs that this lab has something for. Exit status 1 when something does not hold, or nothing could be tried.';
  static override examples = [
    '<%= config.bin %> test',
    '<%= config.bin %> test roundrobin --requests 24',
    '<%= config.bin %> test --list',
  ];
  static override strict = false;
  static override args = {
    suite: Args.string({ description: 'suites to run, e.g. roundrobin; all of them: all (the default)' }),
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
    how: Flags.option({
      options: FAILURE_NAMES,
      multiple: true,
      multipleNonGreedy: true,
      default: ['stop'] as FailureName[],
      description: 'how the suite failover makes a server fail; may be repeated',
    })(),
    list: Flags.boolean({ description: 'show which suites there are, and run none' }),
    junit: Flags.string({
      description: 'also write the results to this file, as JUnit XML',
      helpValue: 'FILE',
    }),
  };

  async run(): Promise<unknown> {
    const { argv, flags } = await this.parse(Test);
    const { SUITES, suitesNamed } = await import('../verify/suites.ts');
    if (flags.list) {
      this.log(table(SUITES.map(({ name, summary }) => [this.c.bold(name), summary])));
      return { suites: SUITES.map(({ name, summary }) => ({ name, summary })) };
    }
    if (flags.junit !== undefined) canWrite(flags.junit, '--junit');
    const [{ whichLab }, { providerFor }, { provedSomething, runSuites }, { junitXml }] = await Promise.all([
      import('../lab/which.ts'),
      import('../providers/providers.ts'),
      import('../verify/run-suites.ts'),
      import('../verify/junit.ts'),
    ]);
    const suites = suitesNamed(argv as string[]);
    const record = this.means(await whichLab(flags));
    const results = await runSuites(suites, {
      record,
      provider: await providerFor(record.topology),
      requests: flags.requests,
      how: flags.how,
      signal: this.interruptible({ hints: [] }),
      colours: this.c,
      say: (line) => this.log(this.typed(line)),
    });
    if (flags.junit) writeOutput(flags.junit, junitXml(record.name, results));
    return { lab: record.name, ok: this.#verdict(results, provedSomething(results)), results };
  }

  /** The last line, and the exit status. */
  #verdict(results: readonly SuiteResult[], proved: boolean): boolean {
    const tried = results.flatMap(({ cases }) => cases).filter((one) => one.skipped === undefined);
    const failed = tried.filter((one) => one.failure !== undefined).length;
    if (!proved) this.log(`${this.c.red('✖')} nothing was proved: not one case could be tried`);
    else if (failed > 0) this.log(`${plural(failed, 'case')} of ${tried.length} did not hold`);
    if (!proved || failed > 0) this.fail();
    return proved && failed === 0;
  }
}
