import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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
  expect(readdirSync(folder)).toEqual([]);
  expect(await withLock(path, 'down', async () => 'in')).toBe('in');
});

it('leaves the folder to the locks of other labs', async () => {
  const other = join(folder, 'locks', 'other');
  await withLock(other, 'up', async () => {
    await withLock(path, 'up', async () => undefined);
    expect(readdirSync(join(folder, 'locks'))).toEqual(['other']);
  });
  expect(readdirSync(folder)).toEqual([]);
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
  mkdirSync(dirname(path));
  writeFileSync(path, JSON.stringify({ ...holder, doing: 'up' }));
  expect(await withLock(path, 'up', async () => 'in')).toBe('in');
});

it('is taken over when it is not readable as a lock', async () => {
  mkdirSync(dirname(path));
  writeFileSync(path, '{"pid": 1');
  expect(await withLock(path, 'up', async () => 'in')).toBe('in');
});

it('lets one of many in, also when all find a stale one', async () => {
  mkdirSync(dirname(path));
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
    message: expect.stringMatching(/cannot be made: \/proc\/no-such-folder: there is no such/),
    fields: { code: 'state.folder' },
  });
});
