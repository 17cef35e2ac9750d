import { setTimeout as sleep } from 'node:timers/promises';

/** Waits so many milliseconds. Interrupted, it throws what the signal says, which is no fault of lablb's. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error) => {
    signal?.throwIfAborted();
    throw error;
  });
}
