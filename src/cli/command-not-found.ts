import type { Hook } from '@oclif/core';
import { coloursFor } from './colours.ts';
import { exitStatusOf, renderFailure } from './failure.ts';
import { unknownCommand } from './usage.ts';

/** oclif's hook for a command that does not exist. */
const hook: Hook.CommandNotFound = async ({ id, config }) => {
  const error = unknownCommand(id.replaceAll(':', ' '), config.commandIDs);
  process.stderr.write(`${renderFailure(error, coloursFor(process.stderr))}\n`);
  process.exit(exitStatusOf(error));
};

export default hook;
