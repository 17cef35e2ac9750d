import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import {
  findByEnvironment,
  identify,
  isAlive,
  isListening,
  signal,
  terminate,
} from '../../src/shell/processes.ts';

async function child(
  code: string,
  env: Record<string, string> = {},
): Promise<ChildProcess & { pid: number }> {
  const started = spawn(process.execPath, ['-e', `${code}; process.stdout.write('ready')`], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void started.kill('SIGKILL'));
  await new Promise((resolve) => started.stdout.once('data', resolve));
  return started as ChildProcess & { pid: number };
}

const STAY = 'setInterval(() => {}, 1000)';

it('knows a process again, and no stranger of the same pid', async () => {
  const { pid } = await child(STAY);
  const found = identify(pid)!;
  expect(isAlive(found)).toBe(true);
  expect(isAlive({ ...found, started: `${found.started}0` })).toBe(false);
  expect(isAlive({ ...found, boot: 'another' })).toBe(false);
  expect(signal({ ...found, started: '0' }, 'SIGKILL')).toBe(false);
  expect(isAlive(found)).toBe(true);
});

it('ends a process that listens to SIGTERM', async () => {
  const { pid } = await child(STAY);
  const found = identify(pid)!;
  expect(await terminate(found)).toBe(true);
  expect(isAlive(found)).toBe(false);
});

it('ends a process that does not', async () => {
  const { pid } = await child(`process.on('SIGTERM', () => {}); ${STAY}`);
  const found = identify(pid)!;
  expect(await terminate(found, 50)).toBe(true);
  expect(isAlive(found)).toBe(false);
});

it('has no identity for a pid that nobody has', () => {
  expect(identify(999_999_999)).toBeUndefined();
});

it('finds a process by what is in its environment, whole', async () => {
  const mark = `${process.pid}-${Math.random()}`;
  const { pid } = await child(STAY, { LABLB_TEST_MARK: mark });
  expect(findByEnvironment(`LABLB_TEST_MARK=${mark}`).map((found) => found.pid)).toEqual([pid]);
  expect(findByEnvironment(`LABLB_TEST_MARK=${mark.slice(0, -1)}`)).toEqual([]);
});

it.runIf(process.platform === 'linux')('tells whether a process itself listens', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const quiet = await child(STAY);
  expect(isListening(process.pid)).toBe(true);
  expect(isListening(quiet.pid)).toBe(false);
});
