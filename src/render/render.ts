import type { FileSpec } from '../providers/provider.ts';
import type { Topology } from '../topology/topology.ts';
import type { NodeView } from './view.ts';

export type { NodeView } from './view.ts';

/** Every file that should be on `node`. Paths are as on the node: the provider adds `view.root`. */
export function renderNode(_topology: Topology, _node: string, _view: NodeView): FileSpec[] {
  throw new Error('not written yet');
}
