#!/usr/bin/env node
/** `npm run docs`: writes the pages that come from declarations: commands, the topology's schema,
 * the engine's keywords, the suites of tests. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { cliPage } from './docs-cli.mjs';
import { root } from './support.mjs';

await build(['cli', 'engine']);
const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8'));
const { renderTopologyDocs } = await import('../dist/render/topology-docs.js');
const [{ renderSuiteDocs }, { SUITES }] = await Promise.all([
  import('../dist/verify/suite-docs.js'),
  import('../dist/verify/suites.js'),
]);
const keywords = execFileSync(join(root, 'build', 'lablb-proxy'), ['keywords', '--markdown'], {
  encoding: 'utf8',
});

const PAGES = {
  'cli.md': cliPage(manifest),
  'topology.md': renderTopologyDocs(),
  'keywords.md': keywords,
  'suites.md': renderSuiteDocs(SUITES),
};
for (const [name, page] of Object.entries(PAGES)) writeFileSync(join(root, 'docs', name), page);
