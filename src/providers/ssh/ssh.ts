import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, LabError } from '../../errors.ts';
import { familyOf } from '../../os/families.ts';
import { FORBID } from '../../os/guards.ts';
import { healWithSystemd } from '../../os/systemd-faults.ts';
import { nameInLab } from '../../plan/moved.ts';
import type { NodeView } from '../../render/view.ts';
import { SshMachine, type SshTarget } from '../../shell/ssh.ts';
import type { FormerNode } from '../../state/record.ts';
import type { Topology, TopologyNode } from '../../topology/topology.ts';
import { PROBE, readProbe } from '../machine/probe.ts';
import { machinePrograms } from '../machine/programs.ts';
import { besidePath, PUSH, pushInput } from '../machine/push.ts';
import type {
  DestroyOptions,
  ExecOptions,
  ExecResult,
  FileSpec,
  LabName,
  LabProvider,
  Leavings,
  NodeName,
  NodeSpec,
  Observed,
  ObservedNode,
} from '../provider.ts';
import {
  CLAIM,
  NOTE_PATHS,
  OWNERS,
  type Owner,
  REFUSED,
  readOwners,
  release,
  STOP_SERVICES,
} from './ownership.ts';
import { BOOT_ID, readBootId } from './reboot.ts';
import { refuseMissingKeys, routeTo } from './settings.ts';

/** To look, and to mark. */
const SHORT_DEADLINE_MS = 60_000;
const PUSH_DEADLINE_MS = 120_000;
/** The engine's executable has some hundred megabytes. */
const UPLOAD_DEADLINE_MS = 900_000;
const SERVICES_DEADLINE_MS = 120_000;
const PACKAGES_DEADLINE_MS = 600_000;
const REBOOT_DEADLINE_MS = 300_000;
const REBOOT_LOOK_MS = 1000;

/** A lab on machines that exist, over SSH. It makes none and deletes none: it marks them, and puts back what it found. */
export class SshProvider implements LabProvider {
  readonly #topology: Topology;
  readonly #nodes: readonly TopologyNode[];
  readonly #former: readonly FormerNode[];
  readonly #machines = new Map<string, SshMachine>();
  readonly #ours = new Map<NodeName, Promise<void>>();
  readonly #families = new Map<NodeName, string>();
  /** Why nodes could not be looked at, the last time. */
  readonly #failures = new Map<NodeName, LabError>();
  readonly programs = () => machinePrograms;

  /** `former`: machines that may be marked still, and that the topology no longer has. */
  constructor(topology: Topology, former: readonly FormerNode[] = []) {
    this.#topology = topology;
    this.#former = former;
    this.#nodes = [...topology.nodes, ...former];
  }

