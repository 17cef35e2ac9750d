#!/usr/bin/env node
/**
 * `npm run bench:lxd [ROUNDS]`: the Rocky Linux tutorial, typed as a script in one go, against `lablb up` of
 * topologies/rocky-lxd-apache.yaml, on the same LXD (the sandbox of test/sandbox, root needed), with the same image,
 * packages really installed each time; and a second `lablb up`. Rounds are interleaved; medians and ratios of one run.
 * LABLB_SANDBOX=FOLDER takes a sandbox that is up.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { root } from './support.mjs';

const rounds = Number(process.argv[2] ?? 3);
const kept = process.env.LABLB_SANDBOX;
const sandbox = kept ?? mkdtempSync(join(tmpdir(), 'lablb-sandbox-'));
const state = mkdtempSync(join(tmpdir(), 'lablb-bench-'));
const topology = join(root, 'topologies', 'rocky-lxd-apache.yaml');
const times = { tutorial: [], up: [], again: [] };

await build();
run(join(root, 'test/sandbox/up.sh'), [sandbox]);
try {
  clear();
  lablb('up', topology); // the image is unpacked, files are in the cache: for both
  lablb('down', topology);
  for (let round = 1; round <= rounds; round++) {
    times.tutorial.push(
      timed(() => inside('env', 'LAN=lan0', 'bash', join(root, 'test/bench/lxd/tutorial.sh'))),
    );
    clear();
    times.up.push(timed(() => lablb('up', topology)));
    lablb('test', 'roundrobin', '--topology', topology);
    times.again.push(timed(() => lablb('up', topology)));
    lablb('down', topology);
    process.stdout.write(
      `round ${round} of ${rounds}: ${Object.entries(times)
        .map(([name, all]) => `${name} ${all.at(-1).toFixed(1)} s`)
        .join(', ')}\n`,
    );
  }
} finally {
  clear();
  rmSync(state, { recursive: true, force: true });
  if (!kept) run(join(root, 'test/sandbox/down.sh'), [sandbox]);
}

const [tutorial, up, again] = Object.values(times).map(median);
process.stdout.write(`
the tutorial as a script   ${tutorial.toFixed(1).padStart(6)} s
lablb up                   ${up.toFixed(1).padStart(6)} s   ${(up / tutorial).toFixed(2)} of it (goal: at most 0.33)
lablb up, once more        ${again.toFixed(1).padStart(6)} s   (goal: at most 2 s)
`);

function inside(...argv) {
  run(join(sandbox, 'bin/inside'), argv);
}

function lablb(...args) {
  inside('env', `XDG_STATE_HOME=${state}`, process.execPath, join(root, 'bin/run.js'), ...args);
}

/** What the tutorial leaves. */
function clear() {
  const lxc = join(sandbox, 'bin/lxc');
  const names = execFileSync(lxc, ['list', '--format', 'csv', '--columns', 'n'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (const name of names.split('\n').filter(Boolean)) run(lxc, ['delete', '--force', name]);
  const profiles = execFileSync(lxc, ['profile', 'list', '--format', 'csv'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (/^macvlan,/m.test(profiles)) run(lxc, ['profile', 'delete', 'macvlan']);
}

function run(file, argv) {
  try {
    execFileSync(file, argv, {
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
      timeout: 900_000,
    });
  } catch (error) {
    process.stderr.write(`${file} ${argv.join(' ')}\n${error.stdout}${error.stderr}\n`);
    throw error;
  }
}

function timed(action) {
  const started = performance.now();
  action();
  return (performance.now() - started) / 1000;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
