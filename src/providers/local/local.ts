import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabError } from '../../errors.ts';
import { FAIL_REFUSED, type FaultName } from '../../os/faults.ts';
import { sha256 } from '../../plan/hash.ts';
import type { NodeView } from '../../render/view.ts';
import { portsOf } from '../../roles/ports.ts';
import { attach } from '../../shell/attach.ts';
import { run } from '../../shell/run.ts';
import { labFolder, stateHome } from '../../state/paths.ts';
import type { Topology } from '../../topology/topology.ts';
import type {
  ExecOptions,
  ExecResult,
  FileSpec,
  LabName,
  LabProvider,
  NodeName,
  NodeSpec,
  Observed,
  ObservedNode,
} from '../provider.ts';
import { faultOf } from './faults.ts';
import { foldersIn, NodeFolder } from './folder.ts';
import {
  addPorts,
  bindProbe,
  type Placement,
  type Probe,
  placeNode,
  sharedProbe,
  type Taken,
} from './placement.ts';
import { localPrograms } from './programs.ts';
import {
  failService,
  healService,
  reloadService,
  serviceState,
  servicesOf,
  startService,
  stopEverything,
  stopService,
} from './services.ts';

/**
 * A lab on this machine: a node is a folder under the state folder and processes that outlive lablb. Nothing has
 * to be installed and nothing outside the folder is touched; whatever is in the folder is ours.
 */
export class LocalProvider implements LabProvider {
  readonly #lab: LabName;
  readonly #env: NodeJS.ProcessEnv;
  readonly #probe: Probe;
  /** Places of nodes as `views` last computed them; made lasting when a node is made or written to. */
  readonly #placements = new Map<NodeName, Placement>();
  readonly programs = () => localPrograms;

  constructor(lab: LabName, env: NodeJS.ProcessEnv = process.env) {
    this.#lab = lab;
    this.#env = env;
    this.#probe = env.LABLB_SHARED_ADDRESS === '1' ? sharedProbe : bindProbe;
  }

