import { Args, Flags } from '@oclif/core';
import { EXIT, LabError } from '../errors.ts';
import { DURATION, durationText, milliseconds } from '../topology/duration.ts';

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

/**
 * A time with its unit (`500ms`, `2s`), in milliseconds. HAProxy reads a bare number as milliseconds, which nobody means
 * on a command line.
 */
export const durationFlag = Flags.custom<number, { readonly least?: number }>({
  helpValue: 'TIME',
  defaultHelp: async ({ options }) => durationText(options.default as number),
  parse: async (text, _, { least = 1 }) => {
    if (/^\d+$/.test(text)) throw noDuration(`${text} of what? '${text}s', or '${text}ms'`);
    const ms = DURATION.test(text) ? milliseconds(text) : 0;
    if (ms >= least && ms <= HOUR_MS) return ms;
    const from = least > 1 ? `from ${durationText(least)} ` : '';
    throw noDuration(`'${text}' is not a time ${from}up to an hour, such as '500ms' or '2s'`);
  },
});

const HOUR_MS = 3_600_000;

function noDuration(message: string): LabError {
  return new LabError(message, { code: 'usage', exit: EXIT.refused });
}
