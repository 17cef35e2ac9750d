import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { MemoryProvider } from '../../src/providers/memory/memory.ts';
import { sendSteadily } from '../../src/verify/steady.ts';

it('sends no more when whoever started it was killed', async () => {
  let argv: readonly string[] = [];
  const provider = new MemoryProvider();
  provider.exec = async (_, words) => {
    argv = words;
    return { exitStatus: 0, stdout: '', stderr: '' };
  };
  sendSteadily({ url: 'http://192.0.2.1/' }, { batch: 1, patience: 1 }, { provider, node: 'client' });
  const sender = argv.map((word) => (word === 'curl' ? 'true' : word));
  const parent = spawn('sh', ['-c', '"$@" & echo $!; wait', 'sh', ...sender]);
  const [told] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(told.toString());
  await sleep(300);
  expect(lives(pid)).toBe(true);
  parent.kill('SIGKILL');
  for (let n = 0; n < 200 && lives(pid); n++) await sleep(50);
  expect(lives(pid)).toBe(false);
});

it('leaves no file when the sender was interrupted', async () => {
  const files = new Set<string>();
  const provider = new MemoryProvider();
  provider.exec = async (_, [word, ...rest]) => {
    if (word === 'touch') files.add(rest[0]!);
    if (word === 'rm') files.delete(rest[1]!);
    return { exitStatus: word === 'sh' ? 130 : 0, stdout: '', stderr: '' };
  };
  const steady = sendSteadily(
    { url: 'http://192.0.2.1/' },
    { batch: 1, patience: 1 },
    { provider, node: 'client' },
  );
  await expect(steady.end()).rejects.toThrow('requests could not be sent');
  expect(files).toEqual(new Set());
});

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
