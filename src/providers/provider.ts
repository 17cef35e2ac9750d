import type { LabError } from '../errors.ts';
import type { NodeView, Resolver } from '../render/view.ts';
import type { EngineName, Topology, TopologyNode } from '../topology/topology.ts';

/**
 * What a lab runs on. Five methods; whatever only some providers can do (snapshots, faults, a shell) is a
 * separate optional interface. Every implementation passes the same suite: test/providers/conformance.ts.
 */
export interface Provider {
  /** What really is there: one probe a node, not one call a fact. Never throws for an absent node. */
  observe(lab: LabName): Promise<Observed>;
  /** Makes the node and starts it; resolves when `exec` works. An existing node of ours is left as it is. */
  create(node: NodeSpec): Promise<void>;
  /** Puts a file on the node, by rename, with its mode. Parent folders are made. */
  push(node: NodeName, file: FileSpec): Promise<void>;
  /** Runs an argv on the node (never a shell string). A non-zero status is a result, not an exception. */
  exec(node: NodeName, argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Takes the node away with all it holds; a machine that was there before is given back. Absent is done. */
  // biome-ignore lint/suspicious/noConfusingVoidType: only machines that stay have anything to tell
  destroy(node: NodeName, options?: DestroyOptions): Promise<Leavings | void>;
}

export interface DestroyOptions {
  /** Where a machine is given back, the packages that lablb installed go too. */
  readonly purge?: boolean;
}

/** What stays on a machine that was given back. */
export interface Leavings {
  /** Packages that lablb installed, with all that they needed. */
  readonly packages: readonly string[];
}

export type LabName = string;
export type NodeName = string;

/** A topology's node and the lab that owns it. */
export interface NodeSpec extends TopologyNode {
  readonly lab: LabName;
}

export interface FileSpec {
  /** Absolute path as it is on the node, e.g. /etc/haproxy/haproxy.cfg. */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Octal permissions; 0o644 unless said. */
  readonly mode?: number;
  /** Keep what was there before lablb's first write as `<path>.orig`. */
  readonly keepOriginal?: boolean;
  /** Take the file away instead; it is no longer managed. */
  readonly absent?: boolean;
  /** Only a block of the file is ours: `content` is that block with its marker lines, which name this lab. */
  readonly block?: LabName;
  /** A file of this machine whose content it is, for one too large to hold: then `content` is '' and `sha256` is said. */
  readonly source?: string;
  /** Folders that whoever reads it makes. */
  readonly folders?: readonly string[];
  /** Of the content, hex. */
  readonly sha256?: string;
}

export interface ExecOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints is of no use unless it fails: it need not be waited for. */
  readonly onlyFailures?: boolean;
}

