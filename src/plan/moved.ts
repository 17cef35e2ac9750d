/**
 * A node that has moved to another machine leaves its old one behind, which is called `web1@192.0.2.8` until it is given
 * back. No node of a topology has such a name.
 */
export function calledAt(name: string, place: string): string {
  return `${name}@${place}`;
}

/** The node's name in the topology: `web1` for both. */
export function nameInLab(called: string): string {
  return called.split('@', 1)[0]!;
}

/** A clause: why what a topology with these nodes has no place for is to go. */
export function whyGone(called: string, nodes: readonly { readonly name: string }[]): string {
  return nodes.some(({ name }) => name === nameInLab(called))
    ? 'the topology has it at another address now'
    : 'the topology no longer has it';
}
