/**
 * Datagrams to one receiver, UDP or a unix socket such as /dev/log, through libc: one system call for many. Never
 * blocks: what the receiver cannot take now is dropped and counted. Runs on Bun only.
 */
import { ptr } from 'bun:ffi';
import { isIP } from 'node:net';
import { socketAddress } from './address.ts';
import {
  AF,
  ERRNO,
  type Libc,
  MSG_QUIET,
  openLibc,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from './libc.ts';

export type DatagramAddress =
  /** `host` is a literal address. */
  | { readonly kind: 'udp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface DatagramSender {
  /** Sends `count` datagrams that stand one after the other in `bytes`, each up to its end; returns how many were taken. */
  send(bytes: Buffer, ends: Int32Array, count: number): number;
  close(): void;
}

/** Most datagrams that one `send` takes. */
const MAX_BATCH = 64;

/** Where libc cannot be had, nothing is sent and every line counts as lost. */
export function openDatagrams(address: DatagramAddress): DatagramSender {
  const libc = openLibc();
  return libc === undefined ? { send: () => 0, close() {} } : new LibcSender(libc, address);
}

/** struct iovec, and struct mmsghdr: a msghdr of 56 bytes, the length sent, padding. Pages, so that they never move. */
const IOVEC = 16;
const MMSGHDR = 64;

class LibcSender implements DatagramSender {
  readonly #libc: Libc;
  readonly #address: Buffer;
  readonly #family: number;
  readonly #vectors = Buffer.allocUnsafeSlow(MAX_BATCH * IOVEC);
  readonly #messages = Buffer.alloc(MAX_BATCH * MMSGHDR);
  #bytes: Buffer | undefined;
  #fd = -1;
  #retryAt = 0;

  constructor(libc: Libc, address: DatagramAddress) {
    this.#libc = libc;
    this.#address = addressBytes(address);
    this.#family = this.#address.readUInt16LE(0);
    this.#open();
  }

  send(bytes: Buffer, ends: Int32Array, count: number): number {
    if (this.#fd < 0 && !this.#reopen()) return 0;
    if (bytes !== this.#bytes) this.#prepare(bytes);
    const base = ptr(bytes);
    const vectors = this.#vectors;
    let start = 0;
    for (let i = 0; i < count; i++) {
      writePointer(vectors, i * IOVEC, base + start);
      vectors.writeUInt32LE(ends[i]! - start, i * IOVEC + 8);
      start = ends[i]!;
    }
    let sent = 0;
    // One refusal may tell of an earlier datagram (ICMP port unreachable); the next call goes through.
    for (let tries = 0; sent < count && tries < 3; tries++) {
      const done = this.#libc.sendmmsg(
        this.#fd,
        ptr(this.#messages, sent * MMSGHDR),
        count - sent,
        MSG_QUIET,
      );
      if (done > 0) {
        sent += done;
        continue;
      }
      const reason = ERRNO[this.#libc.errno()];
      if (reason === 'EAGAIN' || reason === 'ENOBUFS') break;
      if (this.#family === AF.unix) {
        // The receiver is gone; perhaps another one listens at the same path already.
        this.#close();
        if (!this.#reopen()) break;
      }
    }
    return sent;
  }

  close(): void {
    this.#close();
    this.#retryAt = Number.POSITIVE_INFINITY;
  }

  /** The messages point to the vectors once and for all. */
  #prepare(bytes: Buffer): void {
    this.#bytes = bytes;
    for (let i = 0; i < MAX_BATCH; i++) {
      this.#vectors.fill(0, i * IOVEC, (i + 1) * IOVEC);
      writePointer(this.#messages, i * MMSGHDR + 16, ptr(this.#vectors, i * IOVEC));
      this.#messages.writeUInt32LE(1, i * MMSGHDR + 24);
    }
  }

  /** At most once a second. */
  #reopen(): boolean {
    const now = Date.now();
    if (now < this.#retryAt) return false;
    this.#retryAt = now + 1000;
    return this.#open();
  }

  #open(): boolean {
    const fd = this.#libc.socket(this.#family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    if (this.#libc.connect(fd, ptr(this.#address), this.#address.length) !== 0) {
      this.#libc.close(fd);
      return false;
    }
    this.#fd = fd;
    return true;
  }

  #close(): void {
    if (this.#fd >= 0) this.#libc.close(this.#fd);
    this.#fd = -1;
  }
}

/** Throws when a host is no literal address. */
function addressBytes(address: DatagramAddress): Buffer {
  if (address.kind === 'udp') {
    const host = address.host.replace(/^\[|\]$/g, '');
    if (isIP(host) === 0) throw new RangeError(`not an address: ${address.host}`);
    return socketAddress(host, address.port);
  }
  const path = Buffer.from(address.path);
  if (path.length > 107)
    throw new RangeError(`the path of a unix socket has at most 107 bytes: ${address.path}`);
  return Buffer.concat([Buffer.from([AF.unix, 0]), path, Buffer.alloc(1)]);
}

/** Pointers fit 53 bits on every system that Bun runs on. */
function writePointer(bytes: Buffer, at: number, pointer: number): void {
  bytes.writeUInt32LE(pointer % 2 ** 32, at);
  bytes.writeUInt32LE(Math.floor(pointer / 2 ** 32), at + 4);
}
