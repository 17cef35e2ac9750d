import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';

const bun = fileURLToPath(new URL('../../node_modules/@oven/bun-linux-x64/bin/bun', import.meta.url));
const probe = fileURLToPath(new URL('./datagram-probe.ts', import.meta.url));
if (!existsSync(bun)) console.warn('skipped: Bun for this platform is not installed');

describe.skipIf(!existsSync(bun))('datagrams', () => {
  let said: Record<string, unknown>;

  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'lablb-datagram-'));
    try {
      said = JSON.parse(
        execFileSync(bun, [probe, join(folder, 'log')], { encoding: 'utf8', timeout: 20_000 }),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('go over UDP, many at once', () => {
    expect(said.udp4).toEqual({ taken: 64, count: 64, first: ['first', 'second \xe9'], afterClose: 0 });
  });

  test('go over IPv6 where there is one', () => {
    expect(['no such address here', expect.objectContaining({ taken: 64, count: 64 })]).toContainEqual(
      said.udp6,
    );
  });

  test('find a unix socket again that was away, and never block on a full one', () => {
    expect(said.unix).toEqual({
      before: [2, 'one', 'two'],
      gone: 0,
      back: 1,
      after: 'again',
      overflows: true,
    });
  });

  test('are lost when nobody listens', () => {
    expect(said.absent).toBe(0);
  });
});
