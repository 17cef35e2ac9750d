import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Reply, Step } from './fixture.ts';
import { readRequest } from './wire.ts';

/** A server that plays a script and keeps every byte it got. */
export interface Origin {
  readonly port: number;
  readonly connections: readonly Received[];
  /** When it last sent or got something, in ms of `performance.now()`. */
  lastActivity(): number;
  /** Forget what was received, drop the connections and begin the script again; the port stays. */
  reset(): void;
  close(): void;
}

export interface Received {
  /** latin1 */
  bytes: string;
  ended: 'open' | 'FIN' | 'closed';
}

export type Script = { readonly replies: readonly Reply[] } | { readonly raw: readonly Step[] };

export async function startOrigin(script: Script): Promise<Origin> {
  const connections: Received[] = [];
  const sockets = new Set<Socket>();
  let lastActivity = performance.now();
  let answered = 0;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    lastActivity = performance.now();
    const received: Received = { bytes: '', ended: 'open' };
    connections.push(received);
    const inbox = new Inbox(received);
    socket.on('data', (chunk) => {
      lastActivity = performance.now();
      received.bytes += chunk.toString('latin1');
      inbox.wake();
    });
    socket.on('end', () => {
      received.ended = 'FIN';
      inbox.wake();
      // Without a script that says otherwise an origin closes when its peer has.
      if (!('raw' in script)) socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      received.ended = 'closed';
      sockets.delete(socket);
      inbox.wake();
    });
    const perform = async (steps: readonly Step[]): Promise<void> => {
      for (const step of steps) {
        if (socket.destroyed) return;
        await play(socket, inbox, step);
        lastActivity = performance.now();
      }
    };
    void ('raw' in script
      ? perform(script.raw)
      : serve(inbox, perform, () => nextReply(script.replies, answered++)));
  });
  await listen(server);
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    lastActivity: () => lastActivity,
    reset: () => {
      for (const socket of sockets) socket.destroy();
      connections.length = 0;
      answered = 0;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What a connection got, and how much of it the script has dealt with. */
class Inbox {
  readonly received: Received;
  #consumed = 0;
  #waiting: (() => void)[] = [];

  constructor(received: Received) {
    this.received = received;
  }

  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Wait until `measure` finds something (a length above 0) at the front of what is left; false when it never will. */
  async until(measure: (bytes: string) => number): Promise<boolean> {
    while (measure(this.received.bytes.slice(this.#consumed)) === 0) {
      if (this.received.ended !== 'open') return false;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return true;
  }

  /** The same, and what it found is dealt with. */
  async take(measure: (bytes: string) => number): Promise<boolean> {
    if (!(await this.until(measure))) return false;
    this.#consumed += measure(this.received.bytes.slice(this.#consumed));
    return true;
  }
}

async function serve(
  inbox: Inbox,
  perform: (steps: readonly Step[]) => Promise<void>,
  next: () => Reply,
): Promise<void> {
  while (await inbox.until(headLength)) {
    const reply = next();
    const { at, steps } = stepsOf(reply);
    if (!(await inbox.take(at === 'head' ? headLength : requestLength))) return;
    await perform(steps);
  }
}

function nextReply(replies: readonly Reply[], index: number): Reply {
  return replies[Math.min(index, replies.length - 1)]!;
}

function stepsOf(reply: Reply): { at: 'head' | 'end'; steps: readonly Step[] } {
  if (typeof reply === 'string') return { at: 'end', steps: [reply] };
  return 'steps' in reply ? reply : { at: 'end', steps: reply };
}

function headLength(bytes: string): number {
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? 0 : end + 4;
}

function requestLength(bytes: string): number {
  const first = readRequest(bytes);
  return first?.message.complete ? bytes.length - first.rest.length : 0;
}

async function play(socket: Socket, inbox: Inbox, step: Step): Promise<void> {
  if (step === 'FIN') socket.end();
  else if (step === 'CLOSE') socket.end(() => socket.destroy());
  else if (step === 'RST') socket.resetAndDestroy();
  else if (typeof step === 'string') socket.write(step, 'latin1');
  else if ('pause' in step) await sleep(step.pause);
  else await inbox.take((bytes) => (bytes.length >= step.read ? step.read : 0));
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
}
