import { expect, it } from 'vitest';
import { type JsonSchema, keysAt, topologyJsonSchema } from '../../src/topology/json-schema.ts';
import { workspace } from './support.ts';

const { lablb } = workspace();

it('lablb schema prints the schema, with and without --json', async () => {
  const [plain, json] = await Promise.all([lablb(['schema']), lablb(['schema', '--json'])]);
  expect(JSON.parse(plain.stdout)).toEqual(topologyJsonSchema());
  expect(json.stdout).toBe(plain.stdout);
});

it('every key is described, and only known keys are allowed', () => {
  const undescribed: string[] = [];
  const open: string[] = [];
  const visit = (schema: JsonSchema, path: string): void => {
    if (schema.properties && schema.additionalProperties !== false) open.push(path);
    for (const [key, value] of Object.entries(schema.properties ?? {})) {
      if (!value.description) undescribed.push(`${path}.${key}`);
      visit(value, `${path}.${key}`);
    }
    if (typeof schema.additionalProperties === 'object') visit(schema.additionalProperties, `${path}.*`);
    for (const branch of schema.anyOf ?? []) visit(branch, path);
  };
  visit(topologyJsonSchema(), '');
  expect(undescribed).toEqual([]);
  expect(open).toEqual([]);
});

it('knows which keys may stand where', () => {
  expect(keysAt([])).toContain('balancer');
  expect(keysAt(['nodes'])).toEqual([]);
  expect(keysAt(['nodes', 'web1'])).toContain('count');
  expect(keysAt(['balancer', 'sites', 'a.example.com'])).toEqual(['servers', 'aliases', 'balance']);
  expect(keysAt(['balancer', 'check'])).toContain('inter');
  expect(keysAt(['constructor', 'x'])).toEqual([]);
});
