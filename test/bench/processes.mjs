import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Start a process on one core (when `core` is given) and remember it, so that nothing outlives the bench. */
export function start(argv, { core, cwd, nice = 0 } = {}) {
  const pinned = core === undefined ? argv : ['taskset', '-c', String(core), ...argv];
  const [file, ...args] = nice ? ['nice', '-n', String(nice), ...pinned] : pinned;
  const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8');
    child[name].on('data', (text) => {
      output[name] = (output[name] + text).slice(-65_536);
    });
  }
  const done = new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: undefined, error }));
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  running.add(child);
  done.then(() => running.delete(child));
  return { pid: child.pid, output, done, child, name: argv[0] };
}

export async function stop(started) {
  if (!running.has(started.child)) return;
  started.child.kill('SIGTERM');
  const gone = await Promise.race([started.done, sleep(3000, undefined, { ref: false })]);
  if (!gone) started.child.kill('SIGKILL');
  await started.done;
}

export function stopAllNow() {
  for (const child of running) child.kill('SIGKILL');
}

/** Wait until something accepts on the port; an early exit of the process is reported with what it said. */
export async function untilListening(started, port, milliseconds = 10_000) {
  const deadline = Date.now() + milliseconds;
  while (Date.now() < deadline) {
    if (started.child.exitCode !== null || started.child.signalCode !== null || !started.pid) {
      throw new Error(`${started.name} ended at once:\n${started.output.stderr || started.output.stdout}`);
    }
    if (await accepts(port)) return;
    await sleep(20);
  }
  throw new Error(
    `${started.name} does not listen on ${port} after ${milliseconds} ms:\n${started.output.stderr}`,
  );
}

export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, listenAnywhere));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/**
 * CPU that a process has used: user and system, all threads, in microseconds.
 * From schedstat (nanoseconds on a CPU) where the kernel has it, else from the 10 ms ticks of stat.
 */
export function cpuMicroseconds(pid) {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const text = readText(`/proc/${pid}/task/${task}/schedstat`);
    if (text === undefined) return ticksMicroseconds(pid);
    nanoseconds += Number(text.split(' ')[0]);
  }
  return nanoseconds / 1000;
}

/** Resident memory now and at its highest, in KiB. */
export function memoryKiB(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
  return { resident: field('VmRSS'), peak: field('VmHWM') };
}

/** Share of all CPU time that the hypervisor took from this machine since it started: a source of noise. */
export function stolenTicks() {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
  return { stolen: fields[7] ?? 0, total: fields.slice(0, 8).reduce((a, b) => a + b, 0) };
}

const running = new Set();

function ticksMicroseconds(pid) {
  // Fields 14 and 15 of the line, counted after the closing parenthesis of the name; a tick is 10 ms on Linux.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(500, () => socket.destroy());
    socket.on('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(false));
  });
}

function listenAnywhere() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
