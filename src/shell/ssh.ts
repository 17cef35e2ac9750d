import { createReadStream } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { constants } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../errors.ts';
import { type HostKeyPolicy, HostKeys } from './host-keys.ts';
import { remoteCommand } from './remote-command.ts';
import type { RunOptions, RunResult } from './run.ts';
import { authMethods } from './ssh-auth.ts';
import { sshFailure } from './ssh-failure.ts';

export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Private key file; without one, the agent's keys and the usual files. */
  readonly key?: string;
  /** Asked once, when the connection is made. */
  readonly password?: () => Promise<string | undefined>;
  /** Commands run as root by `sudo -n`. */
  readonly sudo: boolean;
  readonly hostKeys: HostKeyPolicy;
  /** Milliseconds until the connection must stand; 10 s unless said. */
  readonly connectMs?: number;
  /** Milliseconds of silence after which a machine counts as lost in mid-command; 15 s unless said. */
  readonly silenceMs?: number;
}

export interface SshRunOptions extends Omit<RunOptions, 'cwd'> {
  /** A file of this machine for its standard input, instead of `input`. */
  readonly source?: string;
}

/** What sshd allows on one connection is 10 (MaxSessions, sshd_config(5)). */
const MAX_SESSIONS = 8;
const SESSION_ATTEMPTS = 40;
const SESSION_PAUSE_MS = 50;
const MAX_OUTPUT = 64 * 1024 * 1024;
const CONNECT_MS = 10_000;
const SILENCE_MS = 15_000;
const COMMAND_MS = 30_000;

/**
 * A machine that is reached over SSH. The connection is made when it is first needed and shared from then on; one
 * that was lost is made anew. An idle one does not keep lablb running.
 */
