import type { Cursor } from '../../config/cursor.ts';
import type { ParseContext, Word } from '../../config/language.ts';
import type { AclTest, Condition, SampleExpression } from '../expressions.ts';
import type { ProxySettings } from '../settings.ts';

/** The words of an `acl` line after its name, or what stands between the braces: all that is left of the cursor. */
export function parseAclTest(_words: Cursor, _context: ParseContext, _proxy: ProxySettings): AclTest {
  throw new Error('in the making');
}

/** One sample expression that fills a whole word: `hdr(host,-1),lower`. */
export function parseSample(_word: Word, _context: ParseContext): SampleExpression {
  throw new Error('in the making');
}

/** `if …` or `unless …` up to the end of the line; undefined (and nothing taken) when neither word is next. */
export function parseCondition(
  _words: Cursor,
  _context: ParseContext,
  _proxy: ProxySettings,
): Condition | undefined {
  throw new Error('in the making');
}
