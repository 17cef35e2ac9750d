#!/usr/bin/env node
// `npm run bench`: the engine beside HAProxy and nginx, in one run, on loopback only. See docs/bench.md.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openLab } from '../test/bench/lab.mjs';
import { measureMemory } from '../test/bench/memory.mjs';
import { stolenTicks, stopAllNow } from '../test/bench/processes.mjs';
import { memoryTable, noiseNotes, speedTable, summarize } from '../test/bench/report.mjs';
import { measureSpeed } from '../test/bench/speed.mjs';
import { WORKLOADS } from '../test/bench/workloads.mjs';

const USAGE = `npm run bench -- [flags]
  --only WORKLOAD    ${WORKLOADS.map((w) => w.name).join(' ')} (may be repeated)
  --rounds N         rounds of each balancer (4)
  --seconds S        length of a round, whole seconds (2)
  --connections N    connections of the load generator (50)
  --quick            two rounds of a second each
  --memory           resident memory instead: at start, after load, per idle connection
  --json             figures as JSON on standard output
  LABLB_ENGINE=FILE  the engine to measure (build/lablb-proxy)
exit status: 0 measured, 1 requests failed, 2 wrong flags, 3 something is missing`;

const TOOLS = [
  { command: 'haproxy', debian: 'haproxy' },
  { command: 'nginx', debian: 'nginx-light' },
  { command: 'wrk', debian: 'wrk' },
];

process.exitCode = await main();

async function main() {
  const flags = readFlags();
  if (typeof flags === 'number') return flags;
  const engine = process.env.LABLB_ENGINE ?? fileURLToPath(new URL('../build/lablb-proxy', import.meta.url));
  if (!isExecutable(engine)) {
    console.error(`${engine} is not there; try: npm run build`);
    return 3;
  }
  if (!installMissing()) return 3;
  const kinds = [
    { name: 'lablb', engine },
    { name: 'haproxy', engine: which('haproxy') },
    { name: 'nginx', nginx: true },
  ];
  const cores = which('taskset') && availableParallelism() > 1 ? { balancer: 0, rest: 1 } : {};
  const progress = process.stderr.isTTY ? (text) => process.stderr.write(`\r\x1b[K${text}`) : () => {};
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      stopAllNow();
      process.exit(130);
    });
  }
  const loadBefore = loadavg()[0];
  const stolenBefore = stolenTicks();
  const lab = await openLab(cores);
  try {
    const context = { ...flags, progress };
    if (flags.memory) return print(flags, { memory: await measureMemory(lab, kinds, context) }, memoryTable);
    const summaries = [];
    for (const workload of flags.workloads) {
      const summary = summarize(workload, await measureSpeed(lab, kinds, workload, context));
      summaries.push(summary);
      progress('');
      if (!flags.json) console.log(`${speedTable(summary)}\n`);
    }
    const stolen = stolenTicks();
    const stolenShare = (stolen.stolen - stolenBefore.stolen) / (stolen.total - stolenBefore.total);
    const notes = noiseNotes(summaries, { stolenShare, loadBefore, cores, rounds: flags.rounds });
    if (flags.json) console.log(JSON.stringify({ workloads: summaries, notes }, null, 2));
    else for (const note of notes) console.log(`  note: ${note}`);
    return summaries.some((s) => s.balancers.some((b) => b.failures.length > 0)) ? 1 : 0;
  } catch (error) {
    progress('');
    console.error(`bench: ${error.message}`);
    return 1;
  } finally {
    stopAllNow();
    lab.close();
  }
}

function print(flags, result, render) {
  if (flags.json) console.log(JSON.stringify(result, null, 2));
  else console.log(render(result.memory));
  return 0;
}

function readFlags() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        connections: { type: 'string' },
        quick: { type: 'boolean' },
        memory: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }));
  } catch (error) {
    return usage(error.message);
  }
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const defaults = values.quick ? { rounds: 2, seconds: 1 } : { rounds: 4, seconds: 2 };
  const flags = { warmup: 3, json: values.json, memory: values.memory };
  for (const [name, fallback, most] of [
    ['rounds', defaults.rounds, 100],
    ['seconds', defaults.seconds, 600],
    ['connections', 50, 10_000],
  ]) {
    const value = values[name] === undefined ? fallback : Number(values[name]);
    if (!Number.isInteger(value) || value < 1 || value > most) return usage(`--${name} takes 1 to ${most}`);
    flags[name] = value;
  }
  const unknown = values.only?.find((name) => !WORKLOADS.some((w) => w.name === name));
  if (unknown) return usage(`no workload '${unknown}'`);
  flags.workloads = WORKLOADS.filter((w) => (values.only ? values.only.includes(w.name) : !w.extra));
  return flags;
}

function usage(problem) {
  console.error(`${problem}\n${USAGE}`);
  return 2;
}

function installMissing() {
  const missing = () => TOOLS.filter((tool) => !which(tool.command));
  if (missing().length === 0) return true;
  const packages = missing().map((tool) => tool.debian);
  if (process.getuid?.() === 0 && which('apt-get')) {
    console.error(`bench: installing ${packages.join(' ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [
      ['update', '-q'],
      ['install', '-y', '-q', '--no-install-recommends', ...packages],
    ]) {
      spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env, timeout: 300_000 });
    }
  }
  const still = missing();
  if (still.length === 0) return true;
  console.error(
    `bench needs ${still.map((tool) => tool.command).join(', ')}; try: apt-get install ${packages.join(' ')}`,
  );
  return false;
}

function which(command) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
