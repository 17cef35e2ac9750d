import { Args, Command, loadHelpClass } from '@oclif/core';
import { coloursFor } from '../cli/colours.ts';
import { exitStatusOf, renderFailure } from '../cli/failure.ts';
import { unknownCommand } from '../cli/usage.ts';

export default class Help extends Command {
  static override summary = 'Show what a command does and takes';
  static override examples = ['<%= config.bin %> help', '<%= config.bin %> help up'];
  static override args = { command: Args.string({ description: 'the command' }) };

  async run(): Promise<void> {
    const { args } = await this.parse(Help);
    const known = args.command === undefined || this.config.commandIDs.includes(args.command);
    if (!known) {
      const error = unknownCommand(args.command!, this.config.commandIDs);
      process.stderr.write(`${renderFailure(error, coloursFor(process.stderr))}\n`);
      this.exit(exitStatusOf(error));
    }
    const HelpClass = await loadHelpClass(this.config);
    await new HelpClass(this.config).showHelp(args.command === undefined ? [] : [args.command]);
  }
}
