import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ConfigError, type Diagnostic, LabError, type Place } from '../errors.ts';
import { HAPROXY_CONFIG } from '../render/haproxy-config.ts';
import { placeholderView, withoutSecrets } from '../render/placeholder.ts';
import { renderNode } from '../render/render.ts';
import { TLS_PATHS } from '../render/tls-files.ts';
import { enginePath } from '../shell/engine.ts';
import { run } from '../shell/run.ts';
import { nearPath } from '../text.ts';
import type { Topology } from '../topology/topology.ts';

export interface Findings {
  readonly diagnostics: readonly Diagnostic[];
  /** For the excerpts. */
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * What the engine says of a configuration of the user's own, as each proxy node would have it. Real HAProxy may know
 * more than our engine: where it is the one that runs, nothing is more than a warning.
 *
 * @throws ConfigError when it is a template that cannot be rendered.
 */
export async function checkOwnConfig(topology: Topology): Promise<Findings> {
  const { config } = topology.balancer;
  if (!config) return { diagnostics: [], sources: new Map() };
  const name = nameFor(topology);
  const findings: Diagnostic[] = [];
  const sources = new Map([[name, config.text]]);
  // Verbatim it is the same on every node; a finding that every node has is told once.
  const nodes = topology.nodes.filter(({ role }) => role === 'proxy');
  const engines = new Set(nodes.map(({ engine }) => engine));
  for (const { name: node, engine } of config.template || engines.size > 1 ? nodes : nodes.slice(0, 1)) {
    const { text, said } = await checkOn(topology, node, name);
    const rendered = `${name} (as ${node} has it)`;
    for (const finding of said.filter((one) => isMeant(one, topology, said))) {
      const line = text.split('\n')[finding.place.line - 1]!;
      const at = text === config.text ? finding.place.line : lineIn(config.text, line);
      if (at === undefined) sources.set(rendered, text);
      const place = { ...finding.place, ...(at === undefined ? { file: rendered } : { line: at }) };
      const severity = isSure(topology, engine, line) ? finding.severity : 'warning';
      if (engine === 'haproxy' && finding.message.includes('supported by this engine')) continue;
      findings.push({ ...finding, place, severity });
    }
  }
  const told = new Map(
    findings.map((one) => [`${one.place!.line}:${one.place!.column}:${one.message}`, one]),
  );
  return { diagnostics: [...told.values()], sources };
}

/** @throws ConfigError when the user's own configuration has a mistake. Returns what is only worth knowing. */
export async function refuseOwnConfig(topology: Topology): Promise<Findings> {
  const { diagnostics, sources } = await checkOwnConfig(topology);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new ConfigError(errors, sources);
  return { diagnostics, sources };
}

/** The file as a person in this folder would name it. */
function nameFor({ file, balancer }: Topology): string {
  return nearPath(resolve(dirname(file ?? '.'), balancer.config!.file));
}

type Said = Diagnostic & { readonly place: Place };

/** Renders a node's files into a folder that stands for `/`, and asks the engine about the configuration there. */
async function checkOn(
  topology: Topology,
  node: string,
  name: string,
): Promise<{ text: string; said: readonly Said[] }> {
  const root = mkdtempSync(join(tmpdir(), 'lablb-check-'));
  try {
    const view = placeholderView(topology, node);
    const there = view.kind === 'embedded' ? root : '';
    const files = renderNode(withoutSecrets(topology), node, { ...view, root: there });
    for (const { path, content } of files.filter(({ path }) => path.startsWith('/etc/haproxy/'))) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    const text = String(files.find(({ path }) => path === HAPROXY_CONFIG)!.content);
    const { stdout, stderr } = await run([enginePath(), '-c', '-f', join(root, HAPROXY_CONFIG)]);
    return { text, said: findingsIn(`${stdout}${stderr}`, root, name) };
  } catch (error) {
    // The lab may run on an engine that this machine has not.
    if (error instanceof LabError && error.fields.code === 'engine.missing') return { text: '', said: [] };
    throw error;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const FINDING = /^:(\d+):(\d+) {2}(error|warning): (.*)$/;

/** Findings as the engine prints them: `FILE:LINE:COLUMN  error: …`, the line, and a marker under the words. */
function findingsIn(output: string, root: string, file: string): Said[] {
  const path = join(root, HAPROXY_CONFIG);
  const lines = output.split('\n');
  return lines.flatMap((line, index) => {
    if (!line.startsWith(path)) return [];
    const [, row, column, severity, message] = FINDING.exec(line.slice(path.length)) ?? [];
    if (message === undefined) return [];
    const length = /\^+$/.exec(lines[index + 2] ?? '')?.[0].length;
    return [
      {
        severity: severity as 'error' | 'warning',
        message: message.replaceAll(path, file).replaceAll(root, ''),
        place: { file, line: Number(row), column: Number(column), length },
      },
    ];
  });
}

/** About a file that the configuration names and that is not here. */
const UNREAD =
  /^(?:cannot read|the (?:file|map)|no certificate file|no CA file|the \w+ file) '([^']*)'|^no certificate in (?:the folder )?'([^']*)'/;
/** What follows from a line that such a file made unreadable. */
const FOLLOWS = /^no ACL '|authorities|'ca-file'|'ssl' without a certificate/;

/** Files that are only on the node, or that `up` makes, cannot be judged here. */
function isMeant({ message }: Said, { provider }: Topology, all: readonly Said[]): boolean {
  const elsewhere = (text: string): boolean => {
    const [, file, folder = file] = UNREAD.exec(text) ?? [];
    return (
      folder !== undefined && (provider !== 'local' || TLS_PATHS.includes(folder) || !folder.startsWith('/'))
    );
  };
  if (elsewhere(message)) return false;
  return !FOLLOWS.test(message) || !all.some((other) => elsewhere(other.message));
}

/** Not where HAProxy runs, nor of a line with variables, which a machine has otherwise than we. */
function isSure({ provider }: Topology, engine: string | undefined, line: string): boolean {
  return engine !== 'haproxy' && (provider === 'local' || !line.includes('$'));
}

/** Number of the line of a template that a rendered line is, when it is one alone. */
function lineIn(template: string, line: string): number | undefined {
  const lines = template.split('\n');
  const first = lines.indexOf(line);
  return first === -1 || lines.lastIndexOf(line) !== first ? undefined : first + 1;
}
