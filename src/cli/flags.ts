import { Args, Flags } from '@oclif/core';

/** Flags and arguments that several commands share, worded once. */
export const topologyArg = Args.string({
  description: 'topology file (default: the only *.lab.yaml or topology.yaml of the folder)',
});

export const labArg = Args.string({ description: 'topology file, or the name of a lab that is up' });

export const nameFlag = Flags.string({
  description: 'a lab by its name, without its file',
  helpValue: 'NAME',
});

export const providerFlag = Flags.string({
  description: 'run it on this instead of what the topology says',
  options: ['local', 'lxd', 'ssh'],
});

export const timeoutFlag = Flags.integer({
  description: 'seconds until it gives up',
  default: 600,
  min: 1,
  helpValue: 'SECONDS',
});
