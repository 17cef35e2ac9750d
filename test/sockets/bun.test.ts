import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cases } from './conformance.ts';

const platform = `bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}`;
const bun = fileURLToPath(new URL(`../../node_modules/@oven/${platform}/bin/bun`, import.meta.url));
if (!existsSync(bun)) console.warn(`skipped: npm did not install @oven/${platform}`);

/** `quick` is the one on epoll; where the system has none it is the other one again. */
describe.skipIf(!existsSync(bun)).each(['bun', 'quick'])('the real transport (%s)', (which) => {
  const results = new Map<string, string | undefined>();
  let folder: string;
  let output = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lablb-sockets-'));
    const script = fileURLToPath(new URL('run.ts', import.meta.url));
    const child = spawn(bun, [script, which, folder], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => {
        output += part;
      });
    await new Promise((resolve) => child.on('close', resolve));
    for (const line of output.split('\n').filter((each) => each.startsWith('{'))) {
      const { name, error } = JSON.parse(line) as { name: string; error?: string };
      results.set(name, error);
    }
  }, 70_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(cases)('$name', ({ name }) => {
    if (!results.has(name)) throw new Error(`it did not come so far:\n${output.slice(-2000)}`);
    expect(results.get(name)).toBeUndefined();
  });
});
