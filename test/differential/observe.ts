import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Case, type ClientStep, OK } from './fixture.ts';
import type { LogSink } from './logsink.ts';
import type { Origin, Received, Script } from './origin.ts';

/** What one case did through one proxy. Bytes are latin1. */
export interface Observation {
  readonly sent: string;
  readonly received: string;
  readonly ended: 'open' | 'FIN' | 'RST';
  readonly origin: readonly Received[];
  /** Log lines; none are waited for when the case does not compare them. */
  readonly log: readonly string[];
}

/** A proxy's port, and what is behind it. */
export interface Scene {
  readonly port: number;
  readonly origin: Origin;
  readonly log: LogSink;
}

/** How long nothing must happen before a case counts as over, in ms. */
export interface Patience {
  /** After the last byte that moved. */
  readonly quiet: number;
  /** While the client has got nothing at all. */
  readonly first: number;
}

export const USUAL: Patience = { quiet: 250, first: 1200 };
/** For a second look, when a difference may come from a slow machine. */
export const GENEROUS: Patience = { quiet: 1000, first: 3000 };

export function scriptOf(fixture: Case): Script {
  return fixture.raw ? { raw: fixture.raw } : { replies: fixture.server ?? [OK] };
}

/** Play the client's side of a case against a proxy's port, until the connection ends or nothing happens any more. */
export async function observe(fixture: Case, scene: Scene, patience: Patience): Promise<Observation> {
  const { port, origin, log } = scene;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  let received = '';
  let sent = '';
  const ending: { how: Observation['ended'] } = { how: 'open' };
  let lastActivity = performance.now();
  socket.on('data', (chunk) => {
    lastActivity = performance.now();
    received += chunk.toString('latin1');
  });
  socket.on('end', () => {
    ending.how = 'FIN';
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    // Writing to a connection that the proxy has closed properly is no reset of its own.
    if (ending.how === 'open') ending.how = error.code === 'EPIPE' ? 'FIN' : 'RST';
  });

  const steps = typeof fixture.client === 'string' ? [fixture.client] : fixture.client;
  for (const step of steps) {
    if (ending.how === 'RST') break;
    await play(step);
    lastActivity = performance.now();
  }
  await quiet();
  const connections = origin.connections.map((connection) => ({ ...connection }));
  socket.destroy();
  // A connection that was open until now is logged only now.
  if (fixture.compare?.includes('log')) await sleep(patience.quiet);
  return { sent, received, ended: ending.how, origin: connections, log: [...log.lines] };

  async function play(step: ClientStep): Promise<void> {
    if (step === 'FIN') socket.end();
    else if (step === 'RST') socket.resetAndDestroy();
    else if (typeof step === 'string') {
      sent += step;
      if (socket.writable) socket.write(step, 'latin1');
      // So that two steps are two segments.
      await sleep(5);
    } else if ('pause' in step) await sleep(step.pause);
    else await untilReceived(step.until);
  }

  async function untilReceived(text: string): Promise<void> {
    const deadline = performance.now() + patience.first * 2;
    while (!received.includes(text) && ending.how === 'open' && performance.now() < deadline) await sleep(5);
  }

  async function quiet(): Promise<void> {
    const deadline = performance.now() + 15_000;
    while (ending.how === 'open' && !socket.destroyed && performance.now() < deadline) {
      const last = Math.max(lastActivity, origin.lastActivity());
      if (performance.now() - last > (received === '' ? patience.first : patience.quiet)) return;
      await sleep(10);
    }
    // The client's connection is over; what the origin still gets of it comes at once, but for a client that went away.
    await sleep(socket.destroyed && ending.how === 'open' ? patience.quiet : 30);
  }
}
