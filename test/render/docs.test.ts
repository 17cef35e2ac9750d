import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderTopologyDocs } from '../../src/render/topology-docs.ts';
import { parseTopology } from '../../src/topology/parse.ts';

it('docs/topology.md is current (else: npm run docs)', () => {
  expect(readFileSync(new URL('../../docs/topology.md', import.meta.url), 'utf8')).toBe(renderTopologyDocs());
});

it('the topologies that it shows are topologies', () => {
  const shown = [...renderTopologyDocs().matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text!);
  expect(shown.length).toBeGreaterThan(0);
  for (const text of shown) expect(() => parseTopology(text, { file: 'docs.lab.yaml' })).not.toThrow();
});
