import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../../errors.ts';
import { renderNode } from '../../render/render.ts';
import type { NodeView } from '../../render/view.ts';
import { desire, packagesOf } from '../../roles/desire.ts';
import { attach } from '../../shell/attach.ts';
import type { Topology, TopologyNode } from '../../topology/topology.ts';
import { isWhole, PROBE, readProbe } from '../machine/probe.ts';
import { machinePrograms } from '../machine/programs.ts';
import { besidePath, pushInput } from '../machine/push.ts';
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
  SweepResult,
} from '../provider.ts';
import { Alike, type GoOn, type Kind } from './alike.ts';
import { FULL_HINTS, LxdClient, named, refusal } from './client.ts';
import { startInstance } from './create.ts';
import { Images, keptImages } from './images.ts';
import { addressOf, type Instance, isOf, isRunning, listInstances } from './instances.ts';
import { lingering } from './linger.ts';
import {
  dropMacvlan,
  ensureMacvlan,
  type MacvlanProfile,
  macvlanDevice,
  macvlanNow,
  refuseMacvlan,
} from './macvlan.ts';
import { waitForAddress } from './network.ts';
import { MANY, preparedAlias } from './prepared.ts';
import { addressToken, labScript, passwordToken } from './script.ts';
import { tlsStandIn } from './script-credentials.ts';
import {
  deviceStep,
  deviceText,
  familyOfImage,
  type InstanceSettings,
  instanceSettings,
  type LxdSettings,
  MACVLAN,
  settingsNow,
  settingsOf,
} from './settings.ts';
import { makeSnapshot, restoreSnapshot } from './snapshots.ts';
import { failureIn, sweepArgv } from './sweep.ts';

const PROBES = 3;
const PROBE_DEADLINE_MS = 30_000;
const PUSH_DEADLINE_MS = 120_000;
const SERVICE_DEADLINE_MS = 60_000;
const RESTART_DEADLINE_MS = 90_000;
const DELETE_DEADLINE_MS = 90_000;
const DELETES = 3;

/** A lab of containers (or virtual machines) of LXD or Incus, through its client alone. */
export class LxdProvider implements LabProvider {
  readonly #topology: Topology;
  readonly #settings: LxdSettings;
  readonly #client: LxdClient;
  readonly #images: Images;
  /** Nodes that were not there when it was last looked. */
  #absent = new Set<NodeName>();
  /** The profile as it was then. */
  #profile: MacvlanProfile | undefined;
  #macvlan: Promise<void> | undefined;
  /** New nodes, by what they have in common. */
  readonly #alike = new Map<string, Alike>();
  /** What new nodes said of themselves when they were made, until somebody looks. */
  readonly #says = new Map<NodeName, string>();
  /** What goes on by itself: see `settle`. */
  readonly #underWay = new Set<Promise<void>>();
  /** Instances that are there for that alone, and for now. */
  readonly #drafts = new Set<string>();
  /** Nodes whose ports are being published. */
  readonly #publishing = new Set<NodeName>();
  readonly programs = () => machinePrograms;

  constructor(topology: Topology) {
    this.#topology = topology;
    this.#settings = settingsOf(topology);
    this.#client = new LxdClient(this.#settings);
    this.#images = new Images(this.#client);
  }

