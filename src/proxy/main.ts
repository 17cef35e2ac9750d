/** The executable `lablb-proxy`: flags, files, signals and exit statuses around the engine. */
import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { ProxyError, renderDiagnostics } from '../errors.ts';
import { alone } from '../sockets/alone.ts';
import { openDatagrams } from '../sockets/datagram.ts';
import { quickTransport } from '../sockets/epoll.ts';
import { Clock } from '../sockets/timers.ts';
import { checkCondition, checkFiles, renderFindings } from './check.ts';
import { type ProxyCommand, parseArguments, renderUsage } from './cli.ts';
import { type Engine, startEngine } from './engine.ts';
import { readHosts } from './hosts.ts';
import { FOLLOWS, NAME, VERSION } from './identity.ts';
import { renderKeywords } from './keywords-listing.ts';
import { type LoadOptions, loadConfiguration } from './load.ts';
import type { Configuration } from './settings.ts';
import { traceTo } from './stream/trace.ts';

/** Set in the process that `-D` leaves in the background: it tells its parent on this descriptor that it is ready. */
const READY_FD = 'LABLB_PROXY_READY_FD';

/** A hosts file to look names up in first; set by the lab for its own nodes. */
const LAB_HOSTS = readHosts(process.env.LABLB_HOSTS);

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const parsed = parseArguments(argv);
  if ('problem' in parsed) {
    process.stderr.write(`${NAME}: ${parsed.problem}\n\n${renderUsage(NAME)}`);
    return 1;
  }
  const { command } = parsed;
  if (command.folder !== undefined) process.chdir(command.folder);
  const load: LoadOptions = {
    env: process.env,
    readFile,
    readDir,
    diagnosticMode: command.diagnosticMode,
    localPeer: command.localPeer,
  };
  switch (command.action) {
    case 'version':
    case 'build':
      process.stdout.write(`${NAME} version ${VERSION}, in the manner of HAProxy ${FOLLOWS}\n`);
      if (command.action === 'build')
        process.stdout.write(`Built with Bun ${Bun.version} for ${process.platform}-${process.arch}\n`);
      return 0;
    case 'keywords':
      process.stdout.write(renderKeywords(command.format));
      return 0;
    case 'condition':
      return report(
        checkCondition(command.condition!, new Map(Object.entries(process.env) as [string, string][])),
      );
    case 'check':
      return report(checkFiles(command.configs, load, command));
    case 'run':
      return run(command, load, argv);
  }
}

async function run(command: ProxyCommand, load: LoadOptions, argv: readonly string[]): Promise<number> {
  const loaded = loadConfiguration(command.configs, load);
  const refused = loaded.diagnostics.some(
    (d) => d.severity === 'error' || (d.severity === 'warning' && command.zeroWarning),
  );
  const quiet = command.quiet || loaded.configuration.global.quiet;
  if (!quiet || refused) process.stderr.write(renderFindings(loaded));
  if (refused) return 1;
  const { configuration } = loaded;
  if (!configuration.proxies.some((proxy) => proxy.binds.length > 0 && !proxy.disabled)) {
    process.stderr.write(`${NAME}: nothing to listen on: no enabled proxy has a 'bind' line\n`);
    return 2;
  }
  if (command.maxconn !== undefined) configuration.global.maxconn = command.maxconn;
  if (command.daemon && process.env[READY_FD] === undefined) return leaveInBackground(argv);
  if (!quiet) sayNoted(configuration, command);

  let engine: Engine;
  try {
    engine = await startEngine(configuration, {
      transport: command.noReusePort ? alone(quickTransport()) : quickTransport(),
      clock: new Clock(),
      maxconn: connectionsWithin(openFilesLimit()),
      resolve,
      openDatagrams,
      ignoreUnresolved: command.ignoreUnresolved,
      trace: command.debug ? traceTo((text) => process.stdout.write(text)) : undefined,
    });
  } catch (error) {
    // What listened before the failure leaves the sockets' loop turning: the process does not end by itself.
    process.stderr.write(startFailure(error, loaded.sources), () => process.exit(1));
    return 1;
  }
  writePidfile(command.pidfile ?? configuration.global.pidfile, command.pidfile !== undefined);
  takeOver(command);
  tellReady();
  return untilStopped(engine, configuration, command.pidfile);
}

// ── Until a signal ends it ───────────────────────────────────────────────────────────────────────────────────────

