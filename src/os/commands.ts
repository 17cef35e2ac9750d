/** Script of the commands that a topology asks for on a node. */
export const COMMANDS = '/usr/local/lib/lablb/commands.sh';
