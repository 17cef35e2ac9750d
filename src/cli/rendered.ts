import { chmod, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readGiven, readKept } from '../credentials/kept.ts';
import { settleCredentials } from '../credentials/settle.ts';
import { didYouMean, EXIT, LabError } from '../errors.ts';
import { providerFor } from '../providers/providers.ts';
import { placeholderView, withoutSecrets } from '../render/placeholder.ts';
import { type NodeView, renderNode } from '../render/render.ts';
import { makeFolder } from '../state/folder.ts';
import { readRecord } from '../state/record.ts';
import type { Topology } from '../topology/topology.ts';

/** A file that would be on a node. */
export interface RenderedFile {
  readonly node: string;
  readonly path: string;
  /** Octal permissions as text: '0644'. */
  readonly mode: string;
  /** Text, or base64 of what is none. */
  readonly content: string;
  readonly encoding?: 'base64';
}

export interface RenderOptions {
  readonly node?: string;
  readonly path?: string;
  /** Passwords as they are; hidden otherwise. */
  readonly secrets: boolean;
}

/**
 * The files of a lab: as they are for one that is up; with loopback addresses, where nothing states one, otherwise.
 *
 * @throws LabError `render.nothing` when there is no such node or path.
 */
export async function renderLab(
  lab: Topology,
  { node, path, secrets }: RenderOptions,
): Promise<RenderedFile[]> {
  const topology = secrets ? lab : withoutSecrets(lab);
  const names = topology.nodes.map(({ name }) => name);
  if (node !== undefined && !names.includes(node)) throw nothing(`there is no node '${node}'`, node, names);

  const views = await viewsOf(topology);
  const credentials = secrets ? await credentialsOf(topology, views) : undefined;
  const files = names
    .filter((name) => node === undefined || name === node)
    .flatMap((name) =>
      renderNode(topology, name, { ...views.get(name)!, credentials }).map(
        ({ path, content, mode = 0o644 }) => ({
          node: name,
          path,
          mode: `0${mode.toString(8)}`,
          ...(typeof content === 'string'
            ? { content }
            : { content: Buffer.from(content).toString('base64'), encoding: 'base64' as const }),
        }),
      ),
    );
  const chosen = files.filter((file) => path === undefined || file.path === path);
  if (path !== undefined && chosen.length === 0) {
    throw nothing(`no node has a file ${path}`, path, new Set(files.map((file) => file.path)));
  }
  return chosen;
}

async function viewsOf(topology: Topology): Promise<ReadonlyMap<string, NodeView>> {
  if (readRecord(topology.name)?.provider !== topology.provider) {
    return new Map(topology.nodes.map(({ name }) => [name, placeholderView(topology, name)]));
  }
  const provider = await providerFor(topology);
  return provider.views(topology, await provider.observe(topology.name));
}

/** As they are kept; for a lab that is not up, such as it would have. */
async function credentialsOf(
  topology: Topology,
  views: ReadonlyMap<string, NodeView>,
): Promise<NodeView['credentials']> {
  const { addresses = new Map() } = views.get(topology.nodes[0]!.name)!;
  const at = { addresses, kept: readKept(topology.name), now: new Date() };
  const settled = await settleCredentials(topology, { ...at, given: readGiven(topology.balancer.tls) });
  return settled.credentials;
}

/** Writes each file as `folder/node/path`, with its mode. */
export async function writeRendered(folder: string, files: readonly RenderedFile[]): Promise<void> {
  for (const { node, path, mode, content, encoding } of files) {
    const file = join(folder, node, path);
    makeFolder(dirname(file));
    await writeFile(file, Buffer.from(content, encoding), { mode: Number.parseInt(mode, 8) });
    await chmod(file, Number.parseInt(mode, 8));
  }
}

function nothing(message: string, word: string, candidates: Iterable<string>): LabError {
  return new LabError(message, {
    code: 'render.nothing',
    exit: EXIT.refused,
    hints: [didYouMean(word, candidates) ?? [...candidates].join(', ')],
  });
}
