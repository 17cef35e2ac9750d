import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reservePort } from './ports.ts';

export interface Sshd {
  readonly port: number;
  readonly user: string;
  /** Its files, and room for those of the test. */
  readonly folder: string;
  /** A key that it lets in. */
  readonly key: string;
  readonly pid: number;
  /** known_hosts that names its key. */
  readonly knownHosts: string;
  /** A line of known_hosts for a key that another run of it would have. */
  readonly strangerLine: string;
  /** Processes that serve connections now. */
  readonly sessions: () => number[];
  /** Ends the processes of the connections, and lets it go on. */
  readonly stop: () => Promise<void>;
}

/** The real sshd of OpenSSH, on a port of its own and with nothing but files of its own. */
export async function startSshd(
  options: { wrap?: (folder: string, argv: string[]) => string[] } = {},
): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), 'lablb-sshd-'));
  const user = userInfo().username;
  const port = await reservePort();
  for (const name of ['host', 'other', 'id'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)]);
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(join(folder, 'id.pub')));
  const line = (key: string): string => {
    const [type, blob] = readFileSync(join(folder, `${key}.pub`), 'utf8').split(' ');
    return `[127.0.0.1]:${port} ${type} ${blob}\n`;
  };
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, line('host'));
  writeFileSync(
    join(folder, 'sshd_config'),
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${join(folder, 'host')}
AuthorizedKeysFile ${join(folder, 'authorized_keys')}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel ERROR
# Else bash would read the tester's own .bashrc, which may be slow, talk, or wait.
SetEnv SHLVL=1
`,
  );
  // Where sshd as root locks its unprivileged half up; a boot makes it elsewhere.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const argv = ['/usr/sbin/sshd', '-D', '-e', '-f', join(folder, 'sshd_config')];
  const [file, ...args] = options.wrap?.(folder, argv) ?? argv;
  const child = spawn(file!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  await listening(port, child, () => said);
  const sessions = (): number[] => descendants(child.pid!);
  return {
    port,
    user,
    folder,
    key: join(folder, 'id'),
    pid: child.pid!,
    knownHosts,
    strangerLine: line('other'),
    sessions,
    stop: async () => {
      for (const pid of [...sessions(), child.pid!]) signal(pid, 'SIGKILL');
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.once('exit', resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // gone already
  }
}

async function listening(port: number, child: ChildProcess, said: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`sshd ended: ${said()}`);
    if (await answers(port)) return;
    await sleep(50);
  }
  throw new Error(`sshd does not listen: ${said()}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function descendants(pid: number): number[] {
  let children: number[] = [];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    // gone already
  }
  return children.flatMap((child) => [child, ...descendants(child)]);
}
