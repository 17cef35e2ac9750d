import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { which } from './needs.ts';
import { reservePort, untilListening } from './ports.ts';

export type Engine = 'lablb' | 'haproxy';

export interface StartOptions {
  /** Default: 'lablb'. */
  readonly engine?: Engine;
  /** Arguments after `-f FILE`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Ports that the caller already has, by name: they are not chosen anew. */
  readonly ports?: Readonly<Record<string, number>>;
  /** Most descriptors it may have open, from its start on (util-linux's `prlimit`). */
  readonly openFiles?: number;
  /** Other files for the folder `${dir}`, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface RunningProxy {
  readonly engine: Engine;
  readonly pid: number;
  /** What `${port:NAME}` became, by name. */
  readonly ports: Readonly<Record<string, number>>;
  /** What `${dir}` became: a folder of this proxy's own, removed by `stop`. */
  readonly folder: string;
  readonly configFile: string;
  /** Everything it wrote so far. */
  stdout(): string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** Whether the process is still there. */
  alive(): boolean;
  /** Resolves with the exit status, or the signal's name, when the process ends by itself. */
  readonly ended: Promise<number | string>;
  /** End it (SIGTERM, then SIGKILL after 5 s) and remove its folder. Safe to call again. */
  stop(): Promise<void>;
}

/** A proxy that did not come to listen: `stderr` says why. */
export class ProxyStartError extends Error {
  override name = 'ProxyStartError';
  readonly engine: Engine;
  readonly stderr: string;

  constructor(engine: Engine, reason: string, stderr: string) {
    super(`${engine} ${reason}\n${stderr.trim()}`);
    this.engine = engine;
    this.stderr = stderr;
  }
}

/**
 * Start the engine or HAProxy with a configuration, and wait until it listens on every port that it binds.
 * In the text `${port:NAME}` becomes a free port and `${dir}` the proxy's folder.
 *
 * @throws {ProxyStartError} when it refuses the configuration or does not listen within 10 s
 */
export async function startProxy(configText: string, options: StartOptions = {}): Promise<RunningProxy> {
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce(configText, options);
    } catch (error) {
      // Someone else took a port between our look and the bind: choose others.
      const lostRace =
        error instanceof ProxyStartError && /cannot bind|address.*in use|EADDRINUSE/i.test(error.stderr);
      if (!lostRace || tries === 5) throw error;
    }
  }
}

/** The executable of an engine, or undefined when it is not there. `LABLB_ENGINE` overrides build/lablb-proxy. */
export function engineFile(engine: Engine): string | undefined {
  if (engine === 'haproxy') return which('haproxy');
  const file = process.env.LABLB_ENGINE ?? fileURLToPath(new URL('../../build/lablb-proxy', import.meta.url));
  return existsSync(file) ? file : undefined;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function startOnce(configText: string, options: StartOptions): Promise<RunningProxy> {
  const engine = options.engine ?? 'lablb';
  const file = engineFile(engine);
  if (!file) throw new ProxyStartError(engine, 'is not there', 'try: npm run build');
  const folder = mkdtempSync(join(tmpdir(), `lablb-${engine}-`));
  for (const [name, text] of Object.entries(options.files ?? {}))
    writeFileSync(join(folder, name), text, 'latin1');
  const { text, ports } = await fillIn(configText, folder, options.ports ?? {});
  const configFile = join(folder, 'haproxy.cfg');
  writeFileSync(configFile, text);

  const limit = options.openFiles === undefined ? [] : ['prlimit', `--nofile=${options.openFiles}`];
  const [program, ...args] = [...limit, file, '-f', configFile, ...(options.args ?? [])] as [string];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  running.add(child);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      output[name] += part;
    });
  }
  let gone = false;
  const ended = new Promise<number | string>((resolve) => {
    const end = (how: number | string): void => {
      gone = true;
      running.delete(child);
      resolve(how);
    };
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signal) => end(code ?? signal ?? 'unknown'));
  });
  const stop = async (): Promise<void> => {
    if (!gone) {
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(patience);
    }
    rmSync(folder, { recursive: true, force: true });
  };

  const listening = await Promise.race([
    untilListening(boundPorts(text), 10_000),
    ended.then(() => 'ended' as const),
  ]);
  if (listening !== true || (await Promise.race([ended.then(() => true), sleep(0, false)]))) {
    await stop();
    const reason = listening === false ? 'does not listen after 10 s' : `ended with ${await ended} at start`;
    throw new ProxyStartError(engine, reason, output.stderr || output.stdout);
  }
  return {
    engine,
    pid: child.pid!,
    ports,
    folder,
    configFile,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    signal: (name) => child.kill(name),
    alive: () => !gone,
    ended,
    stop,
  };
}

async function fillIn(
  configText: string,
  folder: string,
  given: Readonly<Record<string, number>>,
): Promise<{ text: string; ports: Record<string, number> }> {
  const ports: Record<string, number> = { ...given };
  for (const [, name] of configText.matchAll(/\$\{port:([\w-]+)\}/g)) ports[name!] ??= await reservePort();
  const text = configText
    .replace(/\$\{port:([\w-]+)\}/g, (_, name: string) => String(ports[name]))
    .replace(/\$\{dir\}/g, folder);
  return { text, ports };
}

/** TCP ports of `bind` lines, and of the old `listen NAME ADDRESS:PORT`. */
function boundPorts(text: string): number[] {
  return [...text.matchAll(/^[ \t]*(?:bind|(?:listen|frontend)[ \t]+\S+)[ \t]+(\S+)/gm)]
    .flatMap(([, addresses]) => addresses!.split(','))
    .flatMap((address) => /:(\d+)$/.exec(address)?.[1] ?? [])
    .map(Number);
}
