/** Reads one rule: action, arguments, condition. */
import { type Cursor, WordError } from '../../config/cursor.ts';
import type { ParseContext, Word } from '../../config/language.ts';
import { didYouMean } from '../../errors.ts';
import { isListed, parseCondition } from '../acl/parse.ts';
import type { ActionRow, Rule, RuleSet } from '../expressions.ts';
import type { ProxySettings } from '../settings.ts';
import { ACTIONS, UNSUPPORTED_ACTIONS } from './actions.ts';

/** The words after the rule set's name: action, its arguments, `if`/`unless`. Takes the whole line. */
export function parseRule(words: Cursor, context: ParseContext, proxy: ProxySettings, set: RuleSet): Rule {
  const word = words.take('an action');
  const action = actionOf(word, set);
  words.keyword = `${set} ${action.keyword}`;
  const args = action.parse(words, context, proxy, set);
  const condition = parseCondition(words, context, proxy, set);
  words.end();
  return { action, args, condition, place: word.place };
}

/** Actions that are for another rule set are unknown here, but said to be there. */
function actionOf(word: Word, set: RuleSet): ActionRow {
  const name = /^[^(]*/.exec(word.text)![0];
  const named = ACTIONS.filter((row) => row.keyword === name);
  const row = named.find((r) => r.sets.includes(set));
  if (row !== undefined) return row;
  if (named.length > 0)
    throw new WordError(
      `'${name}' is not an action of '${set}'`,
      word.place,
      `it is one of ${[...new Set(named.flatMap((r) => r.sets))].join(', ')}`,
    );
  if (isListed(UNSUPPORTED_ACTIONS, name))
    throw new WordError(`'${set} ${name}' is not supported by this engine yet`, word.place);
  const names = ACTIONS.filter((r) => r.sets.includes(set)).map((r) => r.keyword);
  throw new WordError(`unknown action '${name}' of '${set}'`, word.place, didYouMean(name, names));
}
