import { EXIT, LabError } from '../../errors.ts';
import { notStarted } from '../../shell/not-started.ts';
import { type RunResult, run } from '../../shell/run.ts';
import { findProgram } from '../local/programs.ts';
import type { LxdSettings } from './settings.ts';

export interface CallOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** What is waited for, for the message when it takes too long. */
  readonly what?: string;
}

/**
 * The client of LXD or Incus: the one way that this provider talks to the daemon. An argv each time, standard input
 * closed (the client would read it), a deadline, and the daemon's refusals as errors that say what to do.
 */
export class LxdClient {
  readonly command: string;
  readonly #settings: LxdSettings;

  /** @throws LabError `lxd.missing` when neither client is installed. */
  constructor(settings: LxdSettings) {
    this.#settings = settings;
    this.command = clientFor(settings.command);
  }

  /** `web1`, or `remote:web1`. */
  at(name: string): string {
    return this.#settings.remote ? `${this.#settings.remote}:${name}` : name;
  }

  /** `remote:` as an argument of its own, where one is set. */
  get remote(): string[] {
    return this.#settings.remote ? [`${this.#settings.remote}:`] : [];
  }

  /** A request of the daemon's API: for what its client has no single command for. */
  query(method: string, path: string, body: unknown): Promise<string> {
    const { project } = this.#settings;
    const url = this.at(`${path}${project ? `?project=${encodeURIComponent(project)}` : ''}`);
    return this.call(['query', '--request', method, '--data', JSON.stringify(body), url]);
  }

  /** The whole argv: project and all (`query` takes none: there it is part of the path). */
  argv(args: readonly string[]): string[] {
    const { project } = this.#settings;
    return [this.command, ...(project && args[0] !== 'query' ? ['--project', project] : []), ...args];
  }

  /** Runs the client and hands back what became of it. @throws LabError `lxd.timeout`, `lxd.missing`. */
  async try(args: readonly string[], options: CallOptions = {}): Promise<RunResult> {
    const timeoutMs = options.timeoutMs ?? DEADLINE_MS;
    try {
      const result = await run(this.argv(args), { ...options, timeoutMs });
      // 127 alone may be the answer of a program on the node.
      if (result.stderr === notStarted(this.command, 'ENOENT')?.message) throw missing([this.command]);
      return result;
    } catch (error) {
      if (!(error instanceof LabError) || error.fields.code !== 'command.timeout') throw error;
      throw new LabError(
        `${options.what ?? `${this.command} ${args[0]}`}: no answer within ${timeoutMs / 1000} s`,
        {
          ...error.fields,
          code: 'lxd.timeout',
          hints: [`${this.command} info   (does the daemon answer?)`, `${this.command} operation list`],
        },
      );
    }
  }

  /** The same, and what it printed. @throws LabError `lxd.…` when it was refused. */
  async call(args: readonly string[], options: CallOptions = {}): Promise<string> {
    const result = await this.try(args, options);
    if (result.exitStatus === 0) return result.stdout;
    throw refusal(this.argv(args), result);
  }
}

const DEADLINE_MS = 30_000;

export const FULL_HINTS = [
  '{lxc} storage list; {lxc} storage info default; df -h',
  'a larger pool or root disk, or `lablb down` of a lab that is not needed',
];

export const PARENT_HINTS = ["ip link   (then 'macvlan: NAME' under 'lxd:')"];

/** What is called differently with LXD and with Incus. */
const NAMES = {
  lxc: { lxc: 'lxc', daemon: 'lxd', init: 'lxd init', group: 'lxd' },
  incus: { lxc: 'incus', daemon: 'incus', init: 'incus admin init', group: 'incus-admin' },
} as const;

interface Refusal {
  readonly says: RegExp;
  readonly code: string;
  readonly message: string;
  /** `{lxc}`, `{daemon}`, `{init}`, `{group}`: as the one that is used here calls it. */
  readonly hints: readonly string[];
  readonly exit?: number;
}

