/** The calls of libc that the sockets need, through Bun's foreign function interface. Linux with glibc only. */
import { dlopen, FFIType, ptr, read } from 'bun:ffi';

const { i32, ptr: pointer, u64_fast: size, i64_fast: ssize } = FFIType;

const SYMBOLS = {
  accept4: { args: [i32, pointer, pointer, i32], returns: i32 },
  bind: { args: [i32, pointer, i32], returns: i32 },
  close: { args: [i32], returns: i32 },
  connect: { args: [i32, pointer, i32], returns: i32 },
  epoll_create1: { args: [i32], returns: i32 },
  epoll_ctl: { args: [i32, i32, i32, pointer], returns: i32 },
  epoll_wait: { args: [i32, pointer, i32, i32], returns: i32 },
  fcntl: { args: [i32, i32, i32], returns: i32 },
  getpeername: { args: [i32, pointer, pointer], returns: i32 },
  getsockname: { args: [i32, pointer, pointer], returns: i32 },
  getsockopt: { args: [i32, i32, i32, pointer, pointer], returns: i32 },
  listen: { args: [i32, i32], returns: i32 },
  recv: { args: [i32, pointer, size, i32], returns: ssize },
  sendmmsg: { args: [i32, pointer, FFIType.u32, i32], returns: i32 },
  send: { args: [i32, pointer, size, i32], returns: ssize },
  setsockopt: { args: [i32, i32, i32, pointer, i32], returns: i32 },
  shutdown: { args: [i32, i32], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  __errno_location: { args: [], returns: pointer },
} as const;

export type Libc = ReturnType<typeof load>;

/** Undefined where it cannot be had: another system, another libc. Opened once. */
export function openLibc(): Libc | undefined {
  if (opened === undefined) opened = tryToOpen() ?? false;
  return opened || undefined;
}

let opened: Libc | false | undefined;

function tryToOpen(): Libc | undefined {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) return undefined;
  try {
    return load();
  } catch {
    return undefined;
  }
}

function load() {
  const { symbols } = dlopen('libc.so.6', SYMBOLS);
  const errnoAt = symbols.__errno_location()!;
  return {
    ...symbols,
    /** Of the call just made: nothing may run in between. */
    errno: (): number => read.i32(errnoAt, 0),
    address: (bytes: Uint8Array): number => ptr(bytes) as number,
  };
}

export const AF = { unix: 1, inet: 2, inet6: 10 } as const;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x80000;
export const MSG_QUIET = 0x4000 | 0x40; // MSG_NOSIGNAL | MSG_DONTWAIT
export const SHUT_WR = 1;
export const EPOLL = {
  ctlAdd: 1,
  ctlDel: 2,
  in: 1,
  out: 4,
  err: 8,
  hup: 16,
  rdhup: 0x2000,
  edge: 0x80000000,
} as const;

/** Options as [level, name]. */
export const OPTION = {
  reuseAddress: [1, 2],
  error: [1, 4],
  linger: [1, 13],
  reusePort: [1, 15],
  noDelay: [6, 1],
  v6only: [41, 26],
} as const;

/** errno by number, for those that sockets meet. */
export const ERRNO: Readonly<Record<number, string>> = {
  9: 'EBADF',
  11: 'EAGAIN',
  13: 'EACCES',
  22: 'EINVAL',
  23: 'ENFILE',
  24: 'EMFILE',
  32: 'EPIPE',
  88: 'ENOTSOCK',
  97: 'EAFNOSUPPORT',
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
  101: 'ENETUNREACH',
  103: 'ECONNABORTED',
  104: 'ECONNRESET',
  105: 'ENOBUFS',
  110: 'ETIMEDOUT',
  111: 'ECONNREFUSED',
  113: 'EHOSTUNREACH',
  115: 'EINPROGRESS',
};
