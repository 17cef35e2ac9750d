import { Args, loadHelpClass } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { unknownCommand } from '../cli/usage.ts';

export default class Help extends LabCommand {
  static override enableJsonFlag = false;
  static override summary = 'Show what a command does and takes';
  static override examples = ['<%= config.bin %> help', '<%= config.bin %> help up'];
  static override args = { command: Args.string({ description: 'the command' }) };

  async run(): Promise<void> {
    const { args } = await this.parse(Help);
    const { commandIDs } = this.config;
    if (args.command !== undefined && !commandIDs.includes(args.command))
      throw unknownCommand(args.command, commandIDs);
    const HelpClass = await loadHelpClass(this.config);
    await new HelpClass(this.config).showHelp(args.command === undefined ? [] : [args.command]);
  }
}
