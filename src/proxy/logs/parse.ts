import type { ParseContext } from '../../config/language.ts';
import type { Place } from '../../errors.ts';
import type { LogFormat } from '../expressions.ts';

/** A log format of the configuration; mistakes are refused with their own place inside the text. */
export function parseLogFormat(_text: string, _place: Place, _context: ParseContext): LogFormat {
  throw new Error('in the making');
}
