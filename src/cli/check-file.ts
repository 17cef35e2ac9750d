import { ConfigError, type Diagnostic } from '../errors.ts';
import { placeholderView } from '../render/placeholder.ts';
import { renderNode } from '../render/render.ts';
import { enginePath } from '../shell/engine.ts';
import { run } from '../shell/run.ts';
import { plural } from '../text.ts';
import { describeTopology } from '../topology/describe.ts';
import { readOrNothing, readTopologyText } from '../topology/load.ts';
import { parseWithSource } from '../topology/parse.ts';
import type { ProviderName } from '../topology/topology.ts';
import { checkOwnConfig } from './own-config.ts';

/** What `lablb validate` found in one file. */
export interface FileReport {
  readonly file: string;
  readonly kind: 'topology' | 'configuration';
  readonly valid: boolean;
  /** One line about it: `lab 'rocky', lxd, 3 nodes`. */
  readonly summary: string;
  readonly diagnostics: readonly Diagnostic[];
  /** What the engine printed about a configuration. */
  readonly output?: string;
  /** The topology with every default, when asked for. */
  readonly defaults?: string;
  /** For the excerpts of the diagnostics. */
  readonly sources: ReadonlyMap<string, string>;
}

export interface CheckOptions {
  readonly provider?: ProviderName;
  readonly showDefaults?: boolean;
}

/**
 * Checks a topology, or a haproxy.cfg (told apart by what is in them).
 *
 * @throws LabError when the file cannot be read, or the engine is not there.
 */
export async function checkFile(file: string, options: CheckOptions = {}): Promise<FileReport> {
  const text = await readTopologyText(file);
  return kindOfFile(text, file) === 'topology'
    ? checkTopology(text, file, options)
    : checkConfiguration(file);
}

/** Sections that a haproxy.cfg can begin with, and its `.if`. In YAML each of these words would be a key. */
const FIRST_WORDS =
  /^(?:global|defaults|frontend|backend|listen|userlist|peers|resolvers|mailers|cache|program|ring|http-errors|log-forward|fcgi-app|crt-store|traces|\.\w+)(?:\s+\S|\s*(?:#|$))/;

/** Which of the two a file is: by its first line that says something, else by its name. */
export function kindOfFile(text: string, file: string): FileReport['kind'] {
  const first = text.split('\n').find((line) => /^\s*[^#\s]/.test(line));
  if (first !== undefined && FIRST_WORDS.test(first.trim())) return 'configuration';
  return file.endsWith('.cfg') ? 'configuration' : 'topology';
}

async function checkTopology(
  text: string,
  file: string,
  { provider, showDefaults }: CheckOptions,
): Promise<FileReport> {
  try {
    const parsed = parseWithSource(text, { file, env: process.env, provider, readFile: readOrNothing });
    const { topology } = parsed;
    // Rendering finds what is wrong with a template of the user's.
    for (const { name } of topology.nodes) renderNode(topology, name, placeholderView(topology, name));
    const own = await checkOwnConfig(topology);
    const valid = own.diagnostics.every(({ severity }) => severity !== 'error');
    const counts = `${plural(topology.nodes.length, 'node')}, ${plural(topology.balancer.sites.length, 'site')}`;
    return {
      file,
      kind: 'topology',
      valid,
      summary: valid ? `lab '${topology.name}', ${topology.provider}, ${counts}` : 'refused',
      diagnostics: [...parsed.warnings, ...own.diagnostics],
      defaults: valid && showDefaults ? describeTopology(parsed) : undefined,
      sources: new Map([[file, text], ...own.sources]),
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { diagnostics, sources } = error;
    return { file, kind: 'topology', valid: false, summary: 'refused', diagnostics, sources };
  }
}

async function checkConfiguration(file: string): Promise<FileReport> {
  const { exitStatus, stdout, stderr } = await run([enginePath(), '-c', '-f', file]);
  const valid = exitStatus === 0;
  return {
    file,
    kind: 'configuration',
    valid,
    summary: valid ? 'configuration is valid' : `refused by the engine (exit status ${exitStatus})`,
    diagnostics: [],
    // What the engine says when there is nothing to say is said by the summary.
    output: `${stdout}${stderr}`.replace(/^Configuration file is valid$/m, '').trim(),
    sources: new Map(),
  };
}