  async observe(lab: LabName): Promise<Observed> {
    const names = foldersIn(nodesFolder(lab, this.#env));
    return { nodes: new Map(names.map((name) => [name, observeNode(this.#folder(name, lab))])) };
  }

  async views(topology: Topology, _observed: Observed): Promise<ReadonlyMap<NodeName, NodeView>> {
    // One after another: each is placed beside those before it.
    for (const node of topology.nodes)
      await this.#settle(
        node.name,
        portsOf(topology, node).map((p) => p.port),
      );
    const places = topology.nodes.map(({ name }) => [name, this.#placements.get(name)!] as const);
    const addresses = new Map(places.map(([name, place]) => [name, place.address]));
    const ports = new Map(places.map(([name, place]) => [name, portMap(place)]));
    return new Map(
      places.map(([name, place]) => [
        name,
        {
          kind: 'embedded',
          family: 'embedded',
          addresses,
          ports,
          root: this.#folder(name).root,
          bind: place.address,
          socket: shortSocket(this.#folder(name).root),
        },
      ]),
    );
  }

  async create(node: NodeSpec): Promise<void> {
    const placement =
      this.#placements.get(node.name) ?? (await this.#settle(node.name, [node.port, ...node.publish]));
    const folder = this.#folder(node.name);
    mkdirSync(folder.realPath('/run/haproxy'), { recursive: true, mode: 0o700 });
    folder.place(placement);
  }

  async push(node: NodeName, file: FileSpec): Promise<void> {
    const folder = this.#existing(node);
    this.#keepPlacement(node, folder);
    if (file.absent) folder.remove(file.path);
    else folder.write(file);
  }

  async exec(node: NodeName, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const folder = this.#existing(node);
    const action = serviceAction(argv);
    if (action) return runServiceAction(folder, action, options.signal);
    return run(argv, {
      ...options,
      cwd: folder.root,
      env: { ...this.#nodeEnvironment(node, folder), ...options.env },
    });
  }

  async attach(
    node: NodeName,
    argv: readonly string[],
    options: { signal?: AbortSignal } = {},
  ): Promise<number> {
    const folder = this.#existing(node);
    const action = serviceAction(argv);
    if (action) {
      const result = await runServiceAction(folder, action, options.signal);
      process.stdout.write(result.stdout);
      process.stderr.write(result.stderr);
      return result.exitStatus;
    }
    return attach(argv, {
      cwd: folder.root,
      env: this.#nodeEnvironment(node, folder),
      signal: options.signal,
    });
  }

  async destroy(node: NodeName): Promise<void> {
    const folder = this.#folder(node);
    await stopEverything(folder);
    folder.destroy();
    const socket = shortSocket(folder.root);
    if (socket) rmSync(socket, { force: true });
    this.#placements.delete(node);
  }

  /** The node's place: as recorded, else as this run has found it, else a new one. */
  async #settle(node: NodeName, ports: readonly number[]): Promise<Placement> {
    const known = this.#folder(node).record?.placement ?? this.#placements.get(node);
    const placement = known
      ? await addPorts(known, ports, this.#taken(node), this.#probe)
      : await placeNode(labFolder(this.#lab, this.#env), node, ports, this.#taken(node), this.#probe);
    this.#placements.set(node, placement);
    return placement;
  }

  #keepPlacement(node: NodeName, folder: NodeFolder): void {
    const now = this.#placements.get(node);
    if (now && JSON.stringify(now) !== JSON.stringify(folder.record?.placement)) folder.place(now);
  }

  /** What the nodes of all labs hold, but for this one. */
  #taken(except: NodeName): Taken {
    const recorded = foldersIn(stateHome(this.#env)).flatMap((lab) =>
      foldersIn(nodesFolder(lab, this.#env)).flatMap((name) => {
        const placement =
          lab === this.#lab && name === except ? undefined : this.#folder(name, lab).record?.placement;
        return placement ? [placement] : [];
      }),
    );
    const planned = [...this.#placements]
      .filter(([name]) => name !== except)
      .map(([, placement]) => placement);
    const all = [...recorded, ...planned];
    return {
      addresses: new Set(all.map((place) => place.address)),
      endpoints: new Set(
        all.flatMap((place) => Object.values(place.ports).map((port) => `${place.address}:${port}`)),
      ),
    };
  }

  #nodeEnvironment(node: NodeName, folder: NodeFolder): Record<string, string> {
    return {
      LABLB_NODE: node,
      LABLB_ROOT: folder.root,
      LABLB_ADDRESS: folder.record?.placement.address ?? '',
    };
  }

  #existing(node: NodeName): NodeFolder {
    const folder = this.#folder(node);
    if (folder.record) return folder;
    throw new LabError('the node is not there', { code: 'node.absent', node, hints: ['lablb up'] });
  }

  #folder(node: NodeName, lab: LabName = this.#lab): NodeFolder {
    return new NodeFolder(join(nodesFolder(lab, this.#env), node));
  }
}

function nodesFolder(lab: LabName, env: NodeJS.ProcessEnv): string {
  return join(labFolder(lab, env), 'nodes');
}

function observeNode(folder: NodeFolder): ObservedNode {
  const record = folder.record;
  const services = servicesOf(folder).map(
    (name) => [name, { ...serviceState(folder, name), enabled: true }] as const,
  );
  const pushed = new Map(Object.entries(record?.pushed ?? {}));
  const files = [...pushed.keys()].flatMap((path) => {
    const hash = folder.hash(path);
    return hash === undefined ? [] : [[path, hash] as const];
  });
  return {
    // Without its record it is half made or half gone: `create` completes it, `destroy` finishes it.
    state: record ? 'running' : 'stopped',
    address: record?.placement.address,
    family: record ? 'embedded' : undefined,
    packages: new Set(),
    services: new Map(services),
    files: new Map(files),
    pushed,
    fault: faultOf(folder),
  };
}

/**
 * The name of a unix socket has room for 103 bytes (macOS) and HAProxy makes it under a longer name first, so in a
 * deep folder the socket is elsewhere.
 */
function shortSocket(root: string): string | undefined {
  if (Buffer.byteLength(join(root, 'run/haproxy/admin.sock')) < 85) return undefined;
  return join(tmpdir(), `lablb-${sha256(root).slice(0, 16)}.sock`);
}

function portMap(placement: Placement): ReadonlyMap<number, number> {
  return new Map(Object.entries(placement.ports).map(([port, actual]) => [Number(port), actual]));
}

interface ServiceRequest {
  readonly service: string;
  readonly action: string;
  readonly rest: readonly string[];
}

/**
 * `service NAME ACTION`, as Debian and Red Hat have it, and `service NAME fail HOW MS` and `heal`: the one command that a
 * local node has built in.
 */
function serviceAction([command, service, action, ...rest]: readonly string[]): ServiceRequest | undefined {
  if (command !== 'service' || service === undefined || action === undefined) return undefined;
  return rest.length === 0 || action === 'fail' ? { service, action, rest } : undefined;
}

type ServiceVerb = (folder: NodeFolder, service: string, signal?: AbortSignal) => Promise<void>;

const SERVICE_VERBS: Readonly<Record<string, ServiceVerb>> = {
  start: startService,
  stop: stopService,
  reload: reloadService,
  restart: async (folder, service, signal) => {
    await stopService(folder, service);
    await startService(folder, service, signal);
  },
};

/** Status of `service NAME status` for one that is not running (LSB: 3). */
const NOT_RUNNING = 3;

async function runServiceAction(
  folder: NodeFolder,
  { service, action, rest }: ServiceRequest,
  signal?: AbortSignal,
): Promise<ExecResult> {
  if (!servicesOf(folder).includes(service)) return refused(`service: there is no '${service}' on this node`);
  if (action === 'status') {
    const { running } = serviceState(folder, service);
    const stdout = `${service} is ${running ? 'running' : 'stopped'}\n`;
    return { exitStatus: running ? 0 : NOT_RUNNING, stdout, stderr: '' };
  }
  if (action === 'fail') return fail(folder, service, rest, signal);
  if (action === 'heal') {
    const healed = await healService(folder);
    return { exitStatus: 0, stdout: healed ? `${healed.how} ${healed.service}\n` : '', stderr: '' };
  }
  const verb = SERVICE_VERBS[action];
  if (!verb) return refused(`service: '${action}' is none of ${Object.keys(SERVICE_VERBS).join(' ')} status`);
  await verb(folder, service, signal);
  return { exitStatus: 0, stdout: '', stderr: '' };
}

async function fail(
  folder: NodeFolder,
  service: string,
  [how, delay]: readonly string[],
  signal?: AbortSignal,
): Promise<ExecResult> {
  const already = faultOf(folder);
  if (already) {
    const stderr = `${already.how} ${already.service}\n`;
    return { exitStatus: FAIL_REFUSED.already, stdout: '', stderr };
  }
  if (!serviceState(folder, service).running)
    return { exitStatus: FAIL_REFUSED.notRunning, stdout: '', stderr: '' };
  await failService(folder, { how: how as FaultName, service, delay: Number(delay) }, signal);
  return { exitStatus: 0, stdout: '', stderr: '' };
}

function refused(message: string): ExecResult {
  return { exitStatus: 2, stdout: '', stderr: `${message}\n` };
}
