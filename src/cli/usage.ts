import { didYouMean, EXIT, LabError } from '../errors.ts';

/** What oclif's parser throws, as far as it is of use here. */
interface ParserError extends Error {
  readonly oclif: object;
  /** Flags that nobody knows. */
  readonly flags?: readonly string[];
  readonly parse?: { readonly input?: { readonly flags?: Readonly<Record<string, unknown>> } };
}

/** oclif's refusal of flags or arguments in lablb's words, with what was probably meant; undefined for other errors. */
export function usageError(error: unknown, command: string): LabError | undefined {
  const message = isParserError(error) ? messageOf(error) : valueRefused(error);
  if (message === undefined) return undefined;
  return new LabError(message, {
    code: 'usage',
    exit: EXIT.refused,
    hints: [`lablb ${command} --help`],
  });
}

/** A command that nobody knows, or one that is known with a word too many. */
export function unknownCommand(id: string, commands: readonly string[]): LabError {
  const [known = '', ...more] = id.split(' ');
  if (more.length > 0 && commands.includes(known))
    return new LabError(`unexpected argument '${more[0]}'`, {
      code: 'usage',
      exit: EXIT.refused,
      hints: [`lablb ${known} --help`],
    });
  const near = didYouMean(id, commands);
  return new LabError(`unknown command '${id}'${near ? `; ${near}` : ''}`, {
    code: 'usage',
    exit: EXIT.refused,
    hints: ['lablb --help'],
  });
}

function messageOf({ message, flags, parse }: ParserError): string {
  const [unknown] = flags ?? [];
  if (unknown?.startsWith('-')) {
    const known = Object.keys(parse?.input?.flags ?? {}).map((name) => `--${name}`);
    const near = didYouMean(unknown, known);
    return `unknown flag '${unknown}'${near ? `; ${near}` : ''}`;
  }
  const known = reworded(message);
  if (known !== undefined) return known;
  // "Missing 1 required arg:\nnode  node of the lab\n\nNote: --file allows …\nSee more help with --help"
  const [head, ...rest] = message.split('\n').filter((line) => !/^(?:See more help|Note: )/.test(line));
  if (/^Missing \d+ required args?:$/.test(head ?? '')) {
    const missing = rest.flatMap((line) => /^\s*(\S+)\s*(.*)$/.exec(line)?.slice(1, 3) ?? []);
    return `${missing[0]?.toUpperCase()} is missing${missing[1] ? `: ${missing[1]}` : ''}`;
  }
  const lines = [head ?? '', ...rest];
  const text = lines.map((line) => line.trim().replace(/\s+/g, ' ')).join(' ');
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** What the parser says → the same in lablb's words. */
const REWORDED: readonly (readonly [RegExp, (...words: string[]) => string])[] = [
  [/^Flag (--\S+) expects a value/, (flag) => `${flag} needs a value`],
  [/^Unexpected arguments?: (\S+)/, (argument) => `unexpected argument '${argument}'`],
  [
    /^Expected (--[\w-]+)=(.*) to be one of: (.*)/,
    (flag, value, able) => `${flag} cannot be '${value}'; it is one of: ${able}`,
  ],
  [
    /^Parsing (--\S+)\s+Expected an integer but received: (.*)/,
    (flag, value) => `${flag} takes a whole number, not '${value}'`,
  ],
  [
    /^Parsing (--\S+)\s+Expected an integer greater than or equal to (\S+)/,
    (flag, n) => `${flag} is at least ${n}`,
  ],
  [
    /^Parsing (--\S+)\s+Expected an integer less than or equal to (\S+)/,
    (flag, n) => `${flag} is at most ${n}`,
  ],
  [/must be provided when using (--\S+): (--[\w-]+)/, (flag, other) => `${flag} goes with ${other} only`],
  [
    /(--[\w-]+)=\S+ cannot also be provided when using (--[\w-]+)/,
    (flag, other) => `${flag} and ${other} exclude each other`,
  ],
];

function reworded(message: string): string | undefined {
  for (const [says, words] of REWORDED) {
    const found = says.exec(message);
    if (found) return words(...found.slice(1));
  }
  return undefined;
}

/** What a flag of lablb's own kind said to its value, in the parser's frame. */
function valueRefused(error: unknown): string | undefined {
  if (!(error instanceof LabError)) return undefined;
  const [, flag, reason] = /^Parsing (--\S+)\s+(.*)/.exec(error.message) ?? [];
  return flag && `${flag}: ${reason}`;
}

function isParserError(error: unknown): error is ParserError {
  return error instanceof Error && 'oclif' in error;
}
