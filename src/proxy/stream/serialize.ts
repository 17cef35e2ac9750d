/** Heads as bytes: what goes out towards a server and towards a client. Each returns the end of what it wrote. */
import { copy, type Head } from '../http1/head.ts';

const VERSION = [Buffer.from(' HTTP/1.0\r\n'), Buffer.from(' HTTP/1.1\r\n')];
const STATUS_LINE = [Buffer.from('HTTP/1.0 '), Buffer.from('HTTP/1.1 ')];

/** The `Connection` field of a message; `none` where the version already says it. */
export const CONNECTION_LINE = {
  none: Buffer.alloc(0),
  close: Buffer.from('connection: close\r\n'),
  keepAlive: Buffer.from('connection: keep-alive\r\n'),
  upgrade: Buffer.from('connection: upgrade\r\n'),
} as const;

export function writeRequest(head: Head, connection: Buffer, out: Buffer, at: number): number {
  at = copy(head.bytes, head.methodStart, head.methodEnd, out, at);
  out[at++] = 32;
  at = copy(head.bytes, head.targetStart, head.targetEnd, out, at);
  at = put(VERSION[head.minor]!, out, at);
  at = head.writeFields(out, at);
  return endOfHead(connection, out, at);
}

export function writeResponse(head: Head, connection: Buffer, out: Buffer, at: number): number {
  at = put(STATUS_LINE[head.minor]!, out, at);
  const { status } = head;
  out[at++] = 48 + Math.trunc(status / 100);
  out[at++] = 48 + (Math.trunc(status / 10) % 10);
  out[at++] = 48 + (status % 10);
  out[at++] = 32;
  at = copy(head.bytes, head.targetStart, head.targetEnd, out, at);
  out[at++] = 13;
  out[at++] = 10;
  at = head.writeFields(out, at);
  return endOfHead(connection, out, at);
}

/** A head made beforehand, whose lines are complete but for `Connection` and the blank one. */
export function writePrepared(head: Buffer, connection: Buffer, out: Buffer, at: number): number {
  head.copy(out, at);
  return endOfHead(connection, out, at + head.length);
}

/** Bytes that any of the above may need beyond the head itself. */
export const HEAD_SLACK = 64;

function endOfHead(connection: Buffer, out: Buffer, at: number): number {
  at = put(connection, out, at);
  out[at] = 13;
  out[at + 1] = 10;
  return at + 2;
}

function put(from: Buffer, out: Buffer, at: number): number {
  for (let i = 0; i < from.length; i++) out[at++] = from[i]!;
  return at;
}
