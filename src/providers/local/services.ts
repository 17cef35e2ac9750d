import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../../errors.ts';
import { DEFINITIONS, definitionPath, type ServiceDefinition } from '../../os/definition.ts';
import type { FaultName } from '../../os/faults.ts';
import { revisionOf } from '../../plan/hash.ts';
import {
  findByEnvironment,
  gone,
  identify,
  isAlive,
  isListening,
  type ProcessIdentity,
  signal,
  terminate,
} from '../../shell/processes.ts';
import { readJson, writeJson } from '../../state/files.ts';
import { FAULT_ARGUMENTS, faultOf, forgetFault, type LocalFault, noteFault } from './faults.ts';
import type { NodeFolder } from './folder.ts';

/** What runs: `run/<name>.json` in the node's folder. */
interface RunRecord {
  /** Written before a process is started: whoever finds it knows that there may be one nobody wrote down. */
  readonly pending?: boolean;
  readonly revision?: string;
  readonly process?: ProcessIdentity;
  /** Older processes that finish their last requests after a hand-over. */
  readonly retiring?: readonly ProcessIdentity[];
}

const READY_WITHIN_MS = 10_000;

export function serviceState(folder: NodeFolder, name: string): { running: boolean; revision?: string } {
  const record = readRun(folder, name);
  const running = record?.process !== undefined && !record.pending && isAlive(record.process);
  return running ? { running, revision: record.revision } : { running };
}

/** Services that are defined here or have run here. */
export function servicesOf(folder: NodeFolder): string[] {
  const names = (paths: string[]) =>
    paths.flatMap((path) => (path.endsWith('.json') ? [path.slice(0, -5)] : []));
  return [
    ...new Set([
      ...names(filesIn(folder.realPath(DEFINITIONS))),
      ...names(filesIn(join(folder.root, 'run'))),
    ]),
  ];
}

/**
 * Starts a service as a process that outlives lablb and returns when it is ready. One that runs stays.
 *
 * @throws LabError `service.start` with the last lines of its log when it ends or does not get ready.
 */
export async function startService(folder: NodeFolder, name: string, signal?: AbortSignal): Promise<void> {
  const record = readRun(folder, name);
  if (record?.process && !record.pending && isAlive(record.process)) return;
  if (record?.pending) await stopService(folder, name);
  await launch(folder, name, [], signal);
}

/** SIGTERM, a bounded wait, SIGKILL; also what an interrupted start or an earlier hand-over left. */
export async function stopService(folder: NodeFolder, name: string): Promise<void> {
  const record = readRun(folder, name);
  if (!record) return;
  const strays = record.pending ? findByEnvironment(marker(folder, name)) : [];
  await endAll([...(record.process ? [record.process] : []), ...(record.retiring ?? []), ...strays]);
  rmSync(runPath(folder, name), { force: true });
}

/** Puts a process with the new configuration in the place of the running one, without a gap if it can. */
export async function reloadService(folder: NodeFolder, name: string, signal?: AbortSignal): Promise<void> {
  const old = readRun(folder, name)?.process;
  if (!old || !serviceState(folder, name).running) return startService(folder, name, signal);
  if (readDefinition(folder, name).reload === 'restart') {
    await stopService(folder, name);
    return startService(folder, name, signal);
  }
  await launch(folder, name, [old], signal);
}

/**
 * Makes a service fail on purpose, in one of the ways of `FAULTS`, until it is healed. Written down first.
 *
 * @throws LabError `service.start` when it cannot be started that way; then it is as it was.
 */
export async function failService(
  folder: NodeFolder,
  fault: LocalFault,
  signal?: AbortSignal,
): Promise<void> {
  noteFault(folder, fault);
  try {
    await FAIL[fault.how](folder, fault.service, signal);
  } catch (error) {
    await healService(folder);
    throw error;
  }
}