/** SIGUSR1 lets requests end, SIGTERM and SIGINT do not (management guide, section 4). */
function untilStopped(
  engine: Engine,
  configuration: Configuration,
  pidfile: string | undefined,
): Promise<number> {
  return new Promise((resolve) => {
    const done = () => {
      if (pidfile !== undefined) removePidfile(pidfile);
      resolve(0);
      // Idle handles (timers of libraries) must not keep a stopped proxy alive.
      setTimeout(() => process.exit(0), 20);
    };
    const now = () => {
      engine.stopNow();
      done();
    };
    process.on('SIGTERM', now);
    process.on('SIGINT', now);
    process.on('SIGHUP', () => engine.logState());
    let stopping = false;
    process.on('SIGUSR1', () => {
      if (stopping) return;
      stopping = true;
      const { hardStopAfter } = configuration.global;
      if (hardStopAfter !== undefined) setTimeout(now, hardStopAfter).unref();
      engine.stopSoftly().then(done);
    });
  });
}

function takeOver({ takeOver: from }: ProxyCommand): void {
  for (const pid of from?.pids ?? []) {
    try {
      process.kill(pid, from?.how === 'finish' ? 'SIGUSR1' : 'SIGTERM');
    } catch {
      // It is gone already.
    }
  }
}

// ── In the background ────────────────────────────────────────────────────────────────────────────────────────────

/** `-D`: a child goes on; this process ends with what became of its start. */
function leaveInBackground(argv: readonly string[]): Promise<number> {
  // A compiled executable has its entry built in; under the interpreter the script is an argument.
  const script = Bun.main.startsWith('/$bunfs/') ? [] : [Bun.main];
  const child = spawn(process.execPath, [...script, ...argv], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [READY_FD]: '3' },
  });
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code ?? 1));
    child.on('error', (error) => {
      process.stderr.write(`${NAME}: cannot start in the background: ${error.message}\n`);
      resolve(1);
    });
    child.stdio[3]!.on('data', () => {
      child.unref();
      resolve(0);
      process.exit(0);
    });
  });
}

function tellReady(): void {
  const fd = process.env[READY_FD];
  if (fd === undefined) return;
  writeFileSync(Number(fd), 'ready');
}

// ── Limits ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Each connection of a client may want one to a server; some descriptors are for listeners, logs and checks. */
function connectionsWithin(openFiles: number): number {
  return Math.max(1, Math.floor((openFiles - 100) / 2));
}

function openFilesLimit(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFile('/proc/self/limits') ?? '');
  return limit === null ? Number.POSITIVE_INFINITY : Number(limit[1]);
}

// ── Files and messages ───────────────────────────────────────────────────────────────────────────────────────────

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function readDir(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path);
  } catch {
    return undefined;
  }
}

/** Names of the lab come before those of the machine: a lab on one machine has a hosts file of its own. */
async function resolve(host: string, family: 4 | 6 | undefined): Promise<string | undefined> {
  if (isIP(host) !== 0) return host;
  const known = LAB_HOSTS.get(host.toLowerCase());
  if (known !== undefined && (family === undefined || isIP(known) === family)) return known;
  try {
    return (await lookup(host, { family: family ?? 0 })).address;
  } catch {
    return undefined;
  }
}

/** Asked for with `-p` it must work; the configuration's may name a folder that only root can write to. */
function writePidfile(path: string | undefined, required: boolean): void {
  if (path === undefined) return;
  try {
    writeFileSync(path, `${process.pid}\n`, { mode: 0o644 });
  } catch (error) {
    process.stderr.write(`${NAME}: cannot write the pid file: ${(error as Error).message}\n`);
    if (required) process.exit(1);
  }
}

/** A process that took over has written its own pid there meanwhile. */
function removePidfile(path: string): void {
  if (readFile(path)?.trim() === String(process.pid)) rmSync(path, { force: true });
}

/** What was read and has no effect is said once. */
function sayNoted({ noted, global }: Configuration, command: ProxyCommand): void {
  const daemon = global.daemon && !command.daemon ? ['daemon'] : [];
  const names = [
    ...new Set([
      ...daemon,
      ...noted.map(({ keyword, why }) => (why === undefined ? keyword : `${keyword} (${why})`)),
      ...command.noted,
    ]),
  ];
  if (names.length > 0) process.stderr.write(`notice: read, but without effect here: ${names.join(', ')}\n`);
}

function startFailure(error: unknown, sources: ReadonlyMap<string, string>): string {
  const failures = error instanceof AggregateError ? error.errors : [error];
  if (!failures.every((failure) => failure instanceof ProxyError)) throw error;
  const diagnostics = (failures as ProxyError[]).map(({ message, place, hint }) => ({
    severity: 'error' as const,
    message,
    place,
    hint,
  }));
  return `${renderDiagnostics(diagnostics, sources, { severity: true })}\n`;
}

function report({ status, stdout, stderr }: { status: number; stdout: string; stderr: string }): number {
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  return status;
}
