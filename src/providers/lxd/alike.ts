import type { NodeSpec } from '../provider.ts';
import type { LxdClient } from './client.ts';
import { copyInstance, createInstance, type Start, startInstance } from './create.ts';
import { draftName, draftOf, type Preparation, preparing, publish, recall } from './prepared.ts';
import type { InstanceSettings, LxdSettings } from './settings.ts';

/** Takes work that no node waits for, and the name of an instance that is there for it alone. */
export type GoOn = (work: Promise<unknown>, instance?: string) => void;

export interface Kind {
  /** To make it from. */
  readonly image: string;
  readonly wanted: InstanceSettings;
  /** What the nodes of this kind need installed; undefined where one is like no other, or the image has it. */
  readonly preparation?: Preparation;
  /** Keep what was prepared under this alias. */
  readonly keepAs?: string;
}

/**
 * Makes new nodes of one kind. The first to come is made from the image; those that come while it starts wait until it
 * has their packages, and are copies of it: which takes no time on btrfs, ZFS and thin LVM, and on other pools no more
 * than the image would. Packages are fetched and unpacked once.
 */
export class Alike {
  readonly #client: LxdClient;
  readonly #lxd: LxdSettings;
  readonly #goOn: GoOn;
  #first: First | undefined;

  constructor(client: LxdClient, lxd: LxdSettings, goOn: GoOn) {
    this.#client = client;
    this.#lxd = lxd;
    this.#goOn = goOn;
  }

  /** Makes a node and starts it: what it says of itself then. What cannot be copied is made from the image. */
  async make(node: NodeSpec, kind: Kind, start: Start): Promise<string> {
    const { preparation } = kind;
    if (!preparation) return this.#fromImage(node, kind, start);
    if (this.#first) {
      const copied = this.#copy(node, this.#first);
      this.#first.copies.push(copied);
      if (await copied) return startInstance(this.#client, node.name, { ...start, copy: true });
      return this.#fromImage(node, kind, start);
    }
    const copies: Promise<boolean>[] = [];
    // Decided once: those that come later than its start are copies of nothing.
    let prepared = false;
    const andThen = () => {
      prepared = copies.length > 0;
      return prepared ? preparing(preparation) : undefined;
    };
    const says = this.#fromImage(node, kind, { ...start, andThen });
    const ready = says.then(
      () => prepared,
      () => false,
    );
    this.#first = { name: node.name, ready, copies };
    try {
      await says;
    } finally {
      this.#first = undefined; // from now on it is like no other
    }
    if (!prepared) return says;
    const { keepAs } = kind;
    const draft = keepAs && draftOf(this.#client, this.#lxd, node, keepAs);
    if (draft)
      this.#goOn(
        draft.then((name) => publish(this.#client, name, keepAs)),
        draftName(keepAs),
      );
    await Promise.allSettled([...copies, draft]);
    await recall(this.#client, node.name);
    return says;
  }

  async #fromImage(node: NodeSpec, { image, wanted }: Kind, start: Start): Promise<string> {
    await createInstance(this.#client, this.#lxd, node, wanted, image);
    return startInstance(this.#client, node.name, start);
  }

  async #copy(node: NodeSpec, first: First): Promise<boolean> {
    if (!(await first.ready)) return false;
    return copyInstance(this.#client, this.#lxd, node, first.name).then(
      () => true,
      () => false,
    );
  }
}

interface First {
  readonly name: string;
  /** Whether there is something to copy. */
  readonly ready: Promise<boolean>;
  readonly copies: Promise<boolean>[];
}
