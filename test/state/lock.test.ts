import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { identify } from '../../src/shell/processes.ts';
import { withLock } from '../../src/state/lock.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lablb-lock-'));
  path = join(folder, 'locks', 'lab');
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

it('is held while the action runs, and leaves nothing behind', async () => {
  await withLock(path, 'up', async () => {
    await expect(withLock(path, 'down', async () => 'in')).rejects.toThrow(/another lablb is at work.*`up`/);
  });
  expect(readdirSync(join(folder, 'locks'))).toEqual([]);
  expect(await withLock(path, 'down', async () => 'in')).toBe('in');
});

it('is released when the action fails', async () => {
  await expect(withLock(path, 'up', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withLock(path, 'up', async () => 'in')).toBe('in');
});

it.each([
  ['a process that is dead', { ...identify(process.pid)!, pid: 999_999_999 }],
  ['a process whose pid is somebody else’s now', { ...identify(process.pid)!, started: '1' }],
  ['an earlier boot', { ...identify(process.pid)!, boot: 'before' }],
])('is taken over from %s', async (_, holder) => {
  await withLock(path, 'up', async () => undefined);
  writeFileSync(path, JSON.stringify({ ...holder, doing: 'up' }));
  expect(await withLock(path, 'up', async () => 'in')).toBe('in');
});

it('is taken over when it is not readable as a lock', async () => {
  await withLock(path, 'up', async () => undefined);
  writeFileSync(path, '{"pid": 1');
  expect(await withLock(path, 'up', async () => 'in')).toBe('in');
});

it('lets one of many in, also when all find a stale one', async () => {
  await withLock(path, 'up', async () => undefined);
  writeFileSync(path, JSON.stringify({ ...identify(process.pid)!, started: '1', doing: 'up' }));
  let inside = 0;
  let most = 0;
  const enter = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
  };
  const all = await Promise.allSettled(Array.from({ length: 8 }, () => withLock(path, 'up', enter)));
  expect(most).toBe(1);
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

it('says so when its folder cannot be made', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(withLock(join(folder, 'file', 'lab', 'lock'), 'up', async () => 'in')).rejects.toMatchObject({
    fields: { code: 'state.folder' },
  });
  // Linux: there `recursive` of Node's mkdir goes on for ever.
  await expect(withLock('/proc/no-such-folder/lab/lock', 'up', async () => 'in')).rejects.toMatchObject({
    message: expect.stringMatching(/cannot be made: ENOENT.*\/proc\/no-such-folder/),
    fields: { code: 'state.folder' },
  });
});
