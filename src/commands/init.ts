import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { LabCommand } from '../cli/base.ts';
import { EXIT, LabError } from '../errors.ts';
import { starterTopology } from '../render/starter.ts';
import { isFolder, makeFolder } from '../state/folder.ts';
import { inWords } from '../system-error.ts';
import { PROVIDERS } from '../topology/schema.ts';
import type { ProviderName } from '../topology/topology.ts';

export default class Init extends LabCommand {
  static override description = 'Write a commented topology to start from.';
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init --provider lxd rocky.lab.yaml',
  ];
  static override args = {
    file: Args.string({ description: 'File to write. Default: NAME.lab.yaml here.' }),
  };
  static override flags = {
    name: Flags.string({ description: 'Name of the lab. Default: the name of this folder.' }),
    provider: Flags.option({ options: PROVIDERS, default: 'local' as const })({
      description: 'What the lab runs on.',
    }),
    force: Flags.boolean({ description: 'Write over a file that is there.' }),
  };

  async run(): Promise<{ file: string; name: string; provider: ProviderName }> {
    const { args, flags } = await this.parse(Init);
    const { name, text } = starterTopology(
      flags.name ?? basename(resolve('.')),
      flags.provider,
      flags.name !== undefined,
    );
    const file = args.file || `${name}.lab.yaml`;
    await write(file, text, flags.force);
    this.log(`wrote ${file}: lab '${name}' on ${flags.provider}`);
    this.log(`\n  next: lablb up ${file} · lablb validate --show-defaults ${file}`);
    return { file, name, provider: flags.provider };
  }
}

async function write(file: string, text: string, force: boolean): Promise<void> {
  try {
    makeFolder(dirname(file));
    await writeFile(file, text, { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall === 'write' && !force) rmSync(file, { force: true }); // the beginning of it
    // Not a file where a folder should be, nor a folder where the file should be.
    const exists = code === 'EEXIST' && syscall === 'open' && !isFolder(file);
    throw new LabError(
      exists ? `${file} is there already` : unwritable(file, cause as NodeJS.ErrnoException),
      {
        code: exists ? 'init.exists' : 'init.unwritable',
        exit: EXIT.refused,
        hints: exists ? ['--force writes over it', 'or name another file'] : [],
        cause,
      },
    );
  }
}

function unwritable(file: string, cause: NodeJS.ErrnoException): string {
  return isFolder(file)
    ? `${file} is a folder; what is the file to be called?`
    : `cannot write ${file}: ${inWords(cause)}`;
}
