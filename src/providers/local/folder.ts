import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { LabError } from '../../errors.ts';
import { sha256 } from '../../plan/hash.ts';
import { readJson, writeAtomically, writeJson } from '../../state/files.ts';
import type { FileSpec } from '../provider.ts';
import type { Placement } from './placement.ts';

/** What lablb knows about a local node: `node.json` in its folder. */
interface NodeRecord {
  readonly placement: Placement;
  /** Managed files as last written: path on the node → sha256. */
  readonly pushed: Readonly<Record<string, string>>;
}

/** The folder that stands for a node's file system, and the record in it. */
export class NodeFolder {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Undefined when there is no node here (or what is left of one that was being taken away). */
  get record(): NodeRecord | undefined {
    return readJson<NodeRecord>(this.recordPath);
  }

  /** Places the node here; an existing one keeps its files. */
  place(placement: Placement): void {
    writeJson(this.recordPath, { placement, pushed: this.record?.pushed ?? {} } satisfies NodeRecord);
  }

  /** The real path of a path on the node. @throws LabError when it would lead out of the folder. */
  realPath(path: string): string {
    if (!path.startsWith('/') || normalize(path) !== path) {
      throw new LabError(`not a plain absolute path: ${path}`, { code: 'file.path' });
    }
    return join(this.root, path);
  }

  write(file: FileSpec): void {
    const real = this.realPath(file.path);
    if (
      file.keepOriginal &&
      existsSync(real) &&
      !existsSync(`${real}.orig`) &&
      !this.record?.pushed[file.path]
    ) {
      copyFileSync(real, `${real}.orig`);
    }
    // Managed first, written after: whatever happens between, the next look compares and mends.
    this.remember(file.path, sha256(file.content));
    writeAtomically(real, file.content, file.mode);
  }

  remove(path: string): void {
    rmSync(this.realPath(path), { force: true });
    this.remember(path, undefined);
  }

  /** sha256 of a file as it is; undefined when it is not there. */
  hash(path: string): string | undefined {
    try {
      return sha256(readFileSync(this.realPath(path)));
    } catch {
      return undefined;
    }
  }

  destroy(): void {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 3 });
  }

  private get recordPath(): string {
    return join(this.root, 'node.json');
  }

  private remember(path: string, hash: string | undefined): void {
    const record = this.record;
    if (!record) throw new LabError('the node is not there', { code: 'node.absent' });
    const { [path]: _, ...others } = record.pushed;
    writeJson(this.recordPath, {
      ...record,
      pushed: hash === undefined ? others : { ...others, [path]: hash },
    });
  }
}

/** Names of the folders in `parent`. */
export function foldersIn(parent: string): string[] {
  try {
    return readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
