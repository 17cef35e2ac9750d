/** Binds the grammar of log formats to the tables of variables and fetches. */

import { WordError } from '../../config/cursor.ts';
import type { ParseContext, Word } from '../../config/language.ts';
import { readLogFormat } from '../../config/log-format.ts';
import { didYouMean, type Place } from '../../errors.ts';
import { atWord, bindSample, placeInside } from '../acl/parse.ts';
import type { LogFormat, LogPiece, Where } from '../expressions.ts';
import { LOG_FIELD_BY_NAME } from './fields.ts';

/**
 * A format of the configuration; mistakes are refused with their own place inside the text. Samples that cannot be
 * read in `where` are refused, too.
 */
export function parseLogFormat(text: string, place: Place, context: ParseContext, where?: Where): LogFormat {
  const word: Word = { text, place };
  const pieces = atWord(word, () => readLogFormat(text)).map((piece): LogPiece => {
    if (piece.kind === 'text') return piece;
    if (piece.kind === 'expression') {
      const expression = bindSample(piece.calls, word, piece.text, context, where);
      return { kind: 'sample', expression, flags: piece.flags };
    }
    const row = LOG_FIELD_BY_NAME.get(piece.name);
    if (row === undefined) unknownVariable(piece.name, piece.start, word);
    return { kind: 'field', row, flags: piece.flags };
  });
  return { text, place, pieces };
}

function unknownVariable(name: string, start: number, word: Word): never {
  const place = placeInside(word, start, name.length + 1);
  if (UNSUPPORTED.includes(name))
    throw new WordError(`log variable '%${name}' is not supported by this engine yet`, place);
  throw new WordError(
    `unknown log variable '%${name}'`,
    place,
    didYouMean(name, LOG_FIELD_BY_NAME.keys()) ?? "write '%%' for a percent sign",
  );
}

/** Variables of newer versions than the one followed. */
const UNSUPPORTED = ['OG', 'bt'];
