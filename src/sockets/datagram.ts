/**
 * Datagrams to one receiver, UDP or a unix socket such as /dev/log, through libc: one system call for many. Never
 * blocks: what the receiver cannot take now is dropped and counted. Runs on Bun only.
 */
import { dlopen, FFIType, ptr, read } from 'bun:ffi';

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
export const MAX_BATCH = 64;

export function openDatagrams(address: DatagramAddress): DatagramSender {
  return new LibcSender(address);
}

const { symbols: libc } = dlopen('libc.so.6', {
  socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  connect: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  close: { args: [FFIType.i32], returns: FFIType.i32 },
  sendmmsg: { args: [FFIType.i32, FFIType.ptr, FFIType.u32, FFIType.i32], returns: FFIType.i32 },
  inet_pton: { args: [FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
  __errno_location: { args: [], returns: FFIType.ptr },
});

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
/** SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC */
const DATAGRAM = 2 | 0o4000 | 0o2000000;
/** MSG_DONTWAIT | MSG_NOSIGNAL */
const FLAGS = 0x40 | 0x4000;
const EAGAIN = 11;
const ENOBUFS = 105;

/** struct iovec, and struct mmsghdr: a msghdr of 56 bytes, the length sent, padding. Pages, so that they never move. */
const IOVEC = 16;
const MMSGHDR = 64;

class LibcSender implements DatagramSender {
  readonly #address: Buffer;
  readonly #family: number;
  readonly #vectors = Buffer.allocUnsafeSlow(MAX_BATCH * IOVEC);
  readonly #messages = Buffer.alloc(MAX_BATCH * MMSGHDR);
  #bytes: Buffer | undefined;
  #fd = -1;
  #retryAt = 0;

  constructor(address: DatagramAddress) {
    this.#family = address.kind === 'unix' ? AF_UNIX : address.host.includes(':') ? AF_INET6 : AF_INET;
    this.#address = socketAddress(address, this.#family);
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
      const done = libc.sendmmsg(this.#fd, ptr(this.#messages, sent * MMSGHDR), count - sent, FLAGS);
      if (done > 0) {
        sent += done;
        continue;
      }
      const errno = read.i32(libc.__errno_location()!, 0);
      if (errno === EAGAIN || errno === ENOBUFS) break;
      if (this.#family === AF_UNIX) {
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
    const fd = libc.socket(this.#family, DATAGRAM, 0);
    if (fd < 0) return false;
    if (libc.connect(fd, ptr(this.#address), this.#address.length) !== 0) {
      libc.close(fd);
      return false;
    }
    this.#fd = fd;
    return true;
  }

  #close(): void {
    if (this.#fd >= 0) libc.close(this.#fd);
    this.#fd = -1;
  }
}

/** struct sockaddr_un, sockaddr_in or sockaddr_in6. Throws when a host is no literal address. */
function socketAddress(address: DatagramAddress, family: number): Buffer {
  if (address.kind === 'unix') {
    const path = Buffer.from(address.path);
    if (path.length > 107)
      throw new RangeError(`the path of a unix socket has at most 107 bytes: ${address.path}`);
    return Buffer.concat([Buffer.from([AF_UNIX, 0]), path, Buffer.alloc(1)]);
  }
  const bytes = Buffer.alloc(family === AF_INET ? 16 : 28);
  bytes.writeUInt16LE(family, 0);
  bytes.writeUInt16BE(address.port, 2);
  const host = Buffer.from(`${address.host.replace(/^\[|\]$/g, '')}\0`);
  if (libc.inet_pton(family, ptr(host), ptr(bytes, family === AF_INET ? 4 : 8)) !== 1)
    throw new RangeError(`not an address: ${address.host}`);
  return bytes;
}

/** Pointers fit 53 bits on every system that Bun runs on. */
function writePointer(bytes: Buffer, at: number, pointer: number): void {
  bytes.writeUInt32LE(pointer % 2 ** 32, at);
  bytes.writeUInt32LE(Math.floor(pointer / 2 ** 32), at + 4);
}
