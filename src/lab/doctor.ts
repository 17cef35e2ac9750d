import { accessSync, constants, existsSync } from 'node:fs';
import type { Finding, Need } from '../providers/finding.ts';
import { bindProbe } from '../providers/local/placement.ts';
import { findProgram } from '../providers/local/programs.ts';
import { examineLxd } from '../providers/lxd/doctor.ts';
import { enginePath } from '../shell/engine.ts';
import { run } from '../shell/run.ts';
import { makeFolder } from '../state/folder.ts';
import { stateHome } from '../state/paths.ts';

/** One thing that a provider needs or can use. */
interface Check {
  readonly provider: string;
  readonly name: string;
  readonly need: Need;
  /** What is here, for people; undefined when it is missing. */
  readonly look: () => Promise<string | undefined>;
  /** How to get it. */
  readonly get: string;
}

const EVERYWHERE = 'everywhere';

const CHECKS: readonly Check[] = [
  { provider: EVERYWHERE, name: 'engine', need: 'needed', look: engine, get: 'npm run build' },
  {
    provider: EVERYWHERE,
    name: 'state folder',
    need: 'needed',
    look: stateFolder,
    get: 'a folder that you may write to: XDG_STATE_HOME=…',
  },
  {
    provider: EVERYWHERE,
    name: 'curl',
    need: 'useful',
    look: () => version(['curl', '--version']),
    get: 'apt-get install curl · dnf install curl · brew install curl',
  },
  {
    provider: 'local',
    name: 'own addresses',
    need: 'useful',
    look: ownAddresses,
    get: 'Linux has them; elsewhere nodes share 127.0.0.1 and differ by port',
  },
  {
    provider: 'local',
    name: 'ports below 1024',
    need: 'useful',
    look: lowPorts,
    get: 'root, or sysctl net.ipv4.ip_unprivileged_port_start=80; without: 80 becomes 8080',
  },
  {
    provider: 'local',
    name: 'haproxy',
    need: 'useful',
    look: () => version(['haproxy', '-v']),
    get: 'apt-get install haproxy, for `engine: haproxy`',
  },
  {
    provider: 'ssh',
    name: 'ssh',
    need: 'needed',
    look: () => version(['ssh', '-V']),
    get: 'apt-get install openssh-client',
  },
  { provider: 'ssh', name: 'a key', need: 'useful', look: sshKey, get: 'ssh-keygen -t ed25519, or an agent' },
];

/** Providers whose needs hang together, and are looked at one after the other. */
const EXAMINED: Readonly<Record<string, () => Promise<Finding[]>>> = { lxd: examineLxd };

/** Names of what can be looked at: the providers. */
export const DOCTOR_PROVIDERS = ['local', 'lxd', 'ssh'] as const;

/** What is here and what is missing, for one provider or all of them, with what all of them need. */
export async function examine(provider?: string): Promise<Finding[]> {
  const groups = [EVERYWHERE, ...DOCTOR_PROVIDERS.filter((name) => !provider || name === provider)];
  return (await Promise.all(groups.map(examineGroup))).flat();
}

async function examineGroup(group: string): Promise<Finding[]> {
  const checks = CHECKS.filter((check) => check.provider === group);
  const findings = checks.map(async ({ look, ...check }) => ({ ...check, found: await look() }));
  return [...(await Promise.all(findings)), ...((await EXAMINED[group]?.()) ?? [])];
}

async function engine(): Promise<string | undefined> {
  try {
    const path = enginePath();
    return (await version([path, '-v'])) ?? path;
  } catch {
    return undefined;
  }
}

async function stateFolder(): Promise<string | undefined> {
  try {
    makeFolder(stateHome());
    accessSync(stateHome(), constants.W_OK);
    return stateHome();
  } catch {
    return undefined;
  }
}

async function ownAddresses(): Promise<string | undefined> {
  return (await bindProbe('127.64.0.1', 0)) === 'free' ? '127.0.0.0/8' : undefined;
}

async function lowPorts(): Promise<string | undefined> {
  const state = await bindProbe('127.64.0.1', 80);
  return state === 'forbidden' || state === 'no-address' ? undefined : 'permitted';
}

async function sshKey(): Promise<string | undefined> {
  if (process.env.SSH_AUTH_SOCK && existsSync(process.env.SSH_AUTH_SOCK)) return 'an agent';
  const names = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `${process.env.HOME}/.ssh/${name}`);
  return names.find((path) => existsSync(path));
}

/** The first line that a program says about itself. */
async function version(argv: readonly string[]): Promise<string | undefined> {
  const path = argv[0]!.startsWith('/') ? argv[0] : findProgram(argv[0]!);
  if (!path) return undefined;
  const { exitStatus, stdout, stderr } = await run([path, ...argv.slice(1)], { timeoutMs: 5000 }).catch(
    () => FAILED,
  );
  const [line = ''] = (stdout || stderr).split('\n');
  return exitStatus === 0 ? line.replace(/ [(-] ?.*$/, '').trim() : undefined;
}

const FAILED = { exitStatus: 1, stdout: '', stderr: '' };
