#!/usr/bin/env node
/** `npm run docs`: writes the pages that come from declarations: commands, and the topology's schema. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { cliPage } from './docs-cli.mjs';
import { root } from './support.mjs';

await build(['cli']);
const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8'));
const { renderTopologyDocs } = await import('../dist/render/topology-docs.js');

const PAGES = { 'cli.md': cliPage(manifest), 'topology.md': renderTopologyDocs() };
for (const [name, page] of Object.entries(PAGES)) writeFileSync(join(root, 'docs', name), page);
