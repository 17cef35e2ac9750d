import { Args } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { table } from '../cli/table.ts';
import { EXIT } from '../errors.ts';
import { DOCTOR_PROVIDERS, examine } from '../lab/doctor.ts';
import type { Finding } from '../providers/finding.ts';

export default class Doctor extends LabCommand {
  static override summary = 'Say what is here, what is missing, and how to get it';
  static override description =
    'Exit status 3 when something is missing that is needed: by the provider asked for, or by every provider when none is.';
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor lxd'];
  static override args = {
    provider: Args.string({ description: 'look at one provider only', options: [...DOCTOR_PROVIDERS] }),
  };

  async run(): Promise<unknown> {
    const { args } = await this.parse(Doctor);
    const findings = await examine(args.provider);
    for (const [i, group] of [...new Set(findings.map((finding) => finding.provider))].entries()) {
      const rows = findings
        .filter((finding) => finding.provider === group)
        .map((finding) => this.row(finding));
      this.log(`${i > 0 ? '\n' : ''}${this.c.bold(group)}\n${table(rows)}`);
    }
    const matters = (finding: Finding): boolean =>
      args.provider !== undefined || finding.provider === 'everywhere';
    if (findings.some((one) => one.need === 'needed' && one.found === undefined && matters(one)))
      this.fail(EXIT.missing);
    return findings;
  }

  private row({ name, need, found, get, lacks }: Finding): string[] {
    if (found !== undefined) return [this.c.green('✔'), name, found];
    const mark = need === 'needed' ? this.c.red('✖') : this.c.yellow('○');
    return [mark, name, `${lacks ?? (need === 'needed' ? 'missing' : 'not here')}: ${get}`];
  }
}
