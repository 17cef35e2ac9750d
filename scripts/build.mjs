#!/usr/bin/env node
import { createHash } from 'node:crypto';
/**
 * Builds what is older than its sources: the CLI (dist/ a file a module, bundle/ what is run), oclif's manifest, and the
 * engine (build/lablb-proxy). Starts with Node built-ins only, for it runs before and after anything is installed.
 *
 *     node scripts/build.mjs [--force] [cli|engine]...
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, run } from './support.mjs';

const PARTS = {
  cli: {
    inputs: [
      'src',
      'tsconfig.json',
      'tsconfig.build.json',
      'package.json',
      'package-lock.json',
      'scripts/build.mjs',
    ],
    except: ['src/proxy', 'src/sockets'],
    outputs: ['dist/cli/base.js', 'bundle/commands/up.js', 'oclif.manifest.json'],
    build: buildCli,
  },
  engine: {
    inputs: [
      'src/proxy',
      'src/sockets',
      'src/config',
      'src/errors.ts',
      'package.json',
      'package-lock.json',
      'scripts/build.mjs',
    ],
    except: [],
    outputs: ['build/lablb-proxy'],
    build: buildEngine,
  },
};

export async function build(names = Object.keys(PARTS), { force = false } = {}) {
  for (const name of names) {
    const part = PARTS[name];
    const stamp = join(root, 'build', `${name}.stamp`);
    const now = fingerprint(part.inputs, part.except);
    const fresh = part.outputs.every((output) => existsSync(join(root, output))) && read(stamp) === now;
    if (fresh && !force) continue;
    const started = performance.now();
    await part.build();
    mkdirSync(join(root, 'build'), { recursive: true });
    writeFileSync(stamp, now);
    process.stdout.write(`built ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)\n`);
  }
}

async function buildCli() {
  const dist = join(root, 'dist');
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json']);
  removeOrphans(dist, join(root, 'src'));
  await bundle(dist, join(root, 'bundle'));
  rmSync(join(root, 'oclif.manifest.json'), { force: true });
  // In a process of its own: an older manifest or module must not be in memory.
  await run(process.execPath, [fileURLToPath(new URL('./manifest.mjs', import.meta.url))]);
}

/**
 * A command and the libraries it needs in a few files instead of hundreds, which is a third of what a command takes.
 * Every file is two folders deep, as in dist/, for some find their neighbours by their own place.
 */
async function bundle(dist, to) {
  const { rolldown } = await import('rolldown');
  const commands = readdirSync(join(dist, 'commands')).filter((name) => name.endsWith('.js'));
  const entries = [
    ...commands.map((name) => ['commands', `commands/${name}`]),
    ['cli', 'cli/command-not-found.js'],
    // Programs of their own, which the chunk that starts them looks for beside itself.
    ['chunks', 'providers/local/web-server.js'],
    ['chunks', 'providers/local/dns-server.js'],
  ];
  const graph = await rolldown({
    input: Object.fromEntries(
      entries.map(([folder, path]) => [`${folder}/${basename(path, '.js')}`, join(dist, path)]),
    ),
    platform: 'node',
    // oclif and its plugins must be the ones that bin/run.js has; the others are needed by few commands.
    external: [/^@oclif\//, 'listr2', 'node-ssh'],
    logLevel: 'silent',
  });
  const names = { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' };
  const { output } = await graph.write({ dir: to, ...names });
  await graph.close();
  const written = new Set(output.map(({ fileName }) => fileName));
  for (const name of readdirSync(to, { recursive: true }))
    if (name.endsWith('.js') && !written.has(name)) rmSync(join(to, name));
}

async function buildEngine() {
  const bun = bunBinary();
  mkdirSync(join(root, 'build'), { recursive: true });
  const draft = join(root, 'build', `lablb-proxy.${process.pid}.new`);
  const flags = ['--compile', '--minify', `--compile-executable-path=${bun}`, '--outfile', draft];
  try {
    await run(bun, ['build', ...flags, 'src/proxy/main.ts'], { quiet: true });
    chmodSync(draft, 0o755);
    renameSync(draft, join(root, 'build', 'lablb-proxy')); // one that runs keeps its file
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Bun's binary from its platform package: no install script has to run for it. */
function bunBinary() {
  const platform = process.platform === 'darwin' ? 'darwin' : 'linux';
  const arch = process.arch === 'arm64' ? 'aarch64' : 'x64';
  const path = join(root, 'node_modules', '@oven', `bun-${platform}-${arch}`, 'bin', 'bun');
  if (existsSync(path)) return path;
  throw new Error(
    `the engine needs @oven/bun-${platform}-${arch}, which npm did not install (optional dependencies?)`,
  );
}

/** Names, sizes and times of all inputs, as one value: also a file that went away counts. */
function fingerprint(inputs, except) {
  const hash = createHash('sha256');
  const add = (path) => {
    const name = relative(root, path);
    if (except.includes(name)) return;
    const info = statSync(path, { throwIfNoEntry: false });
    if (info?.isDirectory()) for (const entry of readdirSync(path).sort()) add(join(path, entry));
    else if (info) hash.update(`${name} ${info.size} ${info.mtimeMs}\n`);
  };
  for (const input of inputs) add(join(root, input));
  return hash.digest('hex');
}

/** Compiled files whose source went away: oclif would still find them as commands. */
function removeOrphans(folder, sources) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeOrphans(path, join(sources, entry.name));
    else if (!existsSync(join(sources, entry.name.replace(/\.js(\.map)?$/, '.ts')))) rmSync(path);
  }
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const names = args.filter((arg) => arg in PARTS);
  try {
    await build(names.length > 0 ? names : undefined, { force: args.includes('--force') });
  } catch (error) {
    process.stderr.write(`build: ${error.message}\n`);
    process.exitCode = 1;
  }
}