export interface ExecResult {
  readonly exitStatus: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Observed {
  readonly nodes: ReadonlyMap<NodeName, ObservedNode>;
}

export interface ObservedNode {
  /** `unreachable`: nobody can tell. `problem` says why it is that or `foreign`, if that is known. */
  readonly state: 'absent' | 'stopped' | 'running' | 'foreign' | 'unreachable';
  readonly problem?: string;
  readonly address?: string;
  /** What tells its machine from all others, where nodes are machines that were there before. */
  readonly mark?: string;
  /** What the provider itself was told of it (profiles, devices, limits), by name, in one line each. */
  readonly settings?: ReadonlyMap<string, string>;
  /** 'debian' | 'rhel' | 'embedded' … undefined while it is not running. */
  readonly family?: string;
  readonly packages: ReadonlySet<string>;
  readonly services: ReadonlyMap<string, ObservedService>;
  /** How it finds addresses of names. */
  readonly resolver?: Resolver;
  /** Managed files that exist: path → sha256 of the content, hex. */
  readonly files: ReadonlyMap<string, string>;
  /** The same as lablb last wrote them, so that a change by hand is told from a change of the lab. */
  readonly pushed: ReadonlyMap<string, string>;
  /** Firewalls and the like that are active, by name. */
  readonly guards?: ReadonlyMap<string, ObservedGuard>;
  /** What lablb sees and leaves alone, a clause each, for people. */
  readonly notices?: readonly string[];
  /** What `lablb fail` made it do and `lablb heal` has not undone. */
  readonly fault?: ObservedFault;
}

export interface ObservedFault {
  readonly how: string;
  readonly service: string;
}

export interface ObservedGuard {
  /** What it lets through; `*` is everything. */
  readonly allows: ReadonlySet<string>;
  /** What it lets through because lablb said so. */
  readonly given: ReadonlySet<string>;
}

export interface ObservedService {
  readonly running: boolean;
  readonly enabled: boolean;
  /** Changes whenever what the service runs with changed since it started (config hash, version). */
  readonly revision?: string;
}

/** What a lab's desired state depends on and only its provider knows. */
export interface Surroundings {
  /** How to render each node's files. Nodes that are yet to be made have the place they will get, if it is known. */
  views(topology: Topology, observed: Observed): Promise<ReadonlyMap<NodeName, NodeView>>;
  /** Programs on the nodes that services run. @throws LabError when one is missing. */
  programs(topology: Topology): Programs;
}

export interface Programs {
  readonly engine: (name: EngineName) => Program;
  /** Serves a folder: `[...argv, '--address', A, '--port', P, '--root', FOLDER, '--access-log', FILE]`. */
  readonly webServer: () => Program;
  /** Answers for names: `[...argv, '--address', A, '--port', P, '--names', FILE, '--ttl', SECONDS]`. */
  readonly dnsServer: () => Program;
}

export interface Program {
  readonly argv: readonly string[];
  /** Changes when the program does: a running service of an older build is reloaded. */
  readonly build: string;
  /** The executable, where it has to be brought to the node. */
  readonly file?: FileSpec;
}

/** Runs a command with the terminal of whoever asks: `lablb exec`, `lablb logs --follow`. */
export interface Attach {
  attach(node: NodeName, argv: readonly string[], options?: { signal?: AbortSignal }): Promise<number>;
}

/** Many files of a node in one go. */
export interface Batch {
  pushAll(node: NodeName, files: readonly FileSpec[]): Promise<void>;
}

/** Files, then commands until one fails, and a look at what came of it, all in one go. */
export interface Sweep {
  sweep(
    node: NodeName,
    files: readonly FileSpec[],
    commands: readonly (readonly string[])[],
    options?: { signal?: AbortSignal },
  ): Promise<SweepResult>;
}

export interface SweepResult {
  /** So many of the commands were done. */
  readonly done: number;
  /** What the next one said, when it failed. */
  readonly failure?: ExecResult;
}

/** Some of the work goes on after a method has come back, and some of what will be seen is known already. */
export interface Background {
  /** Until nothing is under way. What failed is seen by the next look. */
  settle(): Promise<void>;
  /** What a node has that was made or worked on since the last look; undefined for others. */
  packagesOf(node: NodeName): ReadonlySet<string> | undefined;
}

/** What can be told before anything is tried. */
export interface Foresight {
  /** Why these nodes cannot be made or reached, as the last look and another one that touches nothing have it. */
  foresee(nodes: readonly NodeName[]): Promise<readonly LabError[]>;
}

/** Settings of a node that are not inside it: `name` is one of its view's `settings`. */
export interface Configure {
  configure(node: NodeName, name: string): Promise<void>;
}

/** Nodes that are machines: restarted as a whole. Resolves when it has its address again. */
export interface Restart {
  restart(node: NodeName): Promise<void>;
}

/** States of nodes to go back to. A snapshot of the same name is replaced. */
export interface Snapshots {
  makeSnapshot(node: NodeName, name: string): Promise<void>;
  restoreSnapshot(node: NodeName, name: string): Promise<void>;
  /** Names, oldest first. */
  snapshots(node: NodeName): Promise<string[]>;
}

/** Writes a lab down as a shell script of plain commands. */
export interface Scripted {
  script(topology: Topology): Promise<string>;
}

/** What a lab's nodes share, taken away after the last of them. */
export interface Tidy {
  /** Names of what stays because the next lab comes up sooner with it; with `purge`, that goes too. */
  tidy(options: { readonly purge?: boolean }): Promise<readonly string[]>;
}

/** All that the commands need of a provider, and what only some can do. */
export type LabProvider = Provider &
  Surroundings &
  Attach &
  Partial<Background & Batch & Configure & Foresight & Restart & Scripted & Snapshots & Sweep & Tidy>;
