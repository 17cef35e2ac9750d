/**
 * Errors of both halves. Every refusal has a place and a way out; nothing here prints.
 * Rendering happens at the edge: `renderDiagnostics` is the one place that decides what a refusal looks like.
 */

/** Where in a text something is. `line` and `column` count from 1, `column` in characters. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Characters that the finding covers, for the `^^^` under the excerpt. */
  readonly length?: number;
}

export type Severity = 'error' | 'warning' | 'notice';

/** One finding about an input text: what is wrong, where, and what to do about it. */
export interface Diagnostic {
  readonly severity: Severity;
  readonly message: string;
  readonly place?: Place;
  /** The way out, as a clause: "did you mean 'balance'?" */
  readonly hint?: string;
}

/** Exit statuses of `lablb`, documented in docs/cli.md. */
export const EXIT = {
  ok: 0,
  /** A lab, a test or a command did not do what was asked. */
  failed: 1,
  /** The input (flags, topology, configuration) was refused; nothing was touched. */
  refused: 2,
  /** Something this machine lacks. */
  missing: 3,
  interrupted: 130,
} as const;

/** An input text was refused: carries every finding at once. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly diagnostics: readonly Diagnostic[];
  /** Source texts by file name, for excerpts. */
  readonly sources: ReadonlyMap<string, string>;

  constructor(diagnostics: readonly Diagnostic[], sources: ReadonlyMap<string, string> = new Map()) {
    super(diagnostics.map((d) => d.message).join('; '));
    this.diagnostics = diagnostics;
    this.sources = sources;
  }
}

/** What went wrong in a lab, as fields. Secrets never enter them. */
export interface LabErrorFields {
  /** Stable name of the refusal, e.g. `node.command-failed`. */
  readonly code: string;
  readonly node?: string;
  readonly command?: readonly string[];
  readonly exitStatus?: number;
  /** The last lines the command wrote to standard error. */
  readonly stderr?: string;
  /** What to try next, one line each. */
  readonly hints?: readonly string[];
  readonly exit?: number;
  readonly cause?: unknown;
}

/** Something a lab was asked to do failed. */
export class LabError extends Error {
  override name = 'LabError';
  readonly fields: LabErrorFields;

  constructor(message: string, fields: LabErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.fields = fields;
  }
}

/** The engine could not do what its configuration says (bind, open, load). */
export class ProxyError extends Error {
  override name = 'ProxyError';
  readonly code: string;
  readonly place?: Place;
  readonly hint?: string;

  constructor(message: string, fields: { code: string; place?: Place; hint?: string; cause?: unknown }) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.place = fields.place;
    this.hint = fields.hint;
  }
}

/**
 * Findings as text, in the order of the file, each with its line and a marker under the offending words:
 *
 *     lab.yaml:8:19  nodes.web2.role: unknown role 'wbe'; did you mean 'web'?
 *        8 |   web2:    { role: wbe, server: httpd }
 *          |                    ^^^
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  options: { severity?: boolean } = {},
): string {
  return diagnostics.map((d) => renderDiagnostic(d, sources, options.severity ?? false)).join('\n');
}

function renderDiagnostic(d: Diagnostic, sources: ReadonlyMap<string, string>, severity: boolean): string {
  const where = d.place ? `${d.place.file}:${d.place.line}:${d.place.column}` : '';
  const text = (severity ? `${d.severity}: ` : '') + d.message + (d.hint ? `; ${d.hint}` : '');
  const head = where ? `${where}  ${text}` : text;
  return d.place ? [head, ...excerpt(d.place, sources.get(d.place.file))].join('\n') : head;
}

function excerpt(place: Place, source: string | undefined): string[] {
  const line = source?.split('\n')[place.line - 1];
  if (line === undefined) return [];
  const gutter = String(place.line).padStart(4);
  // Tabs are kept in the padding so that the marker stands under the word in any tab width.
  const pad = line.slice(0, place.column - 1).replace(/[^\t]/g, ' ');
  const marker = '^'.repeat(Math.max(1, Math.min(place.length ?? 1, line.length - place.column + 1)));
  return [`${gutter} | ${line}`, `${' '.repeat(gutter.length)} | ${pad}${marker}`];
}

/** The candidate nearest to `word`, when it is near enough to be a slip of the hand. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  // Any letter is one change away from any other: a word of one letter has no slips.
  let bestDistance = Math.min(word.length - 1, Math.max(1, Math.floor(word.length / 3))) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `did you mean 'x'?`, or undefined when nothing is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const near = nearest(word, candidates);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}

/** As didYouMean, for a short list of fixed words: also the one word that `word` is short for, as `rr` for `roundrobin`. */
export function didYouMeanChoice(word: string, choices: readonly string[]): string | undefined {
  const short = word.toLowerCase();
  const ways: ((choice: string) => boolean)[] = [
    (choice) => choice.startsWith(short),
    (choice) => choice.startsWith(short.charAt(0)) && holdsInOrder(choice, short),
  ];
  const near = didYouMean(word, choices);
  if (near !== undefined || short.length < 2) return near;
  const meant = ways.map((way) => choices.filter(way)).find((found) => found.length > 0) ?? [];
  return meant.length === 1 ? `did you mean '${meant[0]}'?` : undefined;
}

function holdsInOrder(text: string, letters: string): boolean {
  let at = -1;
  return [...letters].every((letter) => (at = text.indexOf(letter, at + 1)) !== -1);
}

/** Optimal string alignment distance: insertions, deletions, changes, and swaps of neighbours count one. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(row[j - 1]! + 1, previous[j]! + 1, previous[j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}
