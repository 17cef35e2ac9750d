/**
 * Where log lines go. Lines of one turn of the event loop are gathered in one buffer and leave together; a receiver
 * that is slow or away never holds up traffic: what it cannot take is dropped and counted.
 */
import { lookup } from 'node:dns/promises';
import { writeSync } from 'node:fs';
import { isIP } from 'node:net';
import type { DatagramAddress, DatagramSender } from '../../sockets/datagram.ts';
import type { LogTarget } from '../settings.ts';
import type { Transaction } from '../transaction.ts';
import { putText, type WriteLine } from './format.ts';

export interface LogOutput {
  /** Takes one line, latin1, without its end; cut to `maxLength` bytes. */
  line(header: string, message: string, maxLength: number): void;
  /** The same with a message that is written in place. */
  write(header: string, message: WriteLine, tx: Transaction, maxLength: number): void;
  flush(): void;
  close(): void;
  /** Lines that were lost. */
  readonly dropped: number;
}

export type OpenDatagrams = (address: DatagramAddress) => DatagramSender;

/** One output a destination, whichever proxies log to it. */
export class LogOutputs {
  readonly #open: OpenDatagrams;
  readonly #outputs = new Map<string, LogOutput>();

  constructor(open: OpenDatagrams) {
    this.#open = open;
  }

  of(target: LogTarget): LogOutput {
    const key = JSON.stringify(target.to);
    let output = this.#outputs.get(key);
    if (output === undefined) {
      output = new BatchOutput(this.#sender(target));
      this.#outputs.set(key, output);
    }
    return output;
  }

  get dropped(): number {
    let sum = 0;
    for (const output of this.#outputs.values()) sum += output.dropped;
    return sum;
  }

  flush(): void {
    for (const output of this.#outputs.values()) output.flush();
  }

  close(): void {
    for (const output of this.#outputs.values()) output.close();
    this.#outputs.clear();
  }

  #sender({ to }: LogTarget): DatagramSender {
    if (to.kind === 'fd') return new FdSender(to.fd);
    if (to.kind === 'unix' || isIP(to.host.replace(/^\[|\]$/g, '')) !== 0) return this.#open(to);
    return new NamedSender(to.host, (address) => this.#open({ ...to, host: address }));
  }
}

const BUFFER = 128 * 1024;
/** As many as the datagram sender takes at once. */
const LINES = 64;
/** A datagram holds no more, and no target asks for more. */
const LONGEST = 65536;
const NEWLINE = 10;

class BatchOutput implements LogOutput {
  readonly #sender: DatagramSender;
  readonly #bytes = Buffer.allocUnsafeSlow(BUFFER);
  readonly #ends = new Int32Array(LINES);
  readonly #flush = () => this.flush();
  #used = 0;
  #count = 0;
  #scheduled = false;
  dropped = 0;

  constructor(sender: DatagramSender) {
    this.#sender = sender;
  }

  line(header: string, message: string, maxLength: number): void {
    const start = this.#start();
    this.#end(start, putText(message, this.#bytes, putText(header, this.#bytes, start)), maxLength);
  }

  write(header: string, message: WriteLine, tx: Transaction, maxLength: number): void {
    const start = this.#start();
    this.#end(start, message(tx, this.#bytes, putText(header, this.#bytes, start)), maxLength);
  }

  /** Where a line may begin: with room for the longest one. */
  #start(): number {
    if (this.#count === LINES || this.#used > BUFFER - LONGEST) this.flush();
    return this.#used;
  }

  #end(start: number, wanted: number, maxLength: number): void {
    const end = Math.min(wanted, start + maxLength, start + LONGEST - 1);
    this.#bytes[end] = NEWLINE;
    this.#used = end + 1;
    this.#ends[this.#count++] = end + 1;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#count === 0) return;
    this.dropped += this.#count - this.#sender.send(this.#bytes, this.#ends, this.#count);
    this.#count = 0;
    this.#used = 0;
  }

  close(): void {
    this.flush();
    this.#sender.close();
  }
}

/** Standard output and inherited descriptors: one write for all lines. The descriptor is not ours to close. */
class FdSender implements DatagramSender {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  send(bytes: Buffer, ends: Int32Array, count: number): number {
    const end = ends[count - 1]!;
    let written = 0;
    try {
      while (written < end) {
        const taken = writeSync(this.#fd, bytes, written, end - written);
        if (taken === 0) break;
        written += taken;
      }
    } catch {
      // A full pipe (EAGAIN) or a closed one (EPIPE): the lines are lost, the traffic goes on.
    }
    let lines = 0;
    while (lines < count && ends[lines]! <= written) lines++;
    return lines;
  }

  close(): void {}
}

/** A receiver by its name: it is looked up once, and what comes before the answer is lost. */
class NamedSender implements DatagramSender {
  #sender: DatagramSender | undefined;
  #isClosed = false;

  constructor(host: string, open: (address: string) => DatagramSender) {
    lookup(host).then(
      ({ address }) => {
        if (!this.#isClosed) this.#sender = open(address);
      },
      () => {},
    );
  }

  send(bytes: Buffer, ends: Int32Array, count: number): number {
    return this.#sender?.send(bytes, ends, count) ?? 0;
  }

  close(): void {
    this.#isClosed = true;
    this.#sender?.close();
  }
}

declare global {
  // As for latin1Slice: there at run time, not in the typings.
  interface Buffer {
    latin1Write(text: string, offset: number, length: number): number;
  }
}
