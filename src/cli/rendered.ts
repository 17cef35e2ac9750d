import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { didYouMean, EXIT, LabError } from '../errors.ts';
import { placeholderView, withoutSecrets } from '../render/placeholder.ts';
import { renderNode } from '../render/render.ts';
import type { Topology } from '../topology/topology.ts';

/** A file that would be on a node. */
export interface RenderedFile {
  readonly node: string;
  readonly path: string;
  /** Octal permissions as text: '0644'. */
  readonly mode: string;
  readonly content: string;
}

export interface RenderOptions {
  readonly node?: string;
  readonly path?: string;
  /** Passwords as they are; hidden otherwise. */
  readonly secrets: boolean;
}

/**
 * The files of a lab that is not up, with loopback addresses where nothing states one.
 *
 * @throws LabError `render.nothing` when there is no such node or path.
 */
export function renderLab(lab: Topology, { node, path, secrets }: RenderOptions): RenderedFile[] {
  const topology = secrets ? lab : withoutSecrets(lab);
  const names = topology.nodes.map(({ name }) => name);
  if (node !== undefined && !names.includes(node)) throw nothing(`there is no node '${node}'`, node, names);

  const files = names
    .filter((name) => node === undefined || name === node)
    .flatMap((name) =>
      renderNode(topology, name, placeholderView(topology, name)).map(({ path, content, mode = 0o644 }) => ({
        node: name,
        path,
        mode: `0${mode.toString(8)}`,
        content: typeof content === 'string' ? content : Buffer.from(content).toString('utf8'),
      })),
    );
  const chosen = files.filter((file) => path === undefined || file.path === path);
  if (path !== undefined && chosen.length === 0) {
    throw nothing(`no node has a file ${path}`, path, new Set(files.map((file) => file.path)));
  }
  return chosen;
}

/** Writes each file as `folder/node/path`, with its mode. */
export async function writeRendered(folder: string, files: readonly RenderedFile[]): Promise<void> {
  for (const { node, path, mode, content } of files) {
    const file = join(folder, node, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: Number.parseInt(mode, 8) });
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
