import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { nameFlag } from '../cli/flags.ts';
import { EXIT } from '../errors.ts';
import { nodeOf } from '../lab/node.ts';

export default class Logs extends LabCommand {
  static override summary = 'Show the logs of a node’s services';
  static override examples = [
    '<%= config.bin %> logs proxyha --follow',
    '<%= config.bin %> logs web1 -n 100',
  ];
  static override args = { node: Args.string({ description: 'node of the lab', required: true }) };
  static override flags = {
    topology: Flags.string({ char: 't', description: 'topology file of the lab', helpValue: 'FILE' }),
    name: nameFlag,
    follow: Flags.boolean({ char: 'f', description: 'go on showing what is written, until Ctrl-C' }),
    lines: Flags.integer({ char: 'n', description: 'last lines of each log', default: 20, min: 0 }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Logs);
    const [{ whichLab }, { providerFor }] = await Promise.all([
      import('../lab/which.ts'),
      import('../providers/providers.ts'),
    ]);
    const record = await whichLab(flags);
    const node = nodeOf(record, args.node);
    const provider = await providerFor(record.topology);
    const logs = node.services.flatMap((service) => service.logs);
    if (logs.length === 0) {
      this.log(`${node.name} has no services, so no logs`);
      return { node: node.name, logs: {} };
    }
    const tail = ['tail', '-n', String(flags.lines)];
    const paths = logs.map((log) => node.root + log);
    if (this.jsonEnabled()) {
      const read = paths.map(async (path, i) => [
        logs[i],
        (await provider.exec(node.name, [...tail, path])).stdout,
      ]);
      return { node: node.name, logs: Object.fromEntries(await Promise.all(read)) };
    }
    const status = await provider.attach(node.name, [...tail, ...(flags.follow ? ['-F'] : []), ...paths]);
    // Ctrl-C is how following ends.
    this.fail(flags.follow && status === EXIT.interrupted ? EXIT.ok : status);
    return undefined;
  }
}
