#!/usr/bin/env node
/** `npm run bench:cli`: how long the commands take that people type all the time. Medians, with spread. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { installIfNeeded, root } from './support.mjs';

const RUNS = 15;
const cases = [
  { name: 'lablb --version', args: ['--version'], goal: 150 },
  { name: 'lablb status', args: ['status'], goal: 300 },
  { name: 'lablb up (nothing to do)', args: ['up', 'topologies/quickstart.yaml'], goal: 1000 },
];

await installIfNeeded();
await build();
// A state folder of its own, so that labs that are up are left alone.
const state = mkdtempSync(join(tmpdir(), 'lablb-bench-'));
const lablb = (args) => {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin/run.js'), ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, XDG_STATE_HOME: state },
  });
  if (status !== 0) throw new Error(`lablb ${args.join(' ')}: exit status ${status}\n${stderr}`);
  return performance.now() - started;
};

try {
  lablb(['up', 'topologies/quickstart.yaml']);
  for (const { name, args, goal } of cases) {
    lablb(args); // the first run fills caches
    const times = Array.from({ length: RUNS }, () => lablb(args)).sort((a, b) => a - b);
    const median = times[Math.floor(RUNS / 2)];
    const text = `${median.toFixed(0)} ms  (${times[0].toFixed(0)}–${times.at(-1).toFixed(0)}, goal < ${goal})`;
    process.stdout.write(`${median < goal ? '✔' : '✖'} ${name.padEnd(26)} ${text}\n`);
    if (median >= goal) process.exitCode = 1;
  }
} catch (error) {
  process.stderr.write(`bench:cli: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  try {
    lablb(['down', '--name', 'quickstart']);
  } catch {
    // was never up
  }
  rmSync(state, { recursive: true, force: true });
}
