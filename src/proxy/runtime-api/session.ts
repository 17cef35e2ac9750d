/** A line to the runtime socket and its answer: several commands, levels, help, the prompt. */
import { nearest } from '../../errors.ts';
import type { LiveProxy } from '../model.ts';
import { type CommandContext, CommandError, type CommandRow, type Level, type Session } from './command.ts';
import { PROCESS_COMMANDS } from './process.ts';
import { SERVER_COMMANDS } from './servers.ts';
import { SHOW_COMMANDS } from './show.ts';
import { UNSUPPORTED_COMMANDS } from './unsupported.ts';

/** Always last in `help`. */
const SESSION_COMMANDS: readonly CommandRow[] = [
  {
    keyword: 'help',
    usage: 'help [<command>]',
    doc: 'list matching or all commands',
    run: (args) => help('The following commands are valid at this level:', args),
  },
  {
    keyword: 'prompt',
    doc: 'toggle interactive mode with prompt',
    run(_, { session }) {
      session.interactive = !session.interactive;
      return '';
    },
  },
  {
    keyword: 'quit',
    doc: 'disconnect',
    run(_, { session }) {
      session.over = true;
      return '';
    },
  },
];

/** Every command, in the order of `help`. */
export const COMMANDS: readonly CommandRow[] = [
  ...[...SERVER_COMMANDS, ...PROCESS_COMMANDS, ...SHOW_COMMANDS, ...UNSUPPORTED_COMMANDS].sort((a, b) =>
    a.keyword < b.keyword ? -1 : 1,
  ),
  ...SESSION_COMMANDS,
];

export function newSession(level: Level): Session {
  return { level, interactive: false, over: false, timeout: undefined };
}

/**
 * Answers a line: commands divided by `;`, each answer followed by an empty line, and by `> ` when the session is
 * interactive. `quit` sets `session.over`; what follows it is not run.
 */
export function runCommand(line: string, session: Session, proxy: LiveProxy, nowMs = Date.now()): string {
  let answer = '';
  for (const words of splitLine(line)) {
    const text = answerOf(words, { session, proxy, nowMs });
    if (session.over) return answer;
    answer += `${text}\n${session.interactive ? '> ' : ''}`;
  }
  return answer;
}

const RANK: Readonly<Record<Level, number>> = { user: 0, operator: 1, admin: 2 };

function answerOf(words: readonly string[], context: CommandContext): string {
  if (words[0]?.startsWith('#')) return '';
  const command = findCommand(words);
  if (command === undefined) return unknown(words);
  if (RANK[context.session.level] < RANK[command.level ?? 'user']) return 'Permission denied\n';
  try {
    return command.run(words.slice(command.keyword.split(' ').length), context);
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}

/** The command with the most words in common: `set maxconn server` before `set maxconn`. */
function findCommand(words: readonly string[]): CommandRow | undefined {
  return COMMANDS.filter((row) => row.keyword.split(' ').every((word, i) => word === words[i])).sort(
    (a, b) => b.keyword.length - a.keyword.length,
  )[0];
}

function unknown(words: readonly string[]): string {
  if (words.length === 0)
    return help('Unknown command. Please enter one of the following commands only:', []);
  return help('Unknown command, but maybe one of the following ones is a better match:', words);
}

function help(title: string, words: readonly string[]): string {
  const rows = words.length === 0 ? COMMANDS : [...new Set([...candidates(words), ...SESSION_COMMANDS])];
  return `${[title, ...rows.map(helpLine)].join('\n')}\n`;
}

const USAGE_WIDTH = 40;

function helpLine({ usage, keyword, doc }: CommandRow): string {
  return `  ${(usage ?? keyword).padEnd(USAGE_WIDTH)}: ${doc}`;
}

/** Commands that begin as the words do; the first word that fits nowhere may be cut short or mistyped. */
function candidates(words: readonly string[]): readonly CommandRow[] {
  let rows: readonly CommandRow[] = COMMANDS;
  for (const [i, word] of words.entries()) {
    const at = (row: CommandRow): string => row.keyword.split(' ')[i] ?? '';
    const same = rows.filter((row) => at(row) === word);
    if (same.length === 0) {
      const begun = rows.filter((row) => at(row).startsWith(word));
      const near = nearest(word, rows.map(at));
      const mistyped = begun.length > 0 ? begun : rows.filter((row) => at(row) === near);
      return mistyped.length > 0 || i === 0 ? mistyped : rows;
    }
    rows = same;
  }
  return rows;
}

/** Cuts at `;` and at blanks; a backslash takes the next character as it is. */
export function splitLine(line: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | undefined;
  const endWord = (): void => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (c === '\\' && i + 1 < line.length) word = (word ?? '') + line[++i];
    else if (c === ';') {
      endWord();
      commands.push(words);
      words = [];
    } else if (c === ' ' || c === '\t' || c === '\r') endWord();
    else word = (word ?? '') + c;
  }
  endWord();
  return [...commands, words];
}
