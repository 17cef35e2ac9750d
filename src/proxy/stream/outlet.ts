/**
 * The writing side of a connection: keeps what the system did not take, and gathers the small pieces of one turn
 * (head, first bytes of the body) into one write.
 */
import type { Connection } from '../../sockets/transport.ts';
import type { Sink } from '../http1/body.ts';

/** Shared by all outlets: only one is corked at a time, within one call. */
const CORK_SIZE = 65536;
const cork = Buffer.allocUnsafeSlow(CORK_SIZE);
let corkUsed = 0;

export class Outlet implements Sink {
  connection: Connection | undefined;
  /** Bytes handed over since the last `attach`. */
  sent = 0;
  /** The peer is gone: what is written goes nowhere. */
  broken = false;
  #pending: Buffer[] = [];
  #pendingOffset = 0;
  #corked = false;

  attach(connection: Connection): void {
    this.connection = connection;
    this.sent = 0;
    this.broken = false;
    this.#pending.length = 0;
    this.#pendingOffset = 0;
    this.#corked = false;
  }

  get blocked(): boolean {
    return this.#pending.length > 0;
  }

  /** Gathers what is forwarded from now on until `uncork`. */
  cork(): void {
    this.#corked = true;
    corkUsed = 0;
  }

  /** Room for `size` bytes of a head in the corked buffer; the caller writes and then calls `commit(end)`. */
  room(size: number): { bytes: Buffer; at: number } | undefined {
    if (size > CORK_SIZE) return undefined;
    if (size > CORK_SIZE - corkUsed) this.#flushCork();
    corkRoom.at = corkUsed;
    return corkRoom;
  }

  commit(end: number): void {
    this.sent += end - corkUsed;
    corkUsed = end;
  }

  uncork(): void {
    this.#flushCork();
    this.#corked = false;
  }

  forward(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    this.sent += length;
    if (this.#corked) {
      if (length <= CORK_SIZE - corkUsed) {
        bytes.copy(cork, corkUsed, start, end);
        corkUsed += length;
        return;
      }
      this.#flushCork();
    }
    this.#write(bytes, start, length);
  }

  /** There is room again. True when nothing is pending any more. */
  drained(): boolean {
    while (this.#pending.length > 0) {
      const bytes = this.#pending[0]!;
      const offset = this.#pendingOffset;
      const taken = this.connection!.write(bytes, offset, bytes.length - offset);
      if (taken < 0) {
        this.broken = true;
        this.#pending.length = 0;
        return true;
      }
      if (taken < bytes.length - offset) {
        this.#pendingOffset += taken;
        return false;
      }
      this.#pending.shift();
      this.#pendingOffset = 0;
    }
    return true;
  }

  #flushCork(): void {
    if (corkUsed === 0) return;
    const length = corkUsed;
    corkUsed = 0;
    this.#write(cork, 0, length);
  }

  #write(bytes: Buffer, start: number, length: number): void {
    if (this.broken || length === 0) return;
    if (this.#pending.length > 0) {
      this.#pending.push(Buffer.from(bytes.subarray(start, start + length)));
      return;
    }
    const taken = this.connection!.write(bytes, start, length);
    if (taken < 0) this.broken = true;
    else if (taken < length) this.#pending.push(Buffer.from(bytes.subarray(start + taken, start + length)));
  }
}

const corkRoom = { bytes: cork, at: 0 };