/** Undoes the node's fault and hands it back; undefined when there is none. */
export async function healService(folder: NodeFolder): Promise<LocalFault | undefined> {
  const fault = faultOf(folder);
  if (!fault) return undefined;
  const { how, service } = fault;
  if (how === 'freeze') signalService(folder, service, 'SIGCONT');
  else await stopService(folder, service);
  forgetFault(folder);
  await startService(folder, service);
  return fault;
}

const FAIL: Readonly<Record<FaultName, (folder: NodeFolder, name: string, signal?: AbortSignal) => unknown>> =
  {
    stop: stopService,
    freeze: (folder, name) => signalService(folder, name, 'SIGSTOP'),
    slow: startAnew,
    refuse: startAnew,
    error: startAnew,
  };

async function startAnew(folder: NodeFolder, name: string, signal?: AbortSignal): Promise<void> {
  await stopService(folder, name);
  await startService(folder, name, signal);
}

function signalService(folder: NodeFolder, name: string, what: NodeJS.Signals): void {
  const { process, retiring = [] } = readRun(folder, name) ?? {};
  for (const one of process ? [process, ...retiring] : retiring) signal(one, what);
}

/** Ends whatever was started for this node, also what no record tells of. */
export async function stopEverything(folder: NodeFolder): Promise<void> {
  await Promise.all(servicesOf(folder).map((name) => stopService(folder, name)));
  await endAll(findByEnvironment(`${NODE_VARIABLE}=${folder.root}`));
}

/** Both are in the environment of what is started here, so that it can be found without a record. */
const NODE_VARIABLE = 'LABLB_NODE_FOLDER';
const SERVICE_VARIABLE = 'LABLB_SERVICE_OF';
/** The engine looks names up there first: a local node has an /etc/hosts of its own that the system does not read. */
const HOSTS_VARIABLE = 'LABLB_HOSTS';

async function launch(
  folder: NodeFolder,
  name: string,
  predecessors: readonly ProcessIdentity[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const fault = faultOf(folder)?.service === name ? faultOf(folder) : undefined;
  const definition = faulty(readDefinition(folder, name), fault);
  const before = readRun(folder, name);
  const retiring = [...(before?.retiring ?? []), ...predecessors].filter(isAlive);
  writeJson(runPath(folder, name), { ...before, pending: true, retiring } satisfies RunRecord);
  // What it says when it cannot start is on its standard error.
  const errors = folder.realPath(definition.errors ?? definition.log);
  const logStart = sizeOf(errors);
  const child = await spawnDetached(folder, name, definition, predecessors);
  const read = revisionOf([definitionPath(name), ...definition.watch], (path) => folder.hash(path));
  const revision = fault ? `${read} ${fault.how}` : read; // what runs so is never taken for what should
  const process = identify(child.pid);
  try {
    if (!process) throw new Error('it ended at once');
    writeJson(runPath(folder, name), { revision, process, retiring } satisfies RunRecord);
    await ready(process, definition, predecessors, signal);
  } catch (error) {
    if (process) await terminate(process, 1000);
    if (before?.process && isAlive(before.process)) writeJson(runPath(folder, name), before);
    else rmSync(runPath(folder, name), { force: true });
    if (signal?.aborted) throw signal.reason;
    const stderr = tail(errors, logStart);
    throw new LabError(`${name} did not start: ${(error as Error).message}`, {
      code: 'service.start',
      command: definition.argv,
      exitStatus: child.exitStatus(),
      stderr,
      hints: PORT_REFUSED.test(stderr) ? PORT_HINTS : undefined,
      cause: error,
    });
  }
}

/** A configuration of the user's own names its ports itself; a rendered one has those that were found free. */
const PORT_REFUSED = /cannot (?:bind|listen)|address already in use|permission denied/i;
const PORT_HINTS = [
  'another address or port in your own configuration',
  'a template (haproxy.cfg.hbs) with `bind {{bind}}:{{port}}`: what this node has of its own',
];

async function spawnDetached(
  folder: NodeFolder,
  name: string,
  definition: ServiceDefinition,
  predecessors: readonly ProcessIdentity[],
): Promise<{ pid: number; exitStatus: () => number | undefined }> {
  const outputs = [definition.log, definition.errors ?? definition.log].map((path) => {
    const log = folder.realPath(path);
    mkdirSync(dirname(log), { recursive: true });
    return openSync(log, 'a', 0o640);
  });
  const handover = predecessors.length > 0 ? ['-sf', ...predecessors.map((old) => String(old.pid))] : [];
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...environment } = process.env;
  try {
    const [file, ...args] = [...definition.argv, ...handover];
    const child = spawn(file!, args, {
      detached: true,
      cwd: folder.root,
      stdio: ['ignore', ...outputs],
      env: {
        ...environment,
        [NODE_VARIABLE]: folder.root,
        [SERVICE_VARIABLE]: runPath(folder, name),
        [HOSTS_VARIABLE]: folder.realPath('/etc/hosts'),
      },
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    }).catch((cause: NodeJS.ErrnoException) => {
      throw new LabError(`cannot run ${file}: ${cause.code}`, {
        code: 'service.start',
        command: definition.argv,
        cause,
      });
    });
    child.unref();
    return { pid: child.pid!, exitStatus: () => child.exitCode ?? undefined };
  } finally {
    for (const output of outputs) closeSync(output);
  }
}

