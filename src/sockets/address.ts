/** sockaddr_in and sockaddr_in6 as bytes (Linux layout), and back. */
import { isIPv6 } from 'node:net';

const INET = 2;
const INET6 = 10;
const cache = new Map<string, Buffer>();

/** The same few servers are connected to again and again. */
const CACHED = 1024;

/** `host` is a literal address. */
export function socketAddress(host: string, port: number): Buffer {
  const key = `${host}|${port}`;
  let bytes = cache.get(key);
  if (bytes === undefined) {
    bytes = isIPv6(host) ? inet6(host, port) : inet(host, port);
    if (cache.size >= CACHED) cache.clear();
    cache.set(key, bytes);
  }
  return bytes;
}

function inet(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(host.split('.').map(Number), 4);
  return bytes;
}

function inet6(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16LE(INET6, 0);
  bytes.writeUInt16BE(port, 2);
  for (const [i, group] of groups(host).entries()) bytes.writeUInt16BE(group, 8 + 2 * i);
  return bytes;
}

/** The eight groups of an IPv6 address, `::` and a dotted tail written out. */
function groups(host: string): number[] {
  const plain = host
    .split('%')[0]!
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, a, b, c, d) =>
      [(a << 8) | +b, (c << 8) | +d].map((n) => n.toString(16)).join(':'),
    );
  const [left = '', right] = plain.split('::');
  const parse = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [parse(left), right === undefined ? [] : parse(right)];
  return [...before, ...Array(8 - before.length - after.length).fill(0), ...after];
}

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

const scratch = Buffer.alloc(128);
const length = new Int32Array(1);

/** What `getsockname` or `getpeername` fills in. */
export function formatSocketAddress(fill: (bytes: Buffer, length: Int32Array) => number): SocketAddress {
  length[0] = scratch.length;
  return fill(scratch, length) < 0 ? { host: '', port: 0 } : readSocketAddress(scratch);
}

/** An IPv4 peer of a dual-stack socket is shown as IPv4. */
export function readSocketAddress(bytes: Buffer): SocketAddress {
  const port = bytes.readUInt16BE(2);
  const family = bytes.readUInt16LE(0);
  if (family === INET) return { host: formatIpv4(bytes.readUInt32BE(4)), port };
  if (family !== INET6) return { host: '', port: 0 };
  const mapped = bytes.subarray(8, 20).equals(MAPPED);
  return { host: mapped ? formatIpv4(bytes.readUInt32BE(20)) : formatIpv6(bytes), port };
}

export function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

function formatIpv6(bytes: Buffer): string {
  const parts = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(8 + 2 * i).toString(16)).join(':');
  const zeros = [...parts.matchAll(/(^|:)0(:0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)[0];
  if (zeros === undefined) return parts;
  const before = parts.slice(0, zeros.index);
  const after = parts.slice(zeros.index + zeros[0].length);
  return `${before}::${after.replace(/^:/, '')}`;
}
