import { expect, it } from 'vitest';
import { pause } from '../../src/verify/pause.ts';

it('waits, and throws the reason of what interrupts it', async () => {
  await expect(pause(1, undefined)).resolves.toBeUndefined();
  const interrupted = new Error('interrupted');
  const controller = new AbortController();
  const waiting = pause(60_000, controller.signal);
  controller.abort(interrupted);
  await expect(waiting).rejects.toBe(interrupted);
  await expect(pause(60_000, controller.signal)).rejects.toBe(interrupted);
});