function faulty(definition: ServiceDefinition, fault: LocalFault | undefined): ServiceDefinition {
  if (!fault) return definition;
  const argv = [...definition.argv, ...FAULT_ARGUMENTS[fault.how](fault)];
  return { ...definition, argv, listens: fault.how === 'refuse' ? [] : definition.listens };
}

/** Waits until the process itself listens and all its ports accept. */
async function ready(
  process: ProcessIdentity,
  definition: ServiceDefinition,
  predecessors: readonly ProcessIdentity[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (let pause = 4; ; pause = Math.min(pause * 2, 100)) {
    signal?.throwIfAborted();
    if (!isAlive(process)) throw new Error('it ended at once');
    // During a hand-over the predecessor answers on the same ports, so ask whose sockets they are.
    const listening = isListening(process.pid) ?? (await handedOver(predecessors));
    if (listening && (await Promise.all(definition.listens.map(accepts))).every(Boolean)) return;
    if (Date.now() >= deadline) throw new Error(`not ready after ${READY_WITHIN_MS / 1000} s`);
    await sleep(pause);
  }
}

/** Where nobody tells whose a socket is: give the old one a moment to hear of its successor. */
async function handedOver(predecessors: readonly ProcessIdentity[]): Promise<boolean> {
  await Promise.all(predecessors.map((old) => gone(old, 1000)));
  return true;
}

function accepts(endpoint: { address: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: endpoint.address, port: endpoint.port });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

async function endAll(processes: readonly ProcessIdentity[]): Promise<void> {
  await Promise.all(processes.map((found) => terminate(found)));
}

function readDefinition(folder: NodeFolder, name: string): ServiceDefinition {
  const definition = readJson<ServiceDefinition>(folder.realPath(definitionPath(name)));
  if (definition) return definition;
  throw new LabError(`there is no service '${name}' on this node`, { code: 'service.unknown' });
}

function readRun(folder: NodeFolder, name: string): RunRecord | undefined {
  return readJson<RunRecord>(runPath(folder, name));
}

function runPath(folder: NodeFolder, name: string): string {
  return join(folder.root, 'run', `${name}.json`);
}

function marker(folder: NodeFolder, name: string): string {
  return `${SERVICE_VARIABLE}=${runPath(folder, name)}`;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function tail(path: string, from: number): string {
  try {
    return readFileSync(path).subarray(from).toString('utf8').split('\n').slice(-12).join('\n').trim();
  } catch {
    return '';
  }
}
