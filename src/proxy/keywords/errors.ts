/** Error pages: `errorfile`, `errorloc…` (manual, section 4.2). */
import type { Cursor } from '../../config/cursor.ts';
import { WordError } from '../../config/cursor.ts';
import type { ProxySettings } from '../settings.ts';
import type { ProxyKeyword } from './proxy-keyword.ts';

/** Statuses that the proxy itself may answer with. */
const STATUSES = [
  200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502, 503, 504,
];

function location(keyword: string, code: 302 | 303): ProxyKeyword {
  return {
    keyword,
    usage: '<code> <url>',
    doc: `Redirect (${code}) instead of answering with an error`,
    side: 'both',
    parse: (words, proxy) => {
      const status = takeStatus(words);
      proxy.errorLocations.set(status, { code, location: words.take('a URL').text });
      proxy.errorFiles.delete(status);
      words.end();
    },
  };
}

export const ERRORS: readonly ProxyKeyword[] = [
  {
    keyword: 'errorfile',
    usage: '<code> <file>',
    doc: 'Answer with the contents of a file, as it is, instead of an error',
    side: 'both',
    parse: (words, proxy: ProxySettings, context) => {
      const status = takeStatus(words);
      const word = words.take('a file');
      words.end();
      const content = context.readFile(word.text);
      if (content === undefined) throw new WordError(`cannot read '${word.text}'`, word.place);
      const complaint = content === '' ? undefined : faultOf(content);
      if (complaint !== undefined) {
        const hint =
          'it begins with a line like HTTP/1.0 503 Service Unavailable, then headers and an empty line';
        throw new WordError(`'${word.text}' is not an HTTP response: ${complaint}`, word.place, hint);
      }
      proxy.errorFiles.set(status, { file: word.text, content });
      proxy.errorLocations.delete(status);
    },
  },
  location('errorloc', 302),
  location('errorloc302', 302),
  location('errorloc303', 303),
];

function takeStatus(words: Cursor): number {
  const word = words.take('a status');
  const status = Number(word.text);
  if (STATUSES.includes(status)) return status;
  throw new WordError(
    `'${word.text}' is not a status with an error page`,
    word.place,
    `there are ${STATUSES.join(', ')}`,
  );
}

/** What keeps a text from being a whole response; undefined when nothing does. */
function faultOf(content: string): string | undefined {
  if (!/^HTTP\/\d\.\d [1-9]\d{2}( [^\r\n]*)?\r?\n/.test(content)) return 'its first line is no status line';
  const end = /\r?\n\r?\n/.exec(content);
  if (end === null) return 'no empty line ends its headers';
  const lines = content.slice(0, end.index).split(/\r?\n/).slice(1);
  const odd = lines.find((line) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:/.test(line));
  return odd === undefined ? undefined : `'${odd}' is no header`;
}
