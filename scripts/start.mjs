#!/usr/bin/env node
/** `npm start`: from a fresh clone to a lab that balances. Again, it is quick and changes nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { capture, installIfNeeded, root, tryRun } from './support.mjs';

const TOPOLOGY = 'topologies/quickstart.yaml';
const lablb = (...args) => tryRun(process.execPath, [join(root, 'bin/run.js'), ...args]);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`lablb needs Node 20.19 or newer; this is ${process.version}\n`);
  process.exit(3);
}

// Ctrl-C goes to what runs as well, which ends in its own way: wait for it, or it would write over the prompt.
// A second one waits for nothing.
let interrupted = false;
process.once('SIGINT', () => {
  interrupted = true;
});

try {
  await installIfNeeded();
  await build();
  for (const args of [
    ['up', TOPOLOGY],
    ['test', 'roundrobin', '--topology', TOPOLOGY],
  ]) {
    const status = interrupted ? 130 : await lablb(...args);
    if (status !== 0) process.exit(status);
  }
  process.stdout.write(`\n${await whereToLook()}\n`);
} catch (error) {
  process.stderr.write(
    interrupted ? 'npm start: interrupted; run it again to go on\n' : `npm start: ${error.message}\n`,
  );
  process.exitCode = interrupted ? 130 : 1;
}

async function whereToLook() {
  const [lab] = JSON.parse(
    await capture(process.execPath, [join(root, 'bin/run.js'), 'status', TOPOLOGY, '--json']),
  );
  const rows = [
    [lab.curl, 'the site'],
    [lab.statistics, 'the statistics page'],
    ['npx lablb status', 'what is up, and what differs from what should be'],
    ['npx lablb logs proxyha -f', 'requests as they come in'],
    [`npx lablb down`, 'take it away again'],
    [`npx lablb up ${TOPOLOGY}`, 'after you changed that file: only what differs is done'],
  ];
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const width = Math.max(...rows.map(([what]) => what.length));
  return [
    `lablb ${version}: where to look next`,
    ...rows.map(([what, why]) => `  ${what.padEnd(width)}  ${why}`),
  ].join('\n');
}
