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

/** On Incus what rests on the daemon; what is inside the nodes is the same as on LXD. `npm run test:lxd` runs all on either. */
const SUITES = { lxd: [], incus: ['conformance', 'rocky', 'hard', 'verbs', 'many'] };
const daemons = (process.env.LABLB_TEST_LXD ?? '').split(' ').filter(Boolean);
const everything = process.env.LABLB_TEST_ALL === '1';
const results = join(root, 'build', 'test-results.json');
const reasons = join(root, 'build', 'test-skips.txt');
const tally = { passed: 0, failed: 0, skipped: 0 };

try {
  await installIfNeeded();
  await build();
} catch (error) {
  process.stderr.write(`npm test: ${error.message}\n`);
  finish({ passed: 0, failed: 1, skipped: 0 });
}

await check('biome', ['node_modules/@biomejs/biome/bin/biome', 'check', '--diagnostic-level=error', '.']);
await check('types', ['node_modules/typescript/bin/tsc', '--noEmit']);
await vitest(process.argv.slice(2));
for (const daemon of daemons) {
  process.stdout.write(`\non a real ${daemon}:\n`);
  await vitest(['--config=test/lxd/vitest.config.ts', ...(SUITES[daemon] ?? [])], {
    LABLB_SANDBOX_DAEMON: daemon,
  });
}
finish(tally);

async function check(name, argv) {
  const status = await tryRun(process.execPath, argv, { quiet: true });
  process.stdout.write(`${status === 0 ? '✔' : '✖'} ${name}\n`);
  tally[status === 0 ? 'passed' : 'failed']++;
}

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
  if (!report) {
    tally.failed++;
    return;
  }
  const { testResults, numPassedTests, numFailedTests } = JSON.parse(report);
  const skipped = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'skipped' || status === 'pending' || status === 'todo')
      .map(({ fullName }) => ({ file: name.replace(`${root}/`, ''), fullName })),
  );
  tally.passed += numPassedTests;
  tally.failed += numFailedTests;
  tally.skipped += skipped.length;
  // A file that does not load has no failed test, but vitest's status tells.
  if (status !== 0 && numFailedTests === 0) tally.failed++;
  tellSkipped(skipped);
}

/** What did not run, by file, and the reasons that the tests gave. */
function tellSkipped(skipped) {
  if (skipped.length === 0) return;
  process.stdout.write('\ndid not run:\n');
  for (const file of new Set(skipped.map((test) => test.file))) {
    process.stdout.write(`  ${file}: ${skipped.filter((test) => test.file === file).length}\n`);
  }
  const why = [...new Set((read(reasons) ?? '').split('\n').filter(Boolean))];
  process.stdout.write(`because:\n${why.map((reason) => `  ${reason}\n`).join('') || '  no reason given\n'}`);
  if (everything) {
    process.stdout.write('LABLB_TEST_ALL=1 lets nothing be skipped\n');
    tally.failed += skipped.length;
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