  async observe(lab: LabName): Promise<Observed> {
    this.#failures.clear();
    const looks = await Promise.all(
      this.#nodes.map(async ({ name }) => [name, await this.#lookOrSayWhy(lab, name)] as const),
    );
    const seen = new Map(looks.flatMap(([name, node]) => (node ? [[name, node] as const] : [])));
    return { nodes: new Map([...seen].filter(([name]) => !this.#isAnothers(name, seen))) };
  }

  async views(topology: Topology, observed: Observed): Promise<ReadonlyMap<NodeName, NodeView>> {
    refuseMissingKeys(topology);
    const addresses = new Map(
      topology.nodes.flatMap(({ name, address }) =>
        address === undefined ? [] : [[name, address] as const],
      ),
    );
    const view = (name: NodeName): NodeView => {
      const family = observed.nodes.get(name)?.family ?? this.#families.get(name);
      const provisional = family === undefined ? 'system' : undefined;
      const resolver = observed.nodes.get(name)?.resolver;
      return { kind: 'machine', family: family ?? 'rhel', addresses, root: '', provisional, resolver };
    };
    return new Map(topology.nodes.map(({ name }) => [name, view(name)]));
  }

  async foresee(nodes: readonly NodeName[]): Promise<LabError[]> {
    return nodes.flatMap((name) => this.#failures.get(name) ?? []);
  }

  async create({ name, lab }: NodeSpec): Promise<void> {
    const { exitStatus, stderr } = await this.#sh(name, CLAIM, [lab, name]);
    if (exitStatus === REFUSED.foreign) throw foreign(name, readOwnersOfRecord(stderr));
    if (exitStatus === REFUSED.busy)
      throw new LabError('another lablb is at work on the machine', { code: 'node.busy', node: name });
    if (exitStatus === REFUSED.noSystemd)
      throw new LabError('the machine has no systemd', {
        code: 'ssh.no-systemd',
        node: name,
        exit: EXIT.missing,
      });
    if (exitStatus !== 0) throw failed(name, 'the machine could not be marked', exitStatus, stderr);
    this.#ours.set(name, Promise.resolve());
  }

  push(node: NodeName, file: FileSpec): Promise<void> {
    return this.pushAll(node, [file]);
  }

  async pushAll(node: NodeName, files: readonly FileSpec[]): Promise<void> {
    await this.#mustBeOurs(node);
    const coming = files.filter(({ absent }) => !absent);
    const paths = coming.flatMap(({ path, folders = [] }) => [
      path,
      ...folders.map((folder) => `${folder}/`),
    ]);
    const noted = await this.#sh(node, NOTE_PATHS, [this.#topology.name, ...paths]);
    if (noted.exitStatus !== 0)
      throw failed(node, 'what is to come could not be noted', noted.exitStatus, noted.stderr);
    for (const { path, source, absent } of files)
      if (source !== undefined && !absent) await this.#upload(node, path, source);
    // These machines were there before the lab: whatever a file replaces is kept, for `destroy` to put back. A block
    // replaces nothing.
    const kept = files.map((file) => ({ ...file, keepOriginal: file.block === undefined }));
    const { exitStatus, stderr } = await this.#run(node, ['sh', '-c', PUSH], {
      input: pushInput(kept),
      timeoutMs: PUSH_DEADLINE_MS,
    });
    if (exitStatus !== 0) throw failed(node, 'a file could not be written', exitStatus, stderr);
  }

  async exec(node: NodeName, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    await this.#mustBeOurs(node);
    return this.#run(node, argv, options);
  }

  async attach(
    node: NodeName,
    argv: readonly string[],
    options: { signal?: AbortSignal } = {},
  ): Promise<number> {
    await this.#mustBeOurs(node);
    return this.#of(node, () => this.#machine(node).attach(argv, options));
  }

  /** The machine stays: it is as it was before, but for packages, which stay unless they are to go. */
  async destroy(node: NodeName, options: DestroyOptions = {}): Promise<Leavings> {
    if (!this.#nodes.some(({ name }) => name === node)) return NO_LEAVINGS;
    const lab = this.#topology.name;
    const seen = await this.#look(lab, node);
    if (!seen) return NO_LEAVINGS;
    if (this.#isFormer(node) && !(await this.observe(lab)).nodes.has(node)) return NO_LEAVINGS;
    if (seen.state === 'foreign') throw foreign(node);
    this.#ours.delete(node);
    const step = async (what: string, argv: readonly string[], input?: string, timeoutMs?: number) => {
      const result = await this.#run(node, argv, { input, timeoutMs: timeoutMs ?? SERVICES_DEADLINE_MS });
      if (result.exitStatus !== 0) throw failed(node, what, result.exitStatus, result.stderr);
      return result.stdout;
    };
    // A service that does not start again is not in the way: it is stopped next.
    await this.#run(node, healWithSystemd(), { timeoutMs: SERVICES_DEADLINE_MS });
    const sh = (script: string, ...args: string[]) => ['sh', '-c', script, 'sh', ...args];
    await step('services could not be stopped', sh(STOP_SERVICES, lab));
    const files = [...seen.pushed.keys()].map((path) => ({ path, content: '', absent: true }));
    if (files.length > 0) await step('files could not be put back', sh(PUSH), pushInput(files));
    await step('what a firewall or SELinux allows could not be taken back', sh(FORBID));
    const family = familyOf(seen.family);
    const brought = family.brought(options.purge ?? false);
    const left = await step('packages could not be looked at', brought, undefined, PACKAGES_DEADLINE_MS);
    const ending = sh(release(options.purge ? family.clear : ''), lab);
    await step('services could not be put back', ending, undefined, PACKAGES_DEADLINE_MS);
    return { packages: left.split('\n').filter(Boolean) };
  }

  async restart(node: NodeName): Promise<void> {
    await this.#mustBeOurs(node);
    const before = await this.#bootId(node);
    // The connection may go before the answer comes.
    await this.#run(node, ['systemctl', '--no-block', 'reboot'], {}).catch((error) => {
      if (!LOST.has((error as LabError).fields?.code)) throw error;
    });
    for (const end = performance.now() + REBOOT_DEADLINE_MS; ; await sleep(REBOOT_LOOK_MS)) {
      const now = await this.#bootId(node).catch((error: unknown) => error);
      if (typeof now === 'string' && now !== before) return;
      // A link that stands may be to a machine on its way down.
      await this.#machine(node).close();
      if (performance.now() > end)
        throw new LabError(`is not back ${REBOOT_DEADLINE_MS / 1000} s after its reboot`, {
          code: 'ssh.reboot',
          node,
          cause: now,
          hints: ['lablb status', 'its console'],
        });
    }
  }

  async #bootId(node: NodeName): Promise<string> {
    return readBootId((await this.#sh(node, BOOT_ID)).stdout);
  }

  /** A machine that nobody can look at says nothing about the others. */
  #lookOrSayWhy(lab: LabName, name: NodeName): Promise<Look | undefined> {
    return this.#look(lab, name).catch((error: unknown) => {
      if (!(error instanceof LabError)) throw error;
      this.#failures.set(name, error);
      const address = this.#nodes.find((node) => node.name === name)?.address;
      return { ...NOTHING, address, state: 'unreachable', problem: error.message };
    });
  }

