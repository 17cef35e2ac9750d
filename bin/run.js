#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { mindOutput } from './output.js';

mindOutput();
// Answered before anything is loaded: programs ask this often, and oclif takes longer to load than to answer.
if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-v')) {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`lablb ${version} node-${process.version} ${process.platform}-${process.arch}\n`);
} else {
  module.enableCompileCache?.(); // Node 22.1+: compiled code is kept between runs
  const { execute } = await import('@oclif/core/execute').catch(() => import('@oclif/core'));
  await import('@oclif/core/command').catch(() => import('@oclif/core')); // it listens to the output as it is loaded
  mindOutput();
  await execute({ dir: import.meta.url });
}
