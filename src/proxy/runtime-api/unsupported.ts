/** Commands that HAProxy has and this engine does not have yet: named, instead of called unknown. */
import { type CommandRow, refuse } from './command.ts';

const KEYWORDS = [
  'add acl',
  'add map',
  'add server',
  'clear acl',
  'clear map',
  'clear table',
  'del acl',
  'del map',
  'del server',
  'get acl',
  'get map',
  'set map',
  'set rate-limit',
  'set ssl cert',
  'set table',
  'show acl',
  'show map',
  'show ssl cert',
  'show table',
] as const;

export const UNSUPPORTED_COMMANDS: readonly CommandRow[] = KEYWORDS.map((keyword) => ({
  keyword,
  doc: 'not supported yet',
  run: () => refuse(`'${keyword}' is not supported yet.\n`),
}));
