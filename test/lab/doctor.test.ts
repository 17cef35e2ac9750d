import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { DOCTOR_PROVIDERS, examine } from '../../src/lab/doctor.ts';
import { temporaryState } from '../support/state.ts';

it('tells what is here, what is missing, and how to get it', async () => {
  const folder = temporaryState();
  const engine = join(folder, 'engine');
  writeFileSync(engine, '#!/bin/sh\necho "Engine 9.9 (test) more"\n');
  chmodSync(engine, 0o755);
  vi.stubEnv('LABLB_ENGINE', engine);
  const found = new Map((await examine('local')).map((finding) => [finding.name, finding]));
  expect(found.get('engine')?.found).toBe('Engine 9.9');
  expect(found.get('state folder')?.found).toBe(join(folder, 'lablb'));

  vi.stubEnv('LABLB_ENGINE', join(folder, 'nothing'));
  const [missing] = await examine('local');
  expect(missing).toMatchObject({ name: 'engine', need: 'needed', found: undefined, get: 'npm run build' });
});

it('looks at one provider or at all, and always at what all need', async () => {
  temporaryState();
  const all = new Set((await examine()).map((finding) => finding.provider));
  expect(all).toEqual(new Set(['everywhere', ...DOCTOR_PROVIDERS]));
  expect(new Set((await examine('ssh')).map((finding) => finding.provider))).toEqual(
    new Set(['everywhere', 'ssh']),
  );
});