export class SshMachine {
  readonly target: SshTarget;
  readonly #jump: SshMachine | undefined;
  #link: Promise<Link> | undefined;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(target: SshTarget, jump?: SshMachine) {
    this.target = target;
    this.#jump = jump;
  }

  /**
   * Runs an argv (never a shell string of the user's) with a deadline; standard input is empty unless given. A
   * non-zero status is a result, 128 + n when signal n ended it.
   *
   * @throws LabError `ssh.…`, `command.timeout`; the reason of `signal` when it is aborted.
   */
  async run(argv: readonly string[], options: SshRunOptions = {}): Promise<RunResult> {
    const timeoutMs = options.timeoutMs ?? COMMAND_MS;
    const line = remoteCommand(argv, { sudo: this.target.sudo, env: options.env, timeoutMs });
    await this.#turn();
    try {
      options.signal?.throwIfAborted();
      const link = await this.#connected();
      return await link.holding(async () => finish(await link.exec(line), argv, { ...options, timeoutMs }));
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  /** Runs an argv with lablb's own terminal, and hands back its exit status. */
  async attach(argv: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<number> {
    const { stdin, stdout, stderr } = process;
    const terminal = stdin.isTTY && stdout.isTTY;
    const line = remoteCommand(argv, { sudo: this.target.sudo });
    const link = await this.#connected();
    return link.holding(async () => {
      const size = { rows: stdout.rows, cols: stdout.columns };
      const { channel, ended } = await link.exec(
        line,
        terminal ? { pty: { ...size, term: process.env.TERM } } : {},
      );
      const resize = (): void => channel.setWindow(stdout.rows, stdout.columns, 0, 0);
      const stop = (): void => channel.close();
      if (terminal) {
        stdin.setRawMode(true);
        stdout.on('resize', resize);
      }
      signal?.addEventListener('abort', stop);
      stdin.pipe(channel);
      channel.pipe(stdout, { end: false });
      channel.stderr.pipe(stderr, { end: false });
      try {
        return await ended;
      } finally {
        stdin.unpipe(channel);
        stdin.pause();
        if (terminal) stdin.setRawMode(false);
        stdout.off('resize', resize);
        signal?.removeEventListener('abort', stop);
      }
    });
  }

  /** Ends the connection; the next command makes a new one. */
  async close(): Promise<void> {
    const link = await this.#link?.catch(() => undefined);
    this.#link = undefined;
    link?.destroy();
  }

  #connected(): Promise<Link> {
    const link = this.#link ?? this.#open();
    this.#link = link;
    const forget = (): void => {
      if (this.#link === link) this.#link = undefined;
    };
    link.then((open) => open.whenLost(forget), forget);
    return link;
  }

  async #open(): Promise<Link> {
    const { host, port, user, key, hostKeys, connectMs = CONNECT_MS, silenceMs = SILENCE_MS } = this.target;
    const checked = new HostKeys(host, port, hostKeys);
    const password = await this.target.password?.();
    const methods = authMethods({ user, key, password });
    const over = this.#jump ? await this.#jump.#connected() : undefined;
    const { NodeSSH } = await import('node-ssh'); // slow to load, and only this provider needs it
    const socket = over ? await over.forward(host, port) : connect({ host, port, noDelay: true });
    const ssh = new NodeSSH();
    const connecting = ssh.connect({
      host,
      port,
      username: user,
      sock: socket as Socket,
      readyTimeout: 0,
      authHandler: [...methods] as never,
      algorithms: { serverHostKey: checked.algorithms() as never },
      hostVerifier: (blob: Buffer) => checked.accept(blob),
    });
    const client = ssh.connection as unknown as Client;
    client.on('error', () => undefined); // whoever waits hears of it; with nobody waiting it is no crash
    let late = false;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late = true;
        socket.destroy();
        reject(new Error('late'));
      }, connectMs);
    });
    try {
      // The way there is in use meanwhile: nothing else keeps lablb running.
      await Promise.race([over ? over.holding(() => connecting) : connecting, deadline]);
    } catch (cause) {
      socket.destroy();
      throw checked.refusal ?? sshFailure(cause, this.target, late ? connectMs : undefined);
    } finally {
      clearTimeout(timer);
    }
    return new Link(client, socket, silenceMs, over);
  }

  /** Waits until there are fewer sessions than the server takes. */
  async #turn(): Promise<void> {
    this.#running++;
    if (this.#running <= MAX_SESSIONS) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** A connection that stands. */
class Link {
  readonly #client: Client;
  readonly #socket: Duplex;
  readonly #silenceMs: number;
  readonly #over: Link | undefined;
  readonly #onLost = new Set<(error: LabError) => void>();
  #holders = 0;
  #lost: LabError | undefined;

  constructor(client: Client, socket: Duplex, silenceMs: number, over: Link | undefined) {
    this.#client = client;
    this.#socket = socket;
    this.#silenceMs = silenceMs;
    this.#over = over;
    client.on('error', (error) => this.#lose(lost(String(error?.message ?? error))));
    client.on('close', () => this.#lose(lost('the other side closed it')));
    this.#keepAlive(false);
  }

  /** Keeps lablb running, and an ear on the machine, while something goes on. */
  async holding<T>(action: () => Promise<T>): Promise<T> {
    if (this.#holders++ === 0) this.#keepAlive(true);
    const ear = setInterval(() => this.#ping(), this.#silenceMs / 3);
    const work = action();
    try {
      return await (this.#over ? this.#over.holding(() => work) : work);
    } finally {
      clearInterval(ear);
      if (--this.#holders === 0) this.#keepAlive(false);
    }
  }

  /** A session that was refused ran nothing: the server may still be at the end of an earlier one. */
  async exec(line: string, options: object = {}): Promise<Command> {
    for (let attempt = 1; ; attempt++) {
      const command = await this.#ask<Command | undefined>((done) =>
        this.#client.exec(line, options, (error, channel) => {
          if (error?.reason !== undefined && attempt < SESSION_ATTEMPTS) done(undefined, undefined);
          // At once: a command that is over already has its end in the same packet.
          else done(error, error ? undefined : { channel, ended: exitOf(channel, this) });
        }),
      );
      if (command) return command;
      await sleep(SESSION_PAUSE_MS);
    }
  }

  forward(host: string, port: number): Promise<Duplex> {
    return this.holding(() => this.#ask((done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done)));
  }

  /** Calls back once when the connection is lost, also when it was before. The answer stops that. */
  whenLost(tell: (error: LabError) => void): () => void {
    if (this.#lost) tell(this.#lost);
    else this.#onLost.add(tell);
    return () => void this.#onLost.delete(tell);
  }

  destroy(): void {
    this.#lose(lost('it was ended here'));
  }

  #ask<T>(question: (done: (error: Error | undefined, answer: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = this.whenLost(reject);
      if (this.#lost) return;
      question((error, answer) => {
        stop();
        if (error) reject(lost(error.message));
        else resolve(answer);
      });
    });
  }

  #unanswered = 0;

  /** A request that every server answers, if only with a no: RFC 4254, section 7.1. */
  #ping(): void {
    if (++this.#unanswered > 3) {
      this.#lose(
        new LabError('the machine stopped answering', {
          code: 'ssh.silent',
          hints: ['is it up, and the network?', 'lablb up   (goes on where it was)'],
        }),
      );
      return;
    }
    this.#client.unforwardIn('127.0.0.1', 0, () => {
      this.#unanswered = 0;
    });
  }

  #keepAlive(on: boolean): void {
    this.#unanswered = 0;
    const { ref, unref } = this.#socket as Partial<Socket>;
    if (on) ref?.call(this.#socket);
    else unref?.call(this.#socket);
  }

  #lose(error: LabError): void {
    if (this.#lost) return;
    this.#lost = error;
    this.#socket.destroy();
    for (const tell of this.#onLost) tell(error);
    this.#onLost.clear();
  }
}

/** What a command printed and how it ended, or why that is not known. */
async function finish(
  { channel, ended }: Command,
  argv: readonly string[],
  { input, source, timeoutMs, signal }: SshRunOptions & { timeoutMs: number },
): Promise<RunResult> {
  const out = gather(channel);
  const err = gather(channel.stderr);
  const end = (): void => {
    channel.signal('TERM');
    channel.close();
  };
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  const given = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const code = 'command.timeout';
      reject(new LabError(`no answer within ${timeoutMs / 1000} s`, { code, command: argv, stderr: err() }));
    }, timeoutMs);
    abort = () => reject(signal!.reason);
    signal?.addEventListener('abort', abort);
    if (source === undefined) return;
    const file = createReadStream(source);
    file.once('error', reject);
    file.pipe(channel);
  });
  if (source === undefined) channel.end(input ?? '');
  try {
    const exitStatus = await Promise.race([ended, given]);
    return { exitStatus, stdout: out(), stderr: err() };
  } catch (error) {
    end();
    throw error;
  } finally {
    clearTimeout(timer);
    if (abort) signal?.removeEventListener('abort', abort);
  }
}

