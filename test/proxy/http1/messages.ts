import { Body, type BodyKind, type Sink } from '../../../src/proxy/http1/body.ts';
import { Head } from '../../../src/proxy/http1/head.ts';
import { PARSED, parseRequest, parseResponse } from '../../../src/proxy/http1/parse.ts';
import {
  CONNECTION_LINE,
  HEAD_SLACK,
  writeRequest,
  writeResponse,
} from '../../../src/proxy/stream/serialize.ts';

export const MAX_FIELDS = 101;
export const RESERVE = 1024;

export interface ParsedHead {
  /** PARSED.more, PARSED.done or a status. */
  readonly outcome: number;
  readonly head: Head;
  /** Bytes of the head; what comes after them belongs to the body. */
  readonly length: number;
}

/** Parses pieces as a stream does: bit by bit into the head's buffer, until it is whole or refused. */
export function parse(kind: 'request' | 'response', pieces: readonly Buffer[]): ParsedHead {
  const head = new Head(16384, MAX_FIELDS);
  const read = kind === 'request' ? parseRequest : parseResponse;
  let consumed = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const before = head.used;
      const taken = head.take(piece, at, RESERVE);
      const outcome = read(head, MAX_FIELDS, taken === 0);
      if (outcome === PARSED.done) return { outcome, head, length: consumed + at + head.end - before };
      if (outcome !== PARSED.more) return { outcome, head, length: -1 };
      at += taken;
    }
    consumed += piece.length;
  }
  return { outcome: PARSED.more, head, length: -1 };
}

export function parseText(kind: 'request' | 'response', text: string): ParsedHead {
  return parse(kind, [Buffer.from(text, 'latin1')]);
}

/** Status that a request is refused with; 1 when it is taken, 0 when it is not complete. */
export function verdict(text: string): number {
  return parseText('request', text).outcome;
}

export function fieldsOf(head: Head): string[] {
  return Array.from({ length: head.count }, (_, i) => i)
    .filter((i) => head.isAlive(i))
    .map((i) => `${head.name(i)}: ${head.value(i)}`);
}

export function serialise(kind: 'request' | 'response', head: Head): Buffer {
  const out = Buffer.alloc(head.sizeLimit + HEAD_SLACK);
  const write = kind === 'request' ? writeRequest : writeResponse;
  return out.subarray(0, write(head, CONNECTION_LINE.none, out, 0));
}

export interface FedBody {
  readonly forwarded: Buffer;
  readonly done: boolean;
  readonly broken: boolean;
  /** Bytes that were taken from the input. */
  readonly consumed: number;
}

/** Feeds a body in pieces until it is done or broken. */
export function feed(
  kind: BodyKind,
  pieces: readonly Buffer[],
  { length = 0, decode = false }: { length?: number; decode?: boolean } = {},
): FedBody {
  const out: Buffer[] = [];
  const sink: Sink = { forward: (bytes, start, end) => out.push(Buffer.from(bytes.subarray(start, end))) };
  const body = new Body();
  body.start(kind, length);
  body.decode = decode;
  let consumed = 0;
  for (const piece of pieces) {
    const at = body.feed(piece, 0, piece.length, sink);
    consumed += at;
    if (body.done || body.broken) break;
    if (at !== piece.length)
      throw new Error(`feed stopped at ${at} of ${piece.length} in the middle of a body`);
  }
  return { forwarded: Buffer.concat(out), done: body.done, broken: body.broken, consumed };
}

/** Cuts at the places given (in any order, beyond the end they count round). */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...at].map((start, i) => bytes.subarray(start, at[i] ?? bytes.length));
}

export function oneByOne(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
}
