import { LabError } from '../../errors.ts';
import { DEFINITIONS, definitionPath, type ServiceDefinition } from '../../os/definition.ts';
import { revisionOf, sha256 } from '../../plan/hash.ts';
import type { NodeView } from '../../render/view.ts';
import type { Topology } from '../../topology/topology.ts';
import type {
  ExecResult,
  FileSpec,
  LabProvider,
  NodeName,
  NodeSpec,
  Observed,
  ObservedNode,
  Programs,
} from '../provider.ts';

interface MemoryNode {
  readonly files: Map<string, string>;
  readonly pushed: Map<string, string>;
  /** Running services and what they run with. */
  readonly running: Map<string, string>;
}

/** A lab that is only remembered: the double for tests of what is above providers. */
export class MemoryProvider implements LabProvider {
  readonly nodes = new Map<NodeName, MemoryNode>();
  /** Nodes that do not answer. */
  readonly silent = new Set<NodeName>();
  /** Every change that was asked for, in order: `push web1 /etc/hosts`. */
  readonly calls: string[] = [];
  /** Called before each change; throws to make it fail. */
  fault: (call: string) => void = () => undefined;

  async observe(): Promise<Observed> {
    const seen = [...this.nodes].map(([name, node]) => [name, observeNode(node)] as const);
    return { nodes: new Map([...seen, ...[...this.silent].map((name) => [name, UNREACHABLE] as const)]) };
  }

  async views(topology: Topology, _observed: Observed): Promise<ReadonlyMap<NodeName, NodeView>> {
    const addresses = new Map(topology.nodes.map(({ name }, i) => [name, `192.0.2.${i + 1}`]));
    const view: NodeView = { kind: 'embedded', family: 'embedded', addresses, root: '' };
    return new Map(topology.nodes.map(({ name }) => [name, { ...view, bind: addresses.get(name) }]));
  }

  programs(): Programs {
    return {
      engine: (name) => ({ argv: [`/usr/sbin/${name}`], build: '1' }),
      webServer: () => ({ argv: ['/usr/sbin/web'], build: '1' }),
      dnsServer: () => ({ argv: ['/usr/sbin/dns'], build: '1' }),
    };
  }

  async create({ name }: NodeSpec): Promise<void> {
    this.#note(`create ${name}`);
    if (this.silent.has(name))
      throw new LabError(UNREACHABLE.problem!, { code: 'memory.silent', node: name });
    if (!this.nodes.has(name))
      this.nodes.set(name, { files: new Map(), pushed: new Map(), running: new Map() });
  }

  async push(name: NodeName, file: FileSpec): Promise<void> {
    this.#note(`${file.absent ? 'remove' : 'push'} ${name} ${file.path}`);
    const { files, pushed } = this.#node(name);
    if (file.absent) {
      files.delete(file.path);
      pushed.delete(file.path);
      return;
    }
    const text = typeof file.content === 'string' ? file.content : new TextDecoder().decode(file.content);
    files.set(file.path, text);
    pushed.set(file.path, sha256(text));
  }

  async exec(name: NodeName, argv: readonly string[]): Promise<ExecResult> {
    this.#note(`exec ${name} ${argv.join(' ')}`);
    const node = this.#node(name);
    const [command, service = '', action] = argv;
    if (command === 'true') return { exitStatus: 0, stdout: '', stderr: '' };
    if (command !== 'service') return { exitStatus: 127, stdout: '', stderr: `${command}: not found\n` };
    const definition = node.files.get(definitionPath(service));
    if (!definition)
      return { exitStatus: 2, stdout: '', stderr: `service: there is no '${service}' on this node\n` };
    if (action === 'status') return { exitStatus: node.running.has(service) ? 0 : 3, stdout: '', stderr: '' };
    if (action === 'stop') node.running.delete(service);
    else node.running.set(service, revision(node, service, JSON.parse(definition)));
    return { exitStatus: 0, stdout: '', stderr: '' };
  }

  async attach(name: NodeName, argv: readonly string[]): Promise<number> {
    return (await this.exec(name, argv)).exitStatus;
  }

  async destroy(name: NodeName): Promise<void> {
    this.#note(`destroy ${name}`);
    this.nodes.delete(name);
  }

  #note(call: string): void {
    this.fault(call);
    this.calls.push(call);
  }

  #node(name: NodeName): MemoryNode {
    const node = this.nodes.get(name);
    if (node) return node;
    throw new LabError('the node is not there', { code: 'node.absent', node: name });
  }
}

const UNREACHABLE: ObservedNode = {
  state: 'unreachable',
  problem: 'no answer',
  packages: new Set(),
  services: new Map(),
  files: new Map(),
  pushed: new Map(),
};

function observeNode(node: MemoryNode): ObservedNode {
  const defined = [...node.files.keys()].filter((path) => path.startsWith(`${DEFINITIONS}/`));
  const services = defined.map((path) => path.slice(DEFINITIONS.length + 1, -'.json'.length));
  return {
    state: 'running',
    family: 'embedded',
    packages: new Set(),
    services: new Map(
      services.map((name) => [
        name,
        { running: node.running.has(name), enabled: true, revision: node.running.get(name) },
      ]),
    ),
    files: new Map([...node.files].map(([path, content]) => [path, sha256(content)])),
    pushed: new Map(node.pushed),
  };
}

function revision({ files }: MemoryNode, service: string, definition: ServiceDefinition): string {
  const watched = [definitionPath(service), ...definition.watch];
  return revisionOf(watched, (path) => (files.has(path) ? sha256(files.get(path)!) : undefined));
}