  /** Undefined for a machine that no lab has marked. */
  async #look(lab: LabName, name: NodeName): Promise<Look | undefined> {
    const address = this.#nodes.find((node) => node.name === name)?.address;
    const { stdout, stderr, exitStatus } = await this.#sh(name, `${OWNERS}\n${PROBE}`, [address ?? '']);
    if (exitStatus !== 0) throw failed(name, 'the machine cannot be looked at', exitStatus, stderr);
    const owners = readOwners(stdout);
    const probe = readProbe(stdout);
    if (probe.family) this.#families.set(name, probe.family);
    if (owners.length === 0) return undefined;
    const own = owners.find((owner) => owner.lab === lab && owner.node === nameInLab(name));
    if (own) return { ...probe, address, state: 'running', mark: own.id, owners };
    return { ...NOTHING, address, state: 'foreign', problem: foreign(name, owners).message, owners };
  }

  /**
   * A machine may be met twice, by two of its addresses or for two nodes. Then it is not there for one of them: for the
   * old place of a node that has only another address now; for the node that gets it once it is given back.
   */
  #isAnothers(name: NodeName, seen: ReadonlyMap<NodeName, Look>): boolean {
    const { state, mark, owners = [] } = seen.get(name)!;
    const inLab = nameInLab(name);
    const former = this.#former.find((one) => one.name === name);
    if (former) {
      const known = mark ?? (former.mark || undefined);
      const stays = this.#topology.nodes.some((node) => node.name === inLab);
      return stays && known !== undefined && seen.get(inLab)?.mark === known;
    }
    const leaves = ({ lab, node, id }: Owner): boolean =>
      lab === this.#topology.name &&
      this.#former.some((one) => nameInLab(one.name) === node && seen.get(one.name)?.mark === id);
    return state === 'foreign' && owners.some(leaves);
  }

  /** A large file, beside its place. */
  async #upload(node: NodeName, path: string, source: string): Promise<void> {
    const script = 'mkdir -p "$(dirname "$1")" && cat >"$1" || { s=$?; rm -f "$1"; exit $s; }';
    const { exitStatus, stderr } = await this.#of(node, () =>
      this.#machine(node).run(['sh', '-c', script, 'sh', besidePath(path)], {
        source,
        timeoutMs: UPLOAD_DEADLINE_MS,
      }),
    );
    if (exitStatus !== 0) throw failed(node, `${path} could not be written`, exitStatus, stderr);
  }

  /** Nothing is done on a machine that is not this lab's. */
  #mustBeOurs(node: NodeName): Promise<void> {
    const known = this.#ours.get(node);
    if (known) return known;
    const look = this.#sh(node, OWNERS).then(({ stdout }) => {
      const owners = readOwners(stdout);
      if (owners.some((owner) => owner.lab === this.#topology.name && owner.node === nameInLab(node))) return;
      throw owners.length > 0 ? foreign(node, owners) : absent(node);
    });
    this.#ours.set(node, look);
    look.catch(() => this.#ours.delete(node));
    return look;
  }

  #isFormer(node: NodeName): boolean {
    return this.#former.some(({ name }) => name === node);
  }

  #sh(node: NodeName, script: string, args: readonly string[] = []): Promise<ExecResult> {
    return this.#run(node, ['sh', '-c', script, 'sh', ...args], { timeoutMs: SHORT_DEADLINE_MS });
  }

  async #run(node: NodeName, argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
    const result = await this.#of(node, () => this.#machine(node).run(argv, options));
    if (SUDO_STATUS.has(result.exitStatus) && SUDO_REFUSED.test(result.stderr))
      throw noSudo(node, result.stderr);
    return result;
  }

  /** Errors of the connection say which node's it is. */
  async #of<T>(node: NodeName, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof LabError) || error.fields.node !== undefined) throw error;
      throw new LabError(error.message, { ...error.fields, node });
    }
  }

  #machine(name: NodeName): SshMachine {
    const node = this.#nodes.find((one) => one.name === name);
    if (!node) throw absent(name);
    const { target, jump } = routeTo(this.#topology, node);
    return this.#shared(target, jump && this.#shared(jump));
  }

  #shared(target: SshTarget, jump?: SshMachine): SshMachine {
    const key = [target.user, target.host, target.port, jump?.target.host, jump?.target.port].join(' ');
    const machine = this.#machines.get(key) ?? new SshMachine(target, jump);
    this.#machines.set(key, machine);
    return machine;
  }
}