function exitOf(channel: Channel, link: Link): Promise<number> {
  const ended = new Promise<number>((resolve, reject) => {
    const stop = link.whenLost(reject);
    let status: number | undefined;
    channel.on('error', () => undefined); // a write after the end: the command did not want its input
    channel.on('exit', (code: number | null, name?: string) => {
      status = code ?? 128 + (constants.signals[`SIG${name?.replace(/^SIG/, '')}` as NodeJS.Signals] ?? 0);
    });
    channel.on('close', () => {
      stop();
      if (status === undefined) reject(lost('it ended in mid-command'));
      else resolve(status);
    });
  });
  ended.catch(() => undefined); // also when whoever waits gave up before
  return ended;
}

/** Text of a stream, so far; what is too much is left out. */
function gather(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_OUTPUT) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function lost(why: string): LabError {
  return new LabError(`the connection was lost: ${why}`, {
    code: 'ssh.lost',
    hints: ['lablb up   (goes on where it was)'],
  });
}

/** What is used of ssh2's client and its channels. */
interface Client {
  on(event: string, listener: (error?: Error) => void): void;
  /** An error with a `reason` (RFC 4254, section 5.1) is the server's refusal of one more session. */
  exec(
    line: string,
    options: object,
    done: (error: (Error & { reason?: number }) | undefined, channel: Channel) => void,
  ): void;
  forwardOut(
    fromHost: string,
    fromPort: number,
    host: string,
    port: number,
    done: (error: Error | undefined, stream: Duplex) => void,
  ): void;
  unforwardIn(host: string, port: number, done: () => void): void;
}

/** A command that was begun. `ended`: its exit status. */
interface Command {
  readonly channel: Channel;
  readonly ended: Promise<number>;
}

interface Channel extends Duplex {
  readonly stderr: Readable;
  signal(name: string): void;
  close(): void;
  setWindow(rows: number, columns: number, height: number, width: number): void;
}
