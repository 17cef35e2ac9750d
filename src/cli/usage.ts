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
  if (!isParserError(error)) return undefined;
  return new LabError(messageOf(error), {
    code: 'usage',
    exit: EXIT.refused,
    hints: [`lablb ${command} --help`],
  });
}

/** A command that nobody knows. */
export function unknownCommand(id: string, commands: readonly string[]): LabError {
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

function isParserError(error: unknown): error is ParserError {
  return error instanceof Error && 'oclif' in error;
}
