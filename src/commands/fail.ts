import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { durationFlag, nameFlag } from '../cli/flags.ts';
import { EXIT, LabError } from '../errors.ts';
import { nodeOf } from '../lab/node.ts';
import { FAULT_NAMES, FAULTS, type FaultName } from '../os/faults.ts';

export default class Fail extends LabCommand {
  static override summary = 'Make a node fail on purpose, to see what the balancer does';
  static override description = `${FAULT_NAMES.map((name) => `${name}: ${FAULTS[name]}`).join('\n\n')}

The node remembers it: \`lablb status\` shows it, \`lablb heal\` and \`lablb up\` undo it, and so does a restart of the
machine. Web nodes can fail in all these ways, proxy nodes by stop and freeze.`;
  static override examples = [
    '<%= config.bin %> fail web1',
    '<%= config.bin %> fail web1 --how freeze',
    '<%= config.bin %> fail web1 --how slow --delay 1500ms',
  ];
  static override args = { node: Args.string({ description: 'node of the lab', required: true }) };
  static override flags = {
    topology: Flags.string({ char: 't', description: 'topology file of the lab', helpValue: 'FILE' }),
    name: nameFlag,
    how: Flags.option({ options: FAULT_NAMES, default: 'stop' as FaultName, description: 'how it fails' })(),
    delay: durationFlag({ description: 'how late answers come, with --how slow', default: 2000 }),
  };

  async run(): Promise<unknown> {
    const { args, flags, metadata } = await this.parse(Fail);
    if (flags.how !== 'slow' && !metadata.flags.delay?.setFromDefault) throw delayOfNothing(flags.how);
    const [{ whichLab }, { providerFor }, { failNode }] = await Promise.all([
      import('../lab/which.ts'),
      import('../providers/providers.ts'),
      import('../lab/faults.ts'),
    ]);
    const record = this.means(await whichLab(flags));
    const node = nodeOf(record, args.node);
    const { how, delay } = flags;
    await failNode(record, node, { how, delayMs: delay }, await providerFor(record.topology));
    this.log(this.typed(`${node.name} fails now: ${FAULTS[how]}   (lablb heal ${node.name})`));
    return { lab: record.name, node: node.name, how, ...(how === 'slow' ? { delayMs: delay } : {}) };
  }
}

function delayOfNothing(how: FaultName): LabError {
  return new LabError(`--delay is for --how slow; a node that fails by '${how}' answers nothing late`, {
    code: 'usage',
    exit: EXIT.refused,
    hints: ['lablb fail NODE --how slow --delay 1500ms'],
  });
}