/** What the daemon and its client say, and what to do about it. First match wins. */
const REFUSALS: readonly Refusal[] = [
  {
    says: /needed permissions to talk|permission denied.*unix\.socket|unix\.socket.*permission denied|not authorized/is,
    code: 'lxd.permission',
    message: 'you may not talk to the daemon',
    hints: ['sudo usermod -aG {group} "$USER"   (then log in again)', 'sudo lablb …'],
    exit: EXIT.missing,
  },
  {
    says: /unix\.socket|connection refused|is (?:LXD|Incus|the daemon) (?:installed|running)|cannot connect/i,
    code: 'lxd.daemon',
    message: 'the daemon does not answer',
    hints: ['sudo systemctl start {daemon}   (of a snap: sudo snap start {daemon})', 'lablb doctor lxd'],
    exit: EXIT.missing,
  },
  {
    says: /project not found|fetch project/i,
    code: 'lxd.project',
    message: 'there is no such project',
    hints: ['{lxc} project list', "project: NAME under 'lxd:'", '{lxc} project create NAME'],
    exit: EXIT.refused,
  },
  {
    says: /target only allowed when clustered|(?:cluster member|target|member).*(?:not found|doesn't exist|no such)|(?:not found|no such).*cluster member/i,
    code: 'lxd.target',
    message: 'there is no such member of the cluster',
    hints: ['{lxc} cluster list', "target: MEMBER under 'lxd:'; none where there is no cluster"],
    exit: EXIT.refused,
  },
  {
    says: /no root device|no storage pool|storage pool.*not found|failed loading storage pool/i,
    code: 'lxd.storage',
    message: 'there is no storage for it',
    hints: [
      '{lxc} storage list',
      "storage: POOL under 'lxd:'   (the default profile of a new project names none)",
      '{init} --auto   (where nothing is set up yet: makes a pool and the default profile)',
    ],
  },
  {
    says: /image.*(?:couldn't be found|not found)|(?:alias|fingerprint).*(?:doesn't exist|not found)|The requested image/i,
    code: 'lxd.image',
    message: 'the image is not to be had',
    hints: ['{lxc} image list; {lxc} image list images:', "image: NAME under 'lxd:' or at the node"],
  },
  {
    says: /remote .*doesn't exist|doesn't exist.*remote/i,
    code: 'lxd.remote',
    message: 'there is no such remote',
    hints: ['{lxc} remote list', '{lxc} remote add NAME ADDRESS'],
    exit: EXIT.refused,
  },
  {
    says: /no space left|quota exceeded|disk quota/i,
    code: 'lxd.full',
    message: 'the disk is full',
    hints: FULL_HINTS,
  },
  {
    says: /parent device.*doesn't exist|device.*doesn't exist/i,
    code: 'lxd.parent',
    message: 'the interface for macvlan is not there',
    hints: PARENT_HINTS,
  },
  {
    says: /address already in use|failed to listen/i,
    code: 'lxd.port',
    message: 'the port to publish is taken on the host',
    hints: ['ss -ltnp   (who has it?)', "another port in 'publish:'"],
  },
  {
    says: /already exists|already in use/i,
    code: 'lxd.taken',
    message: 'the name is taken',
    hints: ['another name for the node in the topology', '{lxc} list'],
  },
  {
    says: /vhost_vsock|KVM support is missing|virtual machines? .*not supported|instance type.*not operational/i,
    code: 'lxd.vm',
    message: 'this host cannot run virtual machines',
    hints: ['vm: false'],
  },
];

/** A refusal of the daemon as an error with a way out. */
export function refusal(argv: readonly string[], { exitStatus, stdout, stderr }: RunResult): LabError {
  const said = (stderr || stdout).trim();
  const known = REFUSALS.find(({ says }) => says.test(said));
  return new LabError(known?.message ?? `${argv[0]} refused`, {
    code: known?.code ?? 'lxd.refused',
    command: argv,
    exitStatus,
    stderr: said,
    hints: known?.hints.map((hint) => named(hint, argv[0])),
    exit: known?.exit,
  });
}

/** A hint in the words of the client that is used. */
export function named(hint: string, client: string | undefined): string {
  const names = NAMES[client === 'incus' ? 'incus' : 'lxc'];
  return hint.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name as keyof typeof names]);
}

export const INSTALL =
  'snap install lxd; lxd init --auto   (or: apt-get install incus; incus admin init --auto)';

function clientFor(wanted: LxdSettings['command']): string {
  const candidates = wanted === 'auto' ? ['lxc', 'incus'] : [wanted];
  const found = candidates.find((name) => findProgram(name));
  if (found) return found;
  throw missing(candidates);
}

function missing(clients: readonly string[]): LabError {
  const what = clients.length === 1 ? `${clients[0]} is not` : `neither ${clients.join(' nor ')} is`;
  return new LabError(`${what} installed`, {
    code: 'lxd.missing',
    exit: EXIT.missing,
    hints: [INSTALL, 'lablb up --provider local'],
  });
}
