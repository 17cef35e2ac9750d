/** `-c` and `-cc`: what HAProxy says and the statuses it exits with, but with places and all findings at once. */
import { evaluateCondition, PredicateError } from '../config/predicates.ts';
import { splitWords } from '../config/words.ts';
import { type Diagnostic, renderDiagnostics } from '../errors.ts';
import { PREDICATES } from './keywords/predicates.ts';
import { type Loaded, type LoadOptions, loadConfiguration } from './load.ts';

/** What to write and to exit with. */
export interface CheckResult {
  readonly status: 0 | 1 | 2;
  readonly stdout: string;
  readonly stderr: string;
}

/** `-c`. Exit statuses as HAProxy's: 0 good, 1 refused, 2 good but nothing to listen on. */
export function checkFiles(
  paths: readonly string[],
  options: LoadOptions,
  flags: { quiet?: boolean; zeroWarning?: boolean } = {},
): CheckResult {
  const { quiet = false, zeroWarning = false } = flags;
  const loaded = loadConfiguration(paths, options);
  const stderr = quiet ? '' : renderFindings(loaded);
  const warned = loaded.diagnostics.some((d) => d.severity === 'warning');
  if (loaded.diagnostics.some((d) => d.severity === 'error') || (warned && zeroWarning)) {
    return { status: 1, stdout: '', stderr };
  }
  const listens = loaded.configuration.proxies.some((proxy) => proxy.binds.length > 0 && !proxy.disabled);
  const said = [
    ...(warned ? ['Warnings were found.'] : []),
    listens
      ? 'Configuration file is valid'
      : 'Configuration file has no error but will not start (no listener) => exit(2).',
  ];
  return { status: listens ? 0 : 2, stdout: quiet ? '' : `${said.join('\n')}\n`, stderr };
}

/** `-cc`: 0 true, 1 false, 2 when it is no condition. Quotes and variables act as they do behind `.if`. */
export function checkCondition(text: string, environment: ReadonlyMap<string, string>): CheckResult {
  const { words, problem } = splitWords(text, (name) => environment.get(name));
  if (problem !== undefined) return conditionFault(text, problem.at, problem);
  const condition = words.map((word) => word.text).join(' ');
  try {
    return { status: evaluateCondition(condition, PREDICATES, environment) ? 0 : 1, stdout: '', stderr: '' };
  } catch (error) {
    if (!(error instanceof PredicateError)) throw error;
    return conditionFault(condition, error.at, error);
  }
}

function conditionFault(
  text: string,
  at: number,
  { message, hint }: { message: string; hint?: string },
): CheckResult {
  const complaint = hint === undefined ? message : `${message}; ${hint}`;
  return { status: 2, stdout: '', stderr: `${complaint}\n   | ${text}\n   | ${' '.repeat(at)}^\n` };
}

/** A file that is wrong from top to bottom need not fill the screen. */
const MOST_SHOWN = 200;

/** Findings with their lines, and their number. Empty when there are none. */
export function renderFindings({ diagnostics, sources }: Pick<Loaded, 'diagnostics' | 'sources'>): string {
  if (diagnostics.length === 0) return '';
  const shown = diagnostics.slice(0, MOST_SHOWN);
  const more = diagnostics.length - shown.length;
  const lines = [renderDiagnostics(shown, sources, { severity: true })];
  if (more > 0) lines.push(`… and ${more} more`);
  const counts = [count(diagnostics, 'error'), count(diagnostics, 'warning')].filter((text) => text !== '');
  if (counts.length > 0) lines.push(counts.join(', '));
  return `${lines.join('\n')}\n`;
}

function count(diagnostics: readonly Diagnostic[], severity: 'error' | 'warning'): string {
  const found = diagnostics.filter((d) => d.severity === severity).length;
  return found === 0 ? '' : `${found} ${severity}${found === 1 ? '' : 's'}`;
}