/** What is seen of a machine by itself. */
interface Look extends ObservedNode {
  readonly owners?: readonly Owner[];
}

/** Ends of a connection that a reboot explains. */
const LOST: ReadonlySet<string | undefined> = new Set(['ssh.lost', 'ssh.silent']);
const NO_LEAVINGS: Leavings = { packages: [] };

/** When it says no, and when it is not there. */
const SUDO_STATUS = new Set([1, 127]);
const SUDO_REFUSED = /\bsudo: |is not in the sudoers file|^Sorry, user /m;

const NOTHING: Omit<ObservedNode, 'state'> = {
  packages: new Set(),
  services: new Map(),
  files: new Map(),
  pushed: new Map(),
};

/** A record that CLAIM found in its way. */
function readOwnersOfRecord(text: string): Owner[] {
  return [...text.matchAll(/"lab":"([^"]*)","node":"([^"]*)"/g)].map(([, lab, node]) => ({
    lab: lab!,
    node: node!,
    id: '',
  }));
}

function failed(node: NodeName, message: string, exitStatus: number, stderr: string): LabError {
  const full = /no space left|quota/i.test(stderr);
  return new LabError(full ? `the disk is full: ${message}` : message, {
    code: full ? 'node.full' : 'node.command-failed',
    node,
    exitStatus,
    stderr,
    hints: full ? ['df -h   (on it)'] : undefined,
  });
}

function noSudo(node: NodeName, stderr: string): LabError {
  return new LabError('sudo is not there, wants a password, or gives this user no right', {
    code: 'ssh.sudo',
    node,
    stderr,
    hints: ["a line in /etc/sudoers.d: 'USER ALL=(ALL) NOPASSWD: ALL'", "user: root under 'ssh:'"],
  });
}

function foreign(node: NodeName, owners: readonly Owner[] = []): LabError {
  const whose = owners.map(({ lab, node: as }) => `${lab}, as ${as}`).join('; ');
  return new LabError(`the machine belongs to another lab${whose && ` (${whose})`}; it is left alone`, {
    code: 'node.foreign',
    node,
    hints: ['lablb down of that lab', 'another machine'],
  });
}

function absent(node: NodeName): LabError {
  return new LabError('the node is not there', { code: 'node.absent', node, hints: ['lablb up'] });
}