  async observe(lab: LabName): Promise<Observed> {
    const names = new Set(this.#topology.nodes.map(({ name }) => name));
    // What is under way now may be done when the daemon has answered, and its answer older than that.
    const publishing = new Set(this.#publishing);
    const drafts = new Set(this.#drafts);
    const [instances, profile] = await Promise.all([
      listInstances(this.#client),
      this.#settings.macvlan === false ? undefined : macvlanNow(this.#client),
    ]);
    this.#profile = profile;
    const seen = instances
      .filter((one) => (isOf(one, lab) || names.has(one.name)) && !drafts.has(one.name))
      .map((one) => (publishing.has(one.name) ? this.#withPorts(one) : one));
    this.#absent = new Set([...names].filter((name) => !instances.some((one) => one.name === name)));
    const nodes = await Promise.all(
      seen.map(async (one) => [one.name, await this.#observeNode(one, lab, profile?.nic)] as const),
    );
    return { nodes: new Map(nodes) };
  }

  async views(topology: Topology, observed: Observed): Promise<ReadonlyMap<NodeName, NodeView>> {
    if (this.#absent.size > 0) this.#images.look();
    const addresses = new Map(
      topology.nodes.flatMap(({ name }) => {
        const address = observed.nodes.get(name)?.address;
        return address === undefined ? [] : [[name, address] as const];
      }),
    );
    return new Map(
      topology.nodes.map((node, i) => [node.name, this.#view(node, observed, addresses, i === 0)]),
    );
  }

  async foresee(nodes: readonly NodeName[]): Promise<LabError[]> {
    const found = (error: unknown): LabError[] => {
      if (error instanceof LabError) return [error];
      throw error;
    };
    const none = (): LabError[] => [];
    const shared =
      nodes.length > 0 && this.#settings.macvlan !== false
        ? await refuseMacvlan(this.#client, this.#settings, this.#profile).then(none, found)
        : [];
    const errors = nodes.map(async (node) => {
      const { image, vm } = instanceSettings(this.#topology, this.#node(node));
      const own = this.#absent.has(node) ? await this.#images.ask(image, vm).then(none, found) : [];
      return [...own, ...shared].map((error) => new LabError(error.message, { ...error.fields, node }));
    });
    return (await Promise.all(errors)).flat();
  }

  async create(node: NodeSpec): Promise<void> {
    const { name } = node;
    const wanted = instanceSettings(this.#topology, node);
    const existing = await this.#existing(node);
    const [kind] = await Promise.all([
      existing ? undefined : this.#kindOf(node, wanted),
      this.#ensureMacvlan(),
    ]);
    const parent = this.#parent();
    if (existing && isRunning(existing)) {
      await waitForAddress(this.#client, name, { parent, again: true });
      return;
    }
    const start = {
      parent,
      family: familyOfImage(wanted.image),
      vm: wanted.vm,
    };
    if (!kind) {
      // Its services are still on their way up: what it says now is not how it is.
      await startInstance(this.#client, name, start);
      return;
    }
    const started = (): void => this.#publish(name, wanted.devices);
    const key = JSON.stringify(kind);
    const alike = this.#alike.get(key) ?? new Alike(this.#client, this.#settings, this.#goOn);
    this.#alike.set(key, alike);
    this.#says.set(name, await alike.make(node, kind, { ...start, started }));
  }

  async settle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  packagesOf(node: NodeName): ReadonlySet<string> | undefined {
    const says = this.#says.get(node);
    return says !== undefined && isWhole(says) ? readProbe(says).packages : undefined;
  }

  async push(node: NodeName, file: FileSpec): Promise<void> {
    await this.sweep(node, [file], []);
  }

  async sweep(
    node: NodeName,
    files: readonly FileSpec[],
    commands: readonly (readonly string[])[],
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<SweepResult> {
    for (const file of files)
      if (file.source !== undefined && !file.absent) await this.#pushLarge(node, file);
    const services = commands.map((argv) => argv.at(-1)).join(', ');
    const asked = services ? `starting ${services}` : 'writing files';
    const result = await this.#exec(node, [asked], sweepArgv(files, commands), {
      input: pushInput(files),
      timeoutMs: PUSH_DEADLINE_MS + commands.length * SERVICE_DEADLINE_MS,
      signal,
    });
    if (result.exitStatus === 0) {
      this.#says.set(node, result.stdout);
      return { done: commands.length };
    }
    const failed = failureIn(result);
    if (failed) return failed;
    const full = /no space left|quota/i.test(result.stderr);
    throw new LabError(full ? 'the disk is full' : 'a file could not be written', {
      code: full ? 'lxd.full' : 'node.push',
      node,
      command: [this.#client.command, 'exec', node, '--', 'sh'],
      exitStatus: result.exitStatus,
      stderr: result.stderr,
      hints: full ? FULL_HINTS.map((hint) => named(hint, this.#client.command)) : undefined,
    });
  }

  async configure(node: NodeName, setting: string): Promise<void> {
    const wanted = instanceSettings(this.#topology, this.#node(node));
    const at = this.#client.at(node);
    const [kind, name = ''] = setting.split(' ');
    if (kind === 'profile') await this.#ensureMacvlan();
    else if (kind === 'profiles') {
      await this.#client.call(['profile', 'assign', at, wanted.profiles.join(',')]);
      const [now] = await listInstances(this.#client, node);
      if (now && isRunning(now))
        await waitForAddress(this.#client, node, { parent: this.#parent(), again: true });
    } else if (kind === 'config')
      await this.#client.call(['config', 'set', at, `${name}=${wanted.config[name] ?? ''}`]);
    else {
      await this.#client.try(['config', 'device', 'remove', at, name]);
      const device = wanted.devices[name];
      if (device) await this.#client.call(deviceStep(at, name, device));
    }
  }

  exec(node: NodeName, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return this.#exec(node, argv, lingering(argv, options.onlyFailures ? 'failures' : 'all'), options);
  }

  /** Runs `argv` as it is; `asked` is what was asked for. */
  async #exec(
    node: NodeName,
    asked: readonly string[],
    argv: readonly string[],
    options: ExecOptions,
  ): Promise<ExecResult> {
    this.#says.delete(node); // it may change what it was
    const env = Object.entries(options.env ?? {}).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
    const args = ['exec', this.#client.at(node), '-T', ...env, '--', ...argv];
    const result = await this.#client.try(args, { ...options, what: `${node}: ${asked[0]}` });
    if (result.exitStatus === 1 && NOT_RUNNING.test(result.stderr)) throw stopped(node);
    if (result.exitStatus === 1 && NOT_THERE.test(result.stderr)) throw absent(node);
    if (result.exitStatus === 1 && CLIENT_FAILED.test(result.stderr))
      throw refusal(this.#client.argv(args), result);
    return result;
  }

  async attach(
    node: NodeName,
    argv: readonly string[],
    options: { signal?: AbortSignal } = {},
  ): Promise<number> {
    // The client would say so in its own words, straight to the terminal.
    const [instance] = await listInstances(this.#client, node);
    if (!instance) throw absent(node);
    if (!isRunning(instance)) throw stopped(node);
    // On a terminal there is another way for what it says, and a shell in between would spoil job control.
    const command = process.stdout.isTTY ? argv : lingering(argv);
    return attach(this.#client.argv(['exec', this.#client.at(node), '--', ...command]), options);
  }

  async destroy(node: NodeName): Promise<void> {
    const args = ['delete', '--force', this.#client.at(node)];
    // After a start that failed the daemon has been seen to refuse what it does a moment later.
    for (let attempt = 1; ; attempt++) {
      const [existing] = await listInstances(this.#client, node);
      if (!existing) return;
      if (!isOf(existing, this.#topology.name)) throw foreign(node);
      const what = { timeoutMs: DELETE_DEADLINE_MS, what: `deleting ${node}` };
      const result = await this.#client.try(args, what);
      if (result.exitStatus === 0 || /not found/i.test(result.stderr)) return;
      if (attempt === DELETES) throw refusal(this.#client.argv(args), result);
      await sleep(attempt * 1000);
    }
  }

  async restart(node: NodeName): Promise<void> {
    await this.#client.call(['restart', this.#client.at(node)], { timeoutMs: RESTART_DEADLINE_MS });
    await waitForAddress(this.#client, node, { parent: this.#parent() });
  }

  makeSnapshot(node: NodeName, name: string): Promise<void> {
    return makeSnapshot(this.#client, node, name);
  }

  async restoreSnapshot(node: NodeName, name: string): Promise<void> {
    await restoreSnapshot(this.#client, node, name);
    const [now] = await listInstances(this.#client, node);
    if (now && isRunning(now)) await waitForAddress(this.#client, node, { parent: this.#parent() });
  }

  async snapshots(node: NodeName): Promise<string[]> {
    const [now] = await listInstances(this.#client, node);
    const made = [...(now?.snapshots ?? [])].sort((a, b) => a.created_at.localeCompare(b.created_at));
    return made.map(({ name }) => name);
  }

  async script(topology: Topology): Promise<string> {
    const { stats } = topology.balancer;
    const hidden =
      stats?.user === undefined
        ? topology
        : {
            ...topology,
            balancer: {
              ...topology.balancer,
              stats: { ...stats, password: passwordToken(stats.password ?? '-') },
            },
          };
    const addresses = new Map(topology.nodes.map(({ name }) => [name, addressToken(name)]));
    const nothing: Observed = { nodes: new Map() };
    const credentials = { tls: tlsStandIn(topology) };
    const views = new Map(
      topology.nodes.map((node) => [
        node.name,
        { ...this.#view(node, nothing, addresses, false), credentials },
      ]),
    );
    return labScript({
      topology,
      settings: this.#settings,
      command: this.#client.command,
      wish: desire(hidden, views, machinePrograms, renderNode),
      nic: this.#settings.macvlan === false ? undefined : macvlanDevice(this.#settings),
    });
  }

  async tidy({ purge }: { readonly purge?: boolean }): Promise<readonly string[]> {
    if (this.#settings.macvlan !== false) await dropMacvlan(this.#client, this.#topology.name);
    const kept = await keptImages(this.#client);
    if (!purge) return kept;
    for (const alias of kept)
      await this.#client.call(['image', 'delete', this.#client.at(alias)], { what: `deleting ${alias}` });
    return [];
  }

  async #observeNode(
    instance: Instance,
    lab: LabName,
    macvlanNic: string | undefined,
  ): Promise<ObservedNode> {
    const outside = {
      address: addressOf(instance),
      settings: settingsNow(instance, macvlanNic),
    };
    if (!isOf(instance, lab)) return { ...NOTHING, state: 'foreign' };
    if (!isRunning(instance)) return { ...NOTHING, ...outside, state: 'stopped' };
    const says = this.#says.get(instance.name);
    this.#says.delete(instance.name);
    const whole = says !== undefined && isWhole(says) ? says : await this.#probe(instance.name);
    return { ...readProbe(whole), ...outside, state: 'running' };
  }

  /** One whose ports are being published has them. */
  #withPorts(instance: Instance): Instance {
    const { devices } = instanceSettings(this.#topology, this.#node(instance.name));
    return { ...instance, devices: { ...devices, ...instance.devices } };
  }

  /** The daemon waits a second for each, in which the node can boot and be worked on. */
  #publish(node: NodeName, devices: InstanceSettings['devices']): void {
    const publish = async (): Promise<void> => {
      this.#publishing.add(node);
      for (const [name, device] of Object.entries(devices))
        await this.#client.call(deviceStep(this.#client.at(node), name, device));
    };
    this.#goOn(publish().finally(() => this.#publishing.delete(node)));
  }

  /** Work that nothing waits for; what fails is seen by the next look, done again, and told then. */
  readonly #goOn: GoOn = (work, instance) => {
    if (instance) this.#drafts.add(instance);
    const done = work
      .catch(() => {})
      .then(() => {
        this.#underWay.delete(done);
        if (instance) this.#drafts.delete(instance);
      });
    this.#underWay.add(done);
  };

  async #probe(node: NodeName): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const { stdout, stderr } = await this.#exec(node, ['sh'], ['sh', '-c', PROBE], {
        timeoutMs: PROBE_DEADLINE_MS,
      });
      if (isWhole(stdout)) return stdout;
      if (attempt === PROBES)
        throw new LabError('it could not be looked at', { code: 'node.probe', node, stderr });
    }
  }

  #view(
    node: TopologyNode,
    observed: Observed,
    addresses: ReadonlyMap<NodeName, string>,
    first: boolean,
  ): NodeView {
    const seen = observed.nodes.get(node.name);
    const wanted = instanceSettings(this.#topology, node);
    const guess = familyOfImage(wanted.image);
    const family = seen?.family ?? guess ?? 'rhel';
    const provisional = (seen?.family ?? guess) === undefined ? 'system' : 'address';
    const onLan = this.#settings.macvlan !== false;
    const settings = new Map([
      ['profiles', wanted.profiles.join(',')],
      ...Object.entries(wanted.config).map(([name, value]) => [`config ${name}`, value] as const),
      ...Object.entries(wanted.devices).map(
        ([name, device]) => [`device ${name}`, deviceText(device)] as const,
      ),
      // All nodes share it: the first one's step is enough.
      ...(first && onLan ? [[`profile ${MACVLAN}`, deviceText(macvlanDevice(this.#settings))] as const] : []),
    ]);
    return {
      kind: 'machine',
      family,
      addresses,
      root: '',
      provisional: seen?.address !== undefined && seen.state === 'running' ? undefined : provisional,
      settings,
      image: wanted.image,
      resolver: seen?.resolver,
      // In a virtual machine it is an ordinary interface, which the system brings up.
      dhclient: onLan && family === 'rhel' && !wanted.vm,
    };
  }

  /** What there is of that name. @throws LabError `node.foreign`. */
  async #existing({ name, lab }: NodeSpec): Promise<Instance | undefined> {
    // Known from the last look; the daemon refuses a name that was taken since.
    if (this.#absent.delete(name)) return undefined;
    const [existing] = await listInstances(this.#client, name);
    if (existing && !isOf(existing, lab)) throw foreign(name);
    return existing;
  }

  /** What it is made from, and what it needs that others need too. */
  async #kindOf(node: TopologyNode, wanted: InstanceSettings): Promise<Kind> {
    const image = await this.#images.resolve(wanted.image, wanted.vm);
    const family = familyOfImage(wanted.image);
    const packages = this.#packagesOf(node, family);
    if (!this.#settings.prepare || !family || wanted.vm || packages.length === 0) return { image, wanted };
    const preparation = { lab: this.#topology.name, family, packages };
    const alias = preparedAlias(image, preparation);
    const prepared = await this.#images.find(alias);
    if (prepared) return { image: prepared, wanted };
    const likeness = (one: TopologyNode): string =>
      JSON.stringify([instanceSettings(this.#topology, one), this.#packagesOf(one, family)]);
    const alike = this.#topology.nodes.filter((one) => likeness(one) === likeness(node)).length;
    return { image, wanted, preparation, keepAs: alike < MANY ? undefined : alias };
  }

  #packagesOf(node: TopologyNode, family: string | undefined): readonly string[] {
    return family ? packagesOf(this.#topology, node, family) : [];
  }

  /** Puts a large file beside its place. */
  async #pushLarge(node: NodeName, { path, source }: FileSpec): Promise<void> {
    const to = `${this.#client.at(node)}${besidePath(path)}`;
    await this.#client.call(['file', 'push', '--create-dirs', '--quiet', source!, to], {
      timeoutMs: PUSH_DEADLINE_MS,
      what: `${node}: pushing ${path}`,
    });
  }

  async #ensureMacvlan(): Promise<void> {
    if (this.#settings.macvlan === false) return;
    this.#macvlan ??= ensureMacvlan(this.#client, this.#settings, this.#topology.name, this.#profile);
    await this.#macvlan;
  }

  /** Interface that macvlan nodes are on; undefined on a bridge. */
  #parent(): string | undefined {
    return this.#settings.macvlan === false ? undefined : macvlanDevice(this.#settings).parent;
  }

  #node(name: NodeName): TopologyNode {
    const node = this.#topology.nodes.find((one) => one.name === name);
    if (node) return node;
    throw absent(name);
  }
}

/** What the client says when there is no such instance, or it does not run. */
const NOT_THERE = /^Error: (?:Instance not found|Failed to fetch|not found)/im;
const NOT_RUNNING = /^Error: Instance is not running/im;
/** The client's own failures, told from those of the command, which do not begin so. */
const CLIENT_FAILED = /^Error: (?!Command not found)/m;

const NOTHING: Omit<ObservedNode, 'state'> = {
  packages: new Set(),
  services: new Map(),
  files: new Map(),
  pushed: new Map(),
};

function foreign(node: NodeName): LabError {
  return new LabError(
    'an instance of that name is there already, and lablb did not make it; it is left alone',
    {
      code: 'node.foreign',
      node,
      hints: ['another name for the node in the topology', `lxc config show ${node}`],
    },
  );
}

function absent(node: NodeName): LabError {
  return new LabError('the node is not there', { code: 'node.absent', node, hints: ['lablb up'] });
}

function stopped(node: NodeName): LabError {
  return new LabError('the node is not running', { code: 'node.stopped', node, hints: ['lablb up'] });
}
