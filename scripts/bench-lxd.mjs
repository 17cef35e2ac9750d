#!/usr/bin/env node
/**
 * `npm run bench:lxd [-- --mirror] [ROUNDS]`: the Rocky Linux tutorial, typed as a script in one go, against `lablb up` of
 * topologies/rocky-lxd-apache.yaml, on the same LXD (the sandbox of test/sandbox, root needed), with the same image,
 * packages really installed each time; and a second `lablb up`. Then the same with six web servers: the first time,
 * and once more when their prepared image is there. Rounds are interleaved; figures are medians, ratios are those of
 * neighbours and their median. LABLB_SANDBOX=FOLDER takes a sandbox that is up.
 *
 * With --mirror it is Debian, whose packages come from the mirror that this machine uses itself, as they do in life; there
 * is nothing of more servers then.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { root } from './support.mjs';

const mirror = process.argv.includes('--mirror');
const rounds = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 3);
const kept = process.env.LABLB_SANDBOX;
const sandbox = kept ?? mkdtempSync(join(tmpdir(), 'lablb-sandbox-'));
const state = mkdtempSync(join(tmpdir(), 'lablb-bench-'));
/** The Debian image, but for where its packages are. */
const MIRRORED = 'debian/12-mirror';
const image = mirror ? MIRRORED : 'images:rockylinux/8';
const tutorial = join(state, 'rocky-lxd-apache.yaml');
writeFileSync(
  tutorial,
  readFileSync(join(root, 'topologies', 'rocky-lxd-apache.yaml'), 'utf8').replace(
    'images:rockylinux/8',
    image,
  ),
);
const SERVERS = 6;
const many = join(state, 'many.yaml');
writeFileSync(many, manyServers());
/** Columns: what is run → seconds, a round each. */
const times = { script: [], up: [], again: [], ...(mirror ? {} : { script6: [], up6: [], prepared6: [] }) };

await build();
run(join(root, 'test/sandbox/up.sh'), [sandbox]);
try {
  if (mirror) makeMirrored();
  clear();
  lablb('up', tutorial); // the image is unpacked, files are in the cache: for both
  lablb('down', tutorial);
  for (let round = 1; round <= rounds; round++) {
    times.script.push(timed(() => type(2)));
    clear();
    times.up.push(timed(() => lablb('up', tutorial)));
    lablb('test', '--topology', tutorial);
    times.again.push(timed(() => lablb('up', tutorial)));
    lablb('down', tutorial);

    if (!mirror) timeMany();
    clear();
    const said = Object.entries(times).map(([name, all]) => `${name} ${all.at(-1).toFixed(1)} s`);
    process.stdout.write(`round ${round} of ${rounds}: ${said.join(', ')}\n`);
  }
} finally {
  clear();
  if (mirror) run(join(root, 'test/sandbox/uplink.sh'), [sandbox, 'off']);
  rmSync(state, { recursive: true, force: true });
  if (!kept) run(join(root, 'test/sandbox/down.sh'), [sandbox]);
}

const rows = [
  ['the tutorial as a script', 'script'],
  ['lablb up', 'up', 'script', 'goal: at most 0.33'],
  ['lablb up, once more', 'again', undefined, 'goal: at most 2 s'],
  [`${SERVERS} web servers, as a script`, 'script6'],
  ['lablb up', 'up6', 'script6', 'their image is made on the way'],
  ['lablb up, with that image', 'prepared6', 'script6'],
];
process.stdout.write('\n');
for (const [title, name, of, note] of rows.filter(([, name]) => name in times)) {
  const ratio = of && median(times[name].map((seconds, i) => seconds / times[of][i]));
  const words = [ratio && `${ratio.toFixed(2)} of it`, note && `(${note})`].filter(Boolean).join(' ');
  const seconds = `${median(times[name]).toFixed(1).padStart(6)} s`;
  process.stdout.write(`${title.padEnd(28)} ${seconds}   ${words}`.trimEnd().concat('\n'));
}

