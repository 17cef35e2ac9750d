import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve as resolvePath } from 'node:path';
import { EXIT, LabError } from '../../errors.ts';
import { askSecret } from '../../shell/ask-secret.ts';
import type { HostKeyPolicy } from '../../shell/host-keys.ts';
import type { SshTarget } from '../../shell/ssh.ts';
import { expandHome } from '../../shell/ssh-auth.ts';
import { labFolder } from '../../state/paths.ts';
import type { Topology, TopologyNode } from '../../topology/topology.ts';

/** `ssh:` of a topology, as its schema hands it on. */
interface SshSettings extends SshExtra {
  readonly user: string;
  readonly port: number;
  readonly knownHosts: 'strict' | 'accept-new';
  readonly knownHostsFile?: string;
}

/** `ssh:` of a node: what differs. */
interface SshExtra {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly key?: string;
  readonly jump?: string;
  readonly sudo?: boolean;
  readonly passwordEnv?: string;
}

/** How to reach a node, and the machine on the way there. */
export interface Route {
  readonly target: SshTarget;
  readonly jump?: SshTarget;
}

/** @throws LabError `ssh.no-address`. */
export function routeTo(topology: Topology, node: TopologyNode): Route {
  const all = topology.ssh as unknown as SshSettings;
  const own = (node.extra.ssh ?? {}) as SshExtra;
  const host = own.host ?? node.address;
  if (host === undefined)
    throw new LabError("has no address; provider 'ssh' makes no machines", {
      code: 'ssh.no-address',
      node: node.name,
      exit: EXIT.refused,
      hints: [`nodes: { ${node.name}: { address: A.B.C.D } }`],
    });
  const user = own.user ?? all.user;
  const key = own.key ?? all.key;
  const passwordEnv = own.passwordEnv ?? all.passwordEnv;
  const hostKeys = hostKeysOf(topology, all);
  const target: SshTarget = {
    host,
    port: own.port ?? all.port,
    user,
    key: key === undefined ? undefined : beside(key, topology),
    sudo: own.sudo ?? all.sudo ?? user !== 'root',
    password: passwordEnv === undefined ? undefined : () => passwordFrom(passwordEnv, `${user}@${host}`),
    hostKeys,
  };
  const jump = own.jump ?? all.jump;
  return { target, jump: jump === undefined ? undefined : jumpTarget(jump, target, hostKeys) };
}

/** @throws LabError `ssh.key` when a key that the topology names is not there, before anything is done without it. */
export function refuseMissingKeys(topology: Topology): void {
  for (const node of topology.nodes) {
    const { key } = routeTo(topology, node).target;
    if (key === undefined || existsSync(expandHome(key))) continue;
    throw new LabError(`there is no key ${key}; nothing was touched`, {
      code: 'ssh.key',
      node: node.name,
      exit: EXIT.refused,
      hints: [
        `ssh-keygen -t ed25519 -f ${key}`,
        "without 'key' the agent's keys and the usual files are tried",
      ],
    });
  }
}

/** `[user@]host[:port]`: the same user and key unless said. */
function jumpTarget(text: string, { user, key }: SshTarget, hostKeys: HostKeyPolicy): SshTarget {
  const [, ownUser, host, port] = /^(?:([^@]+)@)?([^:]+)(?::(\d+))?$/.exec(text)!;
  return { host: host!, port: Number(port ?? 22), user: ownUser ?? user, key, sudo: false, hostKeys };
}

/** Files of the user's are told from the topology's folder, wherever lablb runs; `~/` is the home. */
function beside(path: string, { file }: Topology): string {
  return resolvePath(file === undefined ? '.' : dirname(file), expandHome(path));
}

function hostKeysOf(topology: Topology, { knownHosts, knownHostsFile }: SshSettings): HostKeyPolicy {
  const files =
    knownHostsFile === undefined
      ? [join(process.env.HOME || homedir(), '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts']
      : [
          knownHostsFile === 'lab'
            ? join(labFolder(topology.name), 'known_hosts')
            : beside(knownHostsFile, topology),
        ];
  return { files, unknown: knownHosts };
}

/** Asked for once a machine and run; never kept. */
async function passwordFrom(name: string, who: string): Promise<string> {
  const value = process.env[name];
  if (value) return value;
  if (process.stdin.isTTY && process.stderr.isTTY) return askSecret(`Password of ${who}: `);
  // What does not look like the name of a variable may be the password itself.
  const shown = /^[A-Z_][A-Z0-9_]*$/.test(name) ? name : undefined;
  throw new LabError(
    `the environment has no ${shown ?? "variable of the name in 'passwordEnv'"}, and there is no terminal to ask for the password`,
    { code: 'ssh.password', exit: EXIT.missing, hints: [`export ${shown ?? 'NAME'}=…`] },
  );
}
