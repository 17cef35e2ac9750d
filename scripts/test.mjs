#!/usr/bin/env node
/**
 * `npm test`: installs what is missing, builds, and runs everything that needs no root; says what did not run and
 * why. With LABLB_TEST_ALL=1 (as .ci/run sets it) a missing tool is a failure, and with LABLB_TEST_LXD="lxd incus" the
 * suites on a real LXD and Incus run too. Ends with "N passed, N failed, N skipped". Arguments are handed to vitest:
 * `npm test -- test/plan`.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { installIfNeeded, root, tryRun } from './support.mjs';

/** Suites that have containers for machines and reach them over SSH: what they say is not about the daemon, one is enough. */
const OVER_SSH = ['--exclude=test/lxd/*ssh*.e2e.ts'];
const daemons = (process.env.LABLB_TEST_LXD ?? '').split(' ').filter(Boolean);
const everything = process.env.LABLB_TEST_ALL === '1';
const results = join(root, 'build', 'test-results.json');
const reasons = join(root, 'build', 'test-skips.txt');
/** How vitest calls a test that did not run. */
const NOT_RUN = ['skipped', 'pending', 'todo'];
const tally = { passed: 0, failed: 0, skipped: 0 };

try {
  await installIfNeeded();
  await build();
} catch (error) {
  process.stderr.write(`npm test: ${error.message}\n`);
  finish({ passed: 0, failed: 1, skipped: 0 });
}

await check('biome', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
await check('types', ['node_modules/typescript/bin/tsc', '--noEmit']);
count(await vitest(process.argv.slice(2)));
for (const daemon of daemons) {
  const onDaemon = (suites) =>
    vitest(['--config=test/lxd/vitest.config.ts', ...suites], { LABLB_SANDBOX_DAEMON: daemon });
  process.stdout.write(`\non a real ${daemon}:\n`);
  const run = await onDaemon(daemon === daemons[0] ? [] : OVER_SSH);
  const failed = run.files.filter((file) => file.failed > 0).map((file) => file.name);
  count({ ...run, files: run.files.filter((file) => file.failed === 0) });
  if (failed.length === 0) continue;
  // A daemon on a busy machine is late, or loses an answer, for reasons of its own. What fails twice is ours.
  process.stdout.write(`\nonce more, in a fresh sandbox: ${failed.join(' ')}\n`);
  count(await onDaemon(failed));
}
finish(tally);

async function check(name, argv) {
  const status = await tryRun(process.execPath, argv, { quiet: true });
  process.stdout.write(`${status === 0 ? '✔' : '✖'} ${name}\n`);
  tally[status === 0 ? 'passed' : 'failed']++;
}

/** Runs vitest: what came out, by file. */
async function vitest(args, env = {}) {
  mkdirSync(join(root, 'build'), { recursive: true });
  for (const file of [results, reasons]) rmSync(file, { force: true });
  const reporters = [
    `--reporter=${env.LABLB_SANDBOX_DAEMON ? 'default' : 'dot'}`,
    '--reporter=json',
    `--outputFile.json=${results}`,
  ];
  const argv = ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args];
  const status = await tryRun(process.execPath, argv, {
    env: { LABLB_NO_BUILD: '1', LABLB_SKIPS_FILE: reasons, ...env },
  });
  const report = read(results);
  const files = (report ? JSON.parse(report).testResults : []).map(({ name, status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed').length;
    return {
      name: name.replace(`${root}/`, ''),
      passed: assertionResults.filter((test) => test.status === 'passed').length,
      // A file that does not load, or whose hooks fail, may have no failed test.
      failed: status === 'failed' ? Math.max(1, failed) : failed,
      skipped: assertionResults.filter((test) => NOT_RUN.includes(test.status)).length,
    };
  });
  return { files, lost: status !== 0 && files.every((file) => file.failed === 0) };
}

function count({ files, lost }) {
  for (const outcome of ['passed', 'failed', 'skipped'])
    tally[outcome] += files.reduce((sum, file) => sum + file[outcome], 0);
  if (lost) tally.failed++;
  tellSkipped(files.filter((file) => file.skipped > 0));
}

/** What did not run, by file, and the reasons that the tests gave. */
function tellSkipped(files) {
  if (files.length === 0) return;
  process.stdout.write('\ndid not run:\n');
  for (const { name, skipped } of files) process.stdout.write(`  ${name}: ${skipped}\n`);
  const why = [...new Set((read(reasons) ?? '').split('\n').filter(Boolean))];
  process.stdout.write(`because:\n${why.map((reason) => `  ${reason}\n`).join('') || '  no reason given\n'}`);
  if (everything) {
    process.stdout.write('LABLB_TEST_ALL=1 lets nothing be skipped\n');
    tally.failed += files.reduce((sum, { skipped }) => sum + skipped, 0);
  }
}

function finish({ passed, failed, skipped }) {
  process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  process.exit(failed === 0 ? 0 : 1);
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
