/**
 * Regular expressions as HAProxy takes them (PCRE), for JavaScript's engine. Text is latin1, so nothing needs the
 * Unicode flags. What JavaScript lacks (atomic groups, possessive quantifiers, recursion) is refused, never guessed.
 */

/** Throws an Error that says what is wrong with the expression. */
export function compileRegex(source: string, flags: { ignoreCase?: boolean; global?: boolean } = {}): RegExp {
  const inline = /^\(\?([a-z]+)\)/.exec(source);
  let body = inline === null ? source : source.slice(inline[0].length);
  let options = (flags.ignoreCase ? 'i' : '') + (flags.global ? 'g' : '');
  for (const flag of inline?.[1] ?? '') {
    if (!'ims'.includes(flag))
      throw new Error(`the inline option (?${flag}) is not supported in '${source}'`);
    if (!options.includes(flag)) options += flag;
  }
  body = translate(body, source);
  try {
    return new RegExp(body, options);
  } catch (error) {
    throw new Error(`'${source}' is not a regular expression: ${reason(error)}`);
  }
}

/** A complaint about a regular expression, or undefined when it is one. */
export function checkRegex(source: string): string | undefined {
  try {
    compileRegex(source);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Replaces `\0` … `\9` of a replacement by what the groups took; `\\` is a backslash, `\xHH` a byte. Made once, used
 * for each match.
 */
export function compileReplacement(template: string): (match: RegExpExecArray) => string {
  const parts: (string | number)[] = [];
  let plain = '';
  for (let i = 0; i < template.length; i++) {
    const next = template[i] === '\\' ? template[i + 1] : undefined;
    if (next === undefined) {
      plain += template[i];
    } else if (next >= '0' && next <= '9') {
      if (plain !== '') parts.push(plain);
      plain = '';
      parts.push(Number(next));
      i++;
    } else if (next === 'x' && /^[0-9a-fA-F]{2}$/.test(template.slice(i + 2, i + 4))) {
      plain += String.fromCharCode(Number.parseInt(template.slice(i + 2, i + 4), 16));
      i += 3;
    } else {
      plain += next;
      i++;
    }
  }
  if (plain !== '') parts.push(plain);
  if (parts.length === 1 && typeof parts[0] === 'string') return () => parts[0] as string;
  return (match) => {
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : (match[part] ?? '');
    return text;
  };
}

/** Walks the expression once, knowing whether it stands in a class. */
function translate(body: string, source: string): string {
  let out = '';
  let inClass = false;
  for (let i = 0; i < body.length; i++) {
    const rest = body.slice(i);
    const c = body[i]!;
    if (c === '\\') {
      const next = body[i + 1];
      if (next === undefined) throw new Error(`'${source}' ends with a backslash`);
      if (next === 'Q') {
        const end = body.indexOf('\\E', i + 2);
        out += quoteRegex(body.slice(i + 2, end < 0 ? undefined : end));
        i = end < 0 ? body.length : end + 1;
        continue;
      }
      if ('GKRXC'.includes(next))
        throw new Error(`'\\${next}' is not supported in the regular expression '${source}'`);
      out += ESCAPES[inClass ? `[${next}` : next] ?? ESCAPES[next] ?? `\\${next}`;
      i++;
    } else if (inClass) {
      const posix = /^\[:(\^?)(\w+):\]/.exec(rest);
      if (posix === null) {
        out += c === '[' ? '\\[' : c;
        if (c === ']') inClass = false;
      } else {
        const set = POSIX_CLASSES[posix[2]!];
        if (set === undefined || posix[1] !== '')
          throw new Error(`the class ${posix[0]} is not supported in '${source}'`);
        out += set;
        i += posix[0].length - 1;
      }
    } else if (c === '[') {
      inClass = true;
      const start = /^\[\^?\]?/.exec(rest)![0];
      // A ']' that comes first is a member of the class.
      out += start.endsWith(']') ? `${start.slice(0, -1)}\\]` : start;
      i += start.length - 1;
    } else if (c === '(' && /^\(\?(>|\||#|\(|R|&|P[>=]|[+-]?\d)/.test(rest)) {
      throw new Error(`'${rest.slice(0, 3)}' is not supported in the regular expression '${source}'`);
    } else if (rest.startsWith('(?P<')) {
      out += '(?<';
      i += 3;
    } else if (c === '+' && /[+*?}]$/.test(body.slice(0, i)) && !/\\[+*?}]$/.test(body.slice(0, i))) {
      throw new Error(`possessive quantifiers are not supported in the regular expression '${source}'`);
    } else {
      out += c;
    }
  }
  return out;
}

function quoteRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** PCRE's escapes that mean something else, or nothing, in JavaScript. */
const ESCAPES: Record<string, string> = {
  A: '^',
  z: '$',
  Z: '(?=\\n?$)',
  a: '\\x07',
  e: '\\x1b',
  h: '[ \\t]',
  H: '[^ \\t]',
  '[h': ' \\t',
};

const POSIX_CLASSES: Record<string, string> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: ' \\t\\n\\r\\f\\v',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};

function reason(error: unknown): string {
  return (error as Error).message.replace(/^Invalid regular expression: ?/, '').replace(/^\/.*\/\w*: ?/s, '');
}
