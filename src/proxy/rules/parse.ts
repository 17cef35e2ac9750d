import type { Cursor } from '../../config/cursor.ts';
import type { ParseContext } from '../../config/language.ts';
import type { Rule, RuleSet } from '../expressions.ts';
import type { ProxySettings } from '../settings.ts';

/** The words after the rule set's name: action, its arguments, `if`/`unless`. Takes the whole line. */
export function parseRule(
  _words: Cursor,
  _context: ParseContext,
  _proxy: ProxySettings,
  _set: RuleSet,
): Rule {
  throw new Error('in the making');
}
