import { basename, dirname, resolve as resolvePath } from 'node:path';
import type * as z from 'zod';
import { ConfigError, type Diagnostic } from '../errors.ts';
import { diagnose, finding, meantIssues, renderPath } from './diagnose.ts';
import type { Environment } from './environment.ts';
import { checkGivenCertificate } from './given-certificate.ts';
import { type Resolved, resolve } from './resolve.ts';
import { NODE_NAME, type Settings, topologySchema } from './schema.ts';
import { type Path, readSource, type Source } from './source.ts';
import type { ProviderName, Topology } from './topology.ts';

export interface ParseOptions {
  /** Name of the file, for messages; a referenced haproxy.cfg is looked for beside it. */
  readonly file: string;
  readonly env?: Environment;
  /** Stands above the file's own `provider`. */
  readonly provider?: ProviderName;
  /** Text of a referenced file, or undefined when there is none. */
  readonly readFile?: (path: string) => string | undefined;
  /** Against which certificates are checked; the present unless said. */
  readonly now?: Date;
  /** Told what is no mistake and yet worth knowing. */
  readonly warn?: (warnings: readonly Diagnostic[], sources: ReadonlyMap<string, string>) => void;
}

/** A checked topology, and where its values come from. */
export interface Parsed extends Pick<Resolved, 'topology' | 'keys'> {
  readonly source: Source;
  /** Whether the provider is another than the file says. */
  readonly overridden: boolean;
  readonly warnings: readonly Diagnostic[];
}

/**
 * The checked topology in a YAML text. Pure.
 *
 * @throws ConfigError with every finding at once, in the order of the file.
 */
export function parseTopology(text: string, options: ParseOptions): Topology {
  const { topology, warnings } = parseWithSource(text, options);
  if (warnings.length > 0) options.warn?.(warnings, new Map([[options.file, withoutPasswords(text)]]));
  return topology;
}

/** As parseTopology, keeping hold of the text. */
export function parseWithSource(text: string, options: ParseOptions): Parsed {
  const source = readSource(text, options.file, options.env ?? {});
  if (!source.readable) throw refusal(source.diagnostics, text, options.file);

  const { settings, diagnostics } = check(source);
  diagnostics.push(...source.diagnostics);
  if (!settings) throw refusal(diagnostics, text, options.file);

  const provider = options.provider ?? settings.provider;
  const config = readConfig(settings, options, source, diagnostics);
  readNodeFiles(settings, options, source, diagnostics);
  const name = nameOf(settings, options.file, source, diagnostics);
  const resolved = resolve({ ...settings, provider }, source, { file: options.file, name, config });
  const remarks = checkGivenCertificate(settings, {
    read: (name) => options.readFile?.(resolvePath(dirname(options.file), name)),
    source,
    now: options.now ?? new Date(),
  }).map(({ severity, path, message, hint }) => ({ ...finding(source, path, message, hint), severity }));
  const warnings = [...resolved.warnings, ...remarks.filter(({ severity }) => severity === 'warning')];
  const errors = remarks.filter(({ severity }) => severity === 'error');
  const all = [...diagnostics, ...resolved.diagnostics, ...errors];
  if (all.length > 0) throw refusal(all, text, options.file);
  return {
    topology: resolved.topology,
    keys: resolved.keys,
    source,
    overridden: provider !== settings.provider,
    warnings,
  };
}

function refusal(diagnostics: readonly Diagnostic[], text: string, file: string): ConfigError {
  const inOrder = diagnostics.toSorted(
    (a, b) => a.place!.line - b.place!.line || a.place!.column - b.place!.column,
  );
  return new ConfigError(inOrder, new Map([[file, withoutPasswords(text)]]));
}

