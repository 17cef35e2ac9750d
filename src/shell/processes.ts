import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A process that cannot be confused with another: its pid, when it started (clock ticks since the boot on Linux,
 * `lstart` of ps elsewhere), and which boot that was. A pid alone may belong to a stranger by now.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
}

/** Who has this pid now; undefined when nobody does (a zombie is nobody). */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = startedAt(pid);
  return started === undefined ? undefined : { pid, started, boot: bootId() };
}

export function isAlive(process: ProcessIdentity): boolean {
  return process.boot === bootId() && startedAt(process.pid) === process.started;
}

/** Sends a signal, unless the process is gone or its pid is a stranger's by now. Tells whether it was sent. */
export function signal(target: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    return process.kill(target.pid, name);
  } catch {
    return false; // gone between the look and the signal
  }
}

/** SIGTERM, a bounded wait, SIGKILL. Returns when it is gone; false when even SIGKILL did not help in time. */
export async function terminate(target: ProcessIdentity, graceMs = 3000): Promise<boolean> {
  signal(target, 'SIGTERM');
  signal(target, 'SIGCONT'); // one that stands still would not hear of it
  if (await gone(target, graceMs)) return true;
  signal(target, 'SIGKILL');
  return gone(target, 2000);
}

/** Waits until the process is gone, at most `ms`. */
export async function gone(target: ProcessIdentity, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  for (let pause = 5; isAlive(target); pause = Math.min(pause * 2, 100)) {
    if (Date.now() >= deadline) return false;
    await sleep(pause);
  }
  return true;
}

/**
 * Processes of this user that were started with `assignment` ("NAME=value") in their environment: how a process
 * is found whose pid was never written down, because lablb was killed between starting it and writing.
 */
export function findByEnvironment(assignment: string): ProcessIdentity[] {
  const pids = onLinux ? pidsByProcEnviron(assignment) : pidsByPs(assignment);
  return pids.map(identify).filter((found) => found !== undefined);
}

/** Whether the process has a listening TCP socket; undefined where the system does not tell. */
export function isListening(pid: number): boolean | undefined {
  if (!onLinux) return undefined;
  const sockets = new Set<string>();
  for (const fd of listed(`/proc/${pid}/fd`)) {
    const target = attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
    if (target?.startsWith('socket:[')) sockets.add(target.slice(8, -1));
  }
  return ['tcp', 'tcp6'].some((table) =>
    (readText(`/proc/net/${table}`) ?? '').split('\n').some((line) => {
      const fields = line.trim().split(/\s+/);
      return fields[3] === LISTEN && sockets.has(fields[9]!);
    }),
  );
}

const onLinux = process.platform === 'linux';
/** State of a listening socket in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = '0A';

let boot: string | undefined;

function bootId(): string {
  boot ??= onLinux
    ? (readText('/proc/sys/kernel/random/boot_id') ?? '').trim()
    : (spawnSync('sysctl', ['-n', 'kern.boottime'], { encoding: 'utf8' }).stdout ?? '').trim();
  return boot;
}

function startedAt(pid: number): string | undefined {
  if (!onLinux) return startedAtByPs(pid);
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // "pid (comm) state ppid …": comm may hold spaces and parentheses, so count from the last ')'.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]; // field 22 of proc(5): starttime
}

function startedAtByPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const [, state, started] = /^\s*(\S+)\s+(.+?)\s*$/.exec(stdout ?? '') ?? [];
  return state?.startsWith('Z') ? undefined : started;
}

function pidsByProcEnviron(assignment: string): number[] {
  const needle = Buffer.from(`\0${assignment}\0`);
  return listed('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const environ = attempt(() => readFileSync(`/proc/${name}/environ`)); // a stranger's is not readable
      return environ !== undefined && Buffer.concat([Buffer.from('\0'), environ]).includes(needle);
    })
    .map(Number);
}

function pidsByPs(assignment: string): number[] {
  const { stdout } = spawnSync('ps', ['-axEww', '-o', 'pid=,command='], { encoding: 'utf8' });
  return (stdout ?? '')
    .split('\n')
    .filter((line) => `${line} `.includes(` ${assignment} `))
    .map((line) => Number.parseInt(line, 10))
    .filter((pid) => pid > 0);
}

function readText(path: string): string | undefined {
  return attempt(() => readFileSync(path, 'utf8'));
}

function listed(folder: string): string[] {
  return attempt(() => readdirSync(folder)) ?? [];
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
