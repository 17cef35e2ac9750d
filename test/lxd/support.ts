import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject } from 'vitest';
import { lingering } from '../../src/providers/lxd/linger.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const LABLB = join(ROOT, 'bin', 'run.js');

export interface Said {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command under way. */
export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Said>;
  /** Waits until it has printed what matches; one that ends without is an error. */
  readonly heard: (pattern: RegExp) => Promise<void>;
}

/** lablb as it is used on an LXD host: inside the sandbox, with a folder and a state of its own. */
export class Host {
  readonly folder = mkdtempSync(join(tmpdir(), 'lablb-lxd-'));
  readonly sandbox: string;

  constructor(sandbox: string = inject('sandbox')) {
    this.sandbox = sandbox;
  }

  /** Copies a bundled topology, changed by `edit`, into the folder, as its only one. */
  topology(name: string, edit: (text: string) => string = (text) => text): string {
    const path = join(this.folder, 'topology.yaml');
    cpSync(join(ROOT, 'topologies', name), path);
    this.edit(edit);
    return path;
  }

  /** The folder's only topology, from scratch. */
  write(text: string): void {
    writeFileSync(join(this.folder, 'topology.yaml'), text);
  }

  edit(change: (text: string) => string): void {
    const path = join(this.folder, 'topology.yaml');
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  }

  start(...argv: string[]): Started {
    const child = spawn(join(this.sandbox, 'bin', 'inside'), argv, {
      cwd: this.folder,
      env: { ...process.env, XDG_STATE_HOME: join(this.folder, 'state'), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = new Promise<Said>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) =>
        resolve({ status: status ?? signal ?? 'unknown', stdout, stderr }),
      );
    });
    const heard = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(stdout)) {
        const [more] = await Promise.race([once(child.stdout, 'data'), ended.then(() => [])]);
        if (more === undefined) throw new Error(`it ended without ${pattern}:\n${stdout}${stderr}`);
      }
    };
    return { child, ended, heard };
  }

  /** Signals what `start` started: the wrapper that leads inside would go alone, and leave its command behind. */
  signal(child: ChildProcess, signal: NodeJS.Signals): void {
    if (child.exitCode !== null) return;
    const pid = child.pid!;
    const inner = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    for (const one of inner) process.kill(Number(one), signal);
  }

  /** Runs a command inside the sandbox. */
  run(...argv: string[]): Promise<Said> {
    return this.start(...argv).ended;
  }

  lablb(...args: string[]): Promise<Said> {
    return this.run(process.execPath, LABLB, ...args);
  }

  /** The same, and it must succeed. */
  async must(...args: string[]): Promise<string> {
    const said = await this.lablb(...args);
    expect(said.status, `lablb ${args.join(' ')}\n${said.stderr}${said.stdout}`).toBe(0);
    return said.stdout;
  }

  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.must(...args, '--json')) as T;
  }

  /** `lxc` (or `incus`), as a person would type it. */
  tryLxc(...args: string[]): Promise<Said> {
    return this.run(inject('client'), ...args);
  }

  /** The same, and it must succeed. */
  async lxc(...args: string[]): Promise<string> {
    const said = await this.tryLxc(...args);
    expect(said.status, `${inject('client')} ${args.join(' ')}\n${said.stderr}`).toBe(0);
    return said.stdout;
  }

  /** Names of all instances, sorted. */
  async instances(): Promise<string[]> {
    return (await this.lxc('list', '--format', 'csv', '--columns', 'n')).split('\n').filter(Boolean).sort();
  }

  on(node: string, ...argv: string[]): Promise<string> {
    return this.lxc('exec', node, '-T', '--', ...lingering(argv));
  }

  /** Takes away whatever a test left, and the folder. */
  async close(): Promise<void> {
    for (const name of await this.instances()) await this.tryLxc('delete', '--force', name);
    for (const name of ['macvlan', 'extra']) await this.tryLxc('profile', 'delete', name);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Status {
  readonly nodes: readonly { name: string; state: string; address?: string }[];
  readonly drift: readonly { node: string; what: string; why: string }[];
}

/** The drift of the only lab, as `node: what`. */
export async function driftOf(host: Host): Promise<string[]> {
  const [lab] = await host.json<Status[]>('status');
  return lab!.drift.map(({ node, what }) => `${node}: ${what}`);
}
