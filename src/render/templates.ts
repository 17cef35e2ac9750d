import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Handlebars from 'handlebars';
import { ConfigError } from '../errors.ts';
import { configWord } from './config-word.ts';
import { mistakeIn } from './template-mistakes.ts';

/**
 * lablb's own templates. Reading them is the only I/O of `render/`: they are part of the program, as its modules
 * are, so what is rendered still depends on nothing but the arguments.
 */
const FOLDER = new URL('../../templates/', import.meta.url);
const compiled = new Map<string, (data: object) => string>();

/** Renders `templates/<name>`: HTML is escaped, everything else is text. An unknown variable is an error. */
export function renderTemplate(name: string, data: object): string {
  let template = compiled.get(name);
  if (!template) {
    const file = fileURLToPath(new URL(name, FOLDER));
    template = compile(readFileSync(file, 'utf8'), name.endsWith('.html.hbs'));
    compiled.set(name, template);
  }
  return template(data);
}

/**
 * Renders a template of the user's.
 *
 * @throws ConfigError with the place in the template.
 */
export function renderUserTemplate(text: string, file: string, data: object): string {
  try {
    return compile(text, false)(data);
  } catch (error) {
    throw new ConfigError([{ severity: 'error', ...explain(error, file, text) }], new Map([[file, text]]));
  }
}

const handlebars = Handlebars.create();
handlebars.registerHelper('word', (value: unknown) => configWord(String(value)));

function compile(text: string, html: boolean): (data: object) => string {
  return handlebars.compile(text, { strict: true, noEscape: !html });
}

/** Handlebars says where in two ways: fields at run time, words in the message when it cannot parse. */
function explain(error: unknown, file: string, text: string) {
  const { message, lineNumber, column } = error as Error & { lineNumber?: number; column?: number };
  const mistake = mistakeIn(text, message);
  if (mistake) {
    const { line, column, ...said } = mistake;
    return { ...said, place: { file, line, column } };
  }
  const said = message.replace(/ - \d+:\d+$/, '');
  const unknown = /^"(.+)" not defined in/.exec(said);
  return {
    message: unknown ? `the template names '${unknown[1]}', which there is not` : said.split('\n', 1)[0]!,
    place: { file, line: lineNumber ?? 1, column: (column ?? 0) + 1 },
    hint: unknown ? 'docs/topology.md lists what a template can name' : undefined,
  };
}
