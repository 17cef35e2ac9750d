import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Handlebars from 'handlebars';
import { ConfigError } from '../errors.ts';
import { configWord } from './config-word.ts';

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
    throw new ConfigError([{ severity: 'error', ...explain(error, file) }], new Map([[file, text]]));
  }
}

const handlebars = Handlebars.create();
handlebars.registerHelper('word', (value: unknown) => configWord(String(value)));

function compile(text: string, html: boolean): (data: object) => string {
  return handlebars.compile(text, { strict: true, noEscape: !html });
}

/** Handlebars says where in two ways: fields at run time, words in the message when it cannot parse. */
function explain(error: unknown, file: string) {
  const { message, lineNumber, column } = error as Error & { lineNumber?: number; column?: number };
  const parse = /^Parse error on line (\d+):\n.*\n(-*)\^\n(.*)/s.exec(message);
  const line = lineNumber ?? Number(parse?.[1] ?? 1);
  const said = parse ? `a template cannot go on like this: ${parse[3]}` : message.replace(/ - \d+:\d+$/, '');
  const unknown = /^"(.+)" not defined in/.exec(said);
  return {
    message: unknown ? `the template names '${unknown[1]}', which there is not` : said.split('\n', 1)[0]!,
    place: { file, line, column: (column ?? 0) + 1 },
    hint: unknown ? 'docs/topology.md lists what a template can name' : undefined,
  };
}
