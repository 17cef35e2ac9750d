import type { FileSpec } from '../../src/providers/provider.ts';
import { placeholderView } from '../../src/render/placeholder.ts';
import { type NodeView, renderNode } from '../../src/render/render.ts';
import { type ParseOptions, parseTopology } from '../../src/topology/parse.ts';

export function topologyOf(text: string, options: Partial<ParseOptions> = {}) {
  return parseTopology(text, { file: 'rocky.lab.yaml', env: {}, ...options });
}

/** The files of a node, rendered with placeholders and what `view` says otherwise. */
export function filesOf(
  text: string,
  node: string,
  view: Partial<NodeView> = {},
  options: Partial<ParseOptions> = {},
) {
  const topology = topologyOf(text, options);
  return renderNode(topology, node, { ...placeholderView(topology, node), ...view });
}

export function contentOf(files: readonly FileSpec[], path: string): string {
  const file = files.find((f) => f.path === path);
  if (!file) throw new Error(`no ${path} among ${files.map((f) => f.path).join(', ')}`);
  return String(file.content);
}
