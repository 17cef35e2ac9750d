import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { labArg, nameFlag } from '../cli/flags.ts';
import { curlByName } from '../cli/lab-lines.ts';
import { hostsLines, writeHostsFile } from '../lab/hosts-file.ts';

export default class Hosts extends LabCommand {
  static override summary = 'Show the lines that make a lab’s sites known on this machine';
  static override description =
    'For /etc/hosts, so that a browser finds the sites: every site is where the balancer is. --write puts them there between markers, --remove takes them away.';
  static override examples = ['<%= config.bin %> hosts', 'sudo <%= config.bin %> hosts --write'];
  static override args = { topology: labArg };
  static override flags = {
    name: nameFlag,
    write: Flags.boolean({ description: 'put the lines in the file', exclusive: ['remove'] }),
    remove: Flags.boolean({ description: 'take them out of the file' }),
    file: Flags.string({ description: 'the file', default: '/etc/hosts', helpValue: 'FILE' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Hosts);
    asTheUserBeforeSudo();
    const which = { topology: args.topology, name: flags.name };
    const { whichLab, nameMeant } = await import('../lab/which.ts');
    if (flags.remove) return this.#put(flags.file, await nameMeant(which), []);
    const record = this.means(await whichLab(which));
    const lines = hostsLines(record);
    if (!flags.write) {
      // A comment, so that the output may go into a hosts file as it is.
      const byName = record.topology.balancer.tls && curlByName(record.topology, record.desired);
      this.log([...(byName ? [`# then: ${byName}`] : []), ...lines].join('\n'));
      return { lines };
    }
    return this.#put(flags.file, record.name, lines);
  }

  #put(file: string, lab: string, lines: readonly string[]): unknown {
    const changed = writeHostsFile(file, lab, lines);
    const done = lines.length > 0 ? 'has' : 'no longer has';
    this.log(`${file} ${done} the names of ${lab}${changed ? '' : ': nothing to do'}`);
    return { file, lines, changed };
  }
}

/** Under sudo the lab is still the one of whoever typed it: sudo gives root's home, and with it root's labs. */
function asTheUserBeforeSudo(): void {
  const { SUDO_UID, XDG_STATE_HOME } = process.env;
  if (!SUDO_UID || XDG_STATE_HOME) return;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const home = users.find(([, , uid]) => uid === SUDO_UID)?.[5];
  if (home) process.env.XDG_STATE_HOME = join(home, '.local', 'state');
}
