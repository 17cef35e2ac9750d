import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { checkFile, type FileReport } from '../cli/check-file.ts';
import { EXIT, renderDiagnostics } from '../errors.ts';
import { findTopology } from '../topology/load.ts';
import { PROVIDERS } from '../topology/schema.ts';

export default class Validate extends LabCommand {
  static override description =
    'Check topologies and HAProxy configurations; nothing is touched. Exit status 2 when one is refused.';
  static override examples = [
    '<%= config.bin %> validate',
    '<%= config.bin %> validate --show-defaults rocky.lab.yaml',
    '<%= config.bin %> validate haproxy.cfg',
  ];
  static override strict = false;
  static override args = {
    file: Args.string({ description: 'Files to check. Default: the topology of this folder.' }),
  };
  static override flags = {
    provider: Flags.option({ options: PROVIDERS })({ description: 'Check for another provider.' }),
    'show-defaults': Flags.boolean({ description: 'Print the topology with every default filled in.' }),
  };

  async run(): Promise<{ files: Omit<FileReport, 'sources'>[] }> {
    const { argv, flags } = await this.parse(Validate);
    const named = argv as string[];
    const files = named.length > 0 ? named : [await findTopology('.')];
    const reports: FileReport[] = [];
    for (const file of files) {
      const report = await checkFile(file, {
        provider: flags.provider,
        showDefaults: flags['show-defaults'],
      });
      this.#print(report);
      reports.push(report);
    }
    if (reports.some(({ valid }) => !valid)) this.fail(EXIT.refused);
    return { files: reports.map(({ sources: _, ...report }) => report) };
  }

  #print(report: FileReport): void {
    if (report.diagnostics.length > 0) {
      // What is no error says so.
      const severity = report.diagnostics.some((one) => one.severity !== 'error');
      this.log(renderDiagnostics(report.diagnostics, report.sources, { severity }));
    }
    if (report.output) this.log(report.output);
    if (report.defaults !== undefined) this.log(report.defaults.trimEnd());
    else this.log(`${report.valid ? this.c.green('✔') : this.c.red('✖')} ${report.file}: ${report.summary}`);
  }
}