/** The text for excerpts: as long as before, passwords that are written out hidden. */
function withoutPasswords(text: string): string {
  // `passwordEnv` wants the name of a variable, and sometimes gets the password.
  const written =
    /(\bpassword(?:Env)?["']?[ \t]*:[ \t]*)(?![A-Z_][A-Z0-9_]*[ \t]*(?:[,}\n#]|$))("(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|(?!\$\{)[^\s,}][^,}\n]*)/g;
  return text.replace(written, (_, key: string, value: string) => key + '*'.repeat(value.length));
}

/**
 * The settings, and what the schema refused. What was refused is left out and the rest checked again, so that the
 * checks across keys can still run; `settings` is undefined when too little is left for that.
 */
function check(source: Source): { settings: Settings | undefined; diagnostics: Diagnostic[] } {
  const value = withoutNulls(source.value);
  let parsed = topologySchema.safeParse(value, { reportInput: true });
  // The environment holds text only: where the schema wants a number or a boolean, read it as one.
  const typed = meantIssues(parsed.error?.issues ?? []).filter((issue) =>
    retype(value, issue.path as Path, source),
  );
  if (typed.length > 0) parsed = topologySchema.safeParse(value, { reportInput: true });
  if (parsed.success) return { settings: parsed.data, diagnostics: [] };

  const diagnostics = diagnose(
    meantIssues(parsed.error.issues).filter(({ path }) => !source.refused(path as Path)),
    source,
  );
  return { settings: settingsWithout(parsed.error.issues, value), diagnostics };
}

/** What takes out a mistake may leave another behind, as a site without its servers: until nothing is refused. */
function settingsWithout(issues: readonly z.core.$ZodIssue[], value: unknown): Settings | undefined {
  let left = issues;
  while (left.length > 0) {
    const paths = meantIssues(left).flatMap((issue) =>
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
    );
    const refused = paths.map((path) => standing(value, path as Path));
    if (refused.every((path) => path.length === 0)) return undefined;
    for (const path of refused) prune(value, path);
    left = topologySchema.safeParse(value).error?.issues ?? [];
  }
  return topologySchema.parse(value);
}

/**
 * `key:` with nothing after it says nothing; under `nodes` it is a node with defaults, and a site has none. A copy.
 */
function withoutNulls(value: unknown, path: Path = []): unknown {
  if (Array.isArray(value)) return value.map((item, index) => withoutNulls(item, [...path, index]));
  if (value === null && path.length === 0) return {};
  if (typeof value !== 'object' || value === null) return value;
  const isNodes = renderPath(path) === 'nodes';
  const isSites = renderPath(path) === 'balancer.sites';
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null || isNodes || isSites)
      .map(([key, item]) => [key, item === null && isNodes ? {} : withoutNulls(item, [...path, key])]),
  );
}

function retype(root: unknown, path: Path, source: Source): boolean {
  if (source.variables(path).length === 0) return false;
  const [parent, key] = parentOf(root, path);
  const text = parent?.[key!];
  if (typeof text !== 'string') return false;
  const value = /^(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : { true: true, false: false }[text];
  if (value === undefined) return false;
  parent![key!] = value;
  return true;
}

/** The value at `path`, or the list that it stands in; what lacks it when it is not there. */
function standing(root: unknown, path: Path): Path {
  const firstIndex = path.findIndex((key) => typeof key === 'number');
  let whole = firstIndex === -1 ? path : path.slice(0, firstIndex);
  while (whole.length > 0) {
    const [parent, key] = parentOf(root, whole);
    if (parent && Object.hasOwn(parent, key!)) break;
    whole = whole.slice(0, -1);
  }
  return whole;
}

function prune(root: unknown, path: Path): void {
  const [parent, key] = parentOf(root, path);
  if (parent && key !== undefined) delete parent[key];
}

function parentOf(
  root: unknown,
  path: Path,
): [Record<string | number, unknown> | undefined, string | number | undefined] {
  let here = root;
  for (const key of path.slice(0, -1)) here = (here as Record<string | number, unknown> | undefined)?.[key];
  return [
    typeof here === 'object' && here !== null ? (here as Record<string, unknown>) : undefined,
    path.at(-1),
  ];
}

function readConfig(
  settings: Settings,
  { file, readFile }: ParseOptions,
  source: Source,
  diagnostics: Diagnostic[],
): string | undefined {
  const name = settings.balancer.config;
  if (name === undefined) return undefined;
  const text = readFile?.(resolvePath(dirname(file), name));
  if (text === undefined) diagnostics.push(finding(source, ['balancer', 'config'], `cannot read '${name}'`));
  return text;
}

/** Puts the contents of files that nodes (and defaults) take `from` beside the topology in their place. */
function readNodeFiles(
  { nodes, defaults }: Settings,
  { file, readFile }: ParseOptions,
  source: Source,
  diagnostics: Diagnostic[],
): void {
  const holders = [
    [['defaults'], defaults] as const,
    ...Object.entries(nodes).map(([name, node]) => [['nodes', name], node] as const),
  ];
  for (const [at, { files = {} }] of holders) {
    for (const [path, one] of Object.entries(files)) {
      if (typeof one === 'string' || one.from === undefined) continue;
      const where = [...at, 'files', path];
      if (one.content !== undefined)
        diagnostics.push(finding(source, where, "says both 'content' and 'from'"));
      one.content = readFile?.(resolvePath(dirname(file), one.from));
      if (one.content === undefined) diagnostics.push(finding(source, where, `cannot read '${one.from}'`));
    }
  }
}

/** The lab's name: stated, or `rocky` for rocky.lab.yaml, else the folder's. */
function nameOf(settings: Settings, file: string, source: Source, diagnostics: Diagnostic[]): string {
  if (settings.name !== undefined) return settings.name;
  const stem = /^(.+)\.lab\.ya?ml$/.exec(basename(file))?.[1] ?? basename(dirname(resolvePath(file)));
  const name = stem.toLowerCase().replace(/[^a-z0-9-]+/g, '-');
  // A stated name that was refused is gone from the settings: one finding is enough.
  if (!NODE_NAME.test(name) && !source.has(['name'])) {
    diagnostics.push(
      finding(source, [], `the file states no name, and '${stem}' is unfit for one`, "add 'name: …'"),
    );
  }
  return NODE_NAME.test(name) ? name : 'lab';
}