function timeMany() {
  times.script6.push(timed(() => type(SERVERS)));
  clear();
  times.up6.push(timed(() => lablb('up', many)));
  lablb('test', 'roundrobin', '--topology', many);
  lablb('down', many);
  times.prepared6.push(timed(() => lablb('up', many)));
  lablb('down', many);
}

/** A way to the mirror, and the image that takes its packages from there. */
function makeMirrored() {
  run(join(root, 'test/sandbox/uplink.sh'), [sandbox]);
  const lxc = join(sandbox, 'bin/lxc');
  const aliases = output(lxc, 'image', 'list', '--format', 'csv', '--columns', 'l');
  if (aliases.includes(MIRRORED)) return;
  const where = output('apt-get', 'indextargets', '--format', '$(REPO_URI)', 'Release: bookworm').split(
    '\n',
  )[0];
  const files = {
    'etc/apt/sources.list': `deb [trusted=yes] ${where} bookworm main\n`,
    'etc/resolv.conf': 'nameserver 198.18.0.1\n',
  };
  run(lxc, ['init', 'debian/12', 'mirrored', '--quiet']);
  for (const [path, content] of Object.entries(files)) {
    const file = join(state, 'file');
    writeFileSync(file, content);
    run(lxc, ['file', 'push', '--mode', '0644', file, `mirrored/${path}`]);
  }
  run(lxc, ['publish', 'mirrored', '--alias', MIRRORED, '--quiet']);
  run(lxc, ['delete', 'mirrored']);
}

/** The tutorial's commands, for so many web servers. */
function type(servers) {
  const script = join(root, 'test/bench/lxd/tutorial.sh');
  inside('env', 'LAN=lan0', `SERVERS=${servers}`, `IMAGE=${image}`, 'bash', script);
}

/** The tutorial's topology with more web servers, each with a name of its own. */
function manyServers() {
  const names = Array.from({ length: SERVERS }, (_, i) => `web${i + 1}`);
  const nodes = names.map(
    (name, i) =>
      `  ${name}: { server: httpd, title: SITE${i + 1}, names: [site${i + 1}.testdomain.com, site${i + 1}, ${name}.testdomain.com] }\n`,
  );
  return readFileSync(tutorial, 'utf8')
    .replace('name: rocky-lxd-apache', 'name: many')
    .replace(/^ {2}web1:[\s\S]*?(?=^ {2}proxyha:)/m, nodes.join(''))
    .replace(/(site1\.testdomain\.com:) \[.*\]/, `$1 [${names.join(', ')}]`)
    .replace(/(site2\.testdomain\.com:) \[.*\]/, `$1 [${names.toReversed().join(', ')}]`);
}

function inside(...argv) {
  run(join(sandbox, 'bin/inside'), argv);
}

function lablb(...args) {
  inside('env', `XDG_STATE_HOME=${state}`, process.execPath, join(root, 'bin/run.js'), ...args);
}

/** What the tutorial leaves, and the images that were prepared: every first `up` begins without. */
function clear() {
  const lxc = join(sandbox, 'bin/lxc');
  const names = output(lxc, 'list', '--format', 'csv', '--columns', 'n');
  for (const name of names.split('\n').filter(Boolean)) run(lxc, ['delete', '--force', name]);
  const aliases = output(lxc, 'image', 'list', '--format', 'csv', '--columns', 'l');
  for (const alias of aliases.match(/lablb\/prepared\/\w+/g) ?? []) run(lxc, ['image', 'delete', alias]);
  const profiles = output(lxc, 'profile', 'list', '--format', 'csv');
  if (/^macvlan,/m.test(profiles)) run(lxc, ['profile', 'delete', 'macvlan']);
}

function output(file, ...argv) {
  return execFileSync(file, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function run(file, argv) {
  try {
    execFileSync(file, argv, {
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
      timeout: 900_000,
    });
  } catch (error) {
    process.stderr.write(`${error.stdout}${error.stderr}\n`);
    throw new Error(`${file} ${argv.join(' ')}: exit status ${error.status}`);
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
