import { setTimeout as sleep } from 'node:timers/promises';

export interface Live {
  /** What is to be seen now. */
  readonly draw: () => Promise<string>;
  readonly intervalMs: number;
  /** Ends it, as the key `q` does. */
  readonly signal: AbortSignal;
}

/** Draws over what it drew, again and again, until q, Ctrl-C or `signal`; the last picture stays. */
export async function live({ draw, intervalMs, signal }: Live): Promise<void> {
  const { default: redraw } = await import('log-update');
  const quit = new AbortController();
  const end = AbortSignal.any([signal, quit.signal]);
  const letGo = onKeys(() => quit.abort());
  try {
    while (!end.aborted) {
      redraw(await draw());
      await sleep(intervalMs, undefined, { signal: end }).catch(() => undefined);
    }
  } finally {
    redraw.done();
    letGo();
  }
}

/** Keys that mean "enough": q, Escape, Ctrl-C (which a terminal in raw mode hands over as a character), Ctrl-D. */
const ENOUGH = /^(?:[qQ]|\u001b|\u0003|\u0004)$/;

function onKeys(quit: () => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => undefined;
  const onData = (key: Buffer): void => {
    if (ENOUGH.test(key.toString())) quit();
  };
  stdin.setRawMode(true);
  stdin.on('data', onData);
  return () => {
    stdin.off('data', onData);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
