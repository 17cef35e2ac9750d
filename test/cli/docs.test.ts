import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it('docs/cli.md is what the commands declare (else: npm run docs)', async () => {
  // @ts-expect-error: a script, without types
  const { cliPage } = await import('../../scripts/docs-cli.mjs');
  expect(text('docs/cli.md')).toBe(cliPage(JSON.parse(text('oclif.manifest.json'))));
});
