import { ConfigError, type Diagnostic, EXIT, LabError, ProxyError, renderDiagnostics } from '../errors.ts';
import { inWords, isSystemError, systemHints } from '../system-error.ts';
import { plural, quote } from '../text.ts';
import type { Colours } from './colours.ts';

/** What went wrong, as the text for standard error: what, where, and what to try next. */
export function renderFailure(error: unknown, c: Colours): string {
  if (error instanceof ConfigError) return renderConfigError(error);
  if (error instanceof LabError) return renderLabError(error, c);
  if (error instanceof ProxyError) return renderProxyError(error, c);
  if (isSystemError(error))
    return renderLabError(new LabError(inWords(error), { code: error.code, hints: systemHints(error) }), c);
  const cause = error instanceof Error ? (process.env.DEBUG ? error.stack : error.message) : String(error);
  return `${c.red('✖')} ${cause}\n    this is a fault of lablb; with DEBUG=* it shows where`;
}

/** The same of many: a cause that several nodes share is told once, with their names. */
export function renderFailures(errors: readonly unknown[], c: Colours): string {
  const groups = new Map<unknown, { error: unknown; nodes: string[] }>();
  for (const error of errors) {
    const key = error instanceof LabError ? causeOf(error) : error;
    const group = groups.get(key) ?? { error, nodes: [] };
    groups.set(key, group);
    if (error instanceof LabError && error.fields.node !== undefined) group.nodes.push(error.fields.node);
  }
  return [...groups.values()].map(({ error, nodes }) => renderFailure(named(error, nodes), c)).join('\n');
}

/** All that is told of an error, whatever node's name is in its command; the message itself has to be the same. */
function causeOf({ message, fields: { node, cause: _, ...fields } }: LabError): string {
  const text = JSON.stringify(fields);
  return JSON.stringify([message, node === undefined ? text : text.replaceAll(node, '')]);
}

function named(error: unknown, nodes: readonly string[]): unknown {
  if (!(error instanceof LabError) || nodes.length < 2) return error;
  return new LabError(error.message, { ...error.fields, node: [...new Set(nodes)].join(', ') });
}

/** The exit status for an error: see `EXIT` and docs/cli.md. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT.refused;
  if (error instanceof LabError) return error.fields.exit ?? EXIT.failed;
  return EXIT.failed;
}

/** The same account for `--json`. */
export function failureToJson(error: unknown): { error: Record<string, unknown> } {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ConfigError)
    return { error: { code: 'refused', message, diagnostics: error.diagnostics } };
  if (error instanceof LabError) {
    const { cause: _, exit: __, ...fields } = error.fields;
    return { error: { message, ...fields } };
  }
  if (error instanceof ProxyError)
    return { error: { code: error.code, message, place: error.place, hint: error.hint } };
  if (isSystemError(error))
    return { error: { code: error.code, message: inWords(error), hints: systemHints(error) } };
  return { error: { code: 'internal', message } };
}

const AFTER_UP = ['lablb up     (goes on where it was)', 'lablb down   (cleans up)'];

/** Ctrl-C, as an error that the edge turns into status 130. */
export function interrupted(hints: readonly string[] = AFTER_UP): LabError {
  return new LabError('interrupted', { code: 'interrupted', exit: EXIT.interrupted, hints });
}

function renderConfigError(error: ConfigError): string {
  const count = (severity: Diagnostic['severity']) =>
    error.diagnostics.filter((d) => d.severity === severity).length;
  const tally = [plural(count('error'), 'error'), plural(count('warning'), 'warning')].filter(
    (t) => !t.startsWith('0 '),
  );
  return `${renderDiagnostics(error.diagnostics, error.sources)}\n${tally.join(', ')}; nothing was touched`;
}

function renderLabError({ message, fields }: LabError, c: Colours): string {
  const head = `${c.red('✖')} ${fields.node ? `${fields.node}: ` : ''}${message}`;
  const lines: string[] = [];
  if (fields.command && (process.env.DEBUG || !isScript(fields.command))) {
    const status = fields.exitStatus === undefined ? '' : `  (exit status ${fields.exitStatus})`;
    lines.push(`$ ${fields.command.map(quote).join(' ')}${status}`);
  } else if (fields.exitStatus !== undefined && !fields.stderr)
    lines.push(`exit status ${fields.exitStatus}`);
  if (fields.stderr) lines.push(...fields.stderr.trimEnd().split('\n').slice(-10));
  for (const [i, hint] of (fields.hints ?? []).entries()) lines.push(`${i === 0 ? 'try: ' : '     '}${hint}`);
  return [head, ...lines.map((line) => `    ${line}`)].join('\n');
}

/** Lines of lablb's own making, which nobody would type. */
function isScript(command: readonly string[]): boolean {
  return command.some((word, i) => word === '-c' && /^(?:\/bin\/)?(?:ba)?sh$/.test(command[i - 1] ?? ''));
}

function renderProxyError(error: ProxyError, c: Colours): string {
  const where = error.place ? `${error.place.file}:${error.place.line}:${error.place.column}  ` : '';
  return `${c.red('✖')} ${where}${error.message}${error.hint ? `\n    try: ${error.hint}` : ''}`;
}
