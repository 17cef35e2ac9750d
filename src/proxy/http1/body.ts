/**
 * Where a message's body ends (RFC 9112, sections 6 and 7). `feed` is given bytes and hands those of the body to a
 * sink in runs as long as possible. Chunked bodies go through as they are, but for what the next parser could read
 * differently: chunk extensions and white space are left out, trailers are parsed and written anew.
 */
import { Head } from './head.ts';
import { PARSED, parseTrailers } from './parse.ts';

export interface Sink {
  /** Bytes are valid during the call only. */
  forward(bytes: Buffer, start: number, end: number): void;
}

/** `close`: until the connection ends. */
export type BodyKind = 'none' | 'length' | 'chunked' | 'close';

const CR = 13;
const LF = 10;
const LAST_CHUNK = Buffer.from('0\r\n');

/** Those before `data` are a chunk's size line. */
const STATE = {
  size: 0,
  blank: 1,
  extension: 2,
  sizeLf: 3,
  data: 4,
  dataCr: 5,
  dataLf: 6,
  trailer: 7,
} as const;

const HEX = new Int8Array(256).fill(-1);
for (let i = 0; i < 10; i++) HEX[48 + i] = i;
for (let i = 0; i < 6; i++) HEX[65 + i] = HEX[97 + i] = 10 + i;

/** 13 hexadecimal digits still fit a double exactly. */
const MAX_SIZE_DIGITS = 13;
/** Of what follows a size on its line, which could go on for ever. */
const MAX_EXTENSION = 8192;
const TRAILER_BYTES = 8192;
const TRAILER_FIELDS = 101;

export class Body {
  kind: BodyKind = 'none';
  /** Bytes left of the body or of the chunk. */
  remaining = 0;
  done = true;
  /** The framing was broken: nothing more of this message can be trusted. */
  broken = false;
  /** Body bytes only, without chunk framing: for a receiver that knows no chunks. */
  decode = false;
  #state: number = STATE.size;
  #digits = 0;
  #extension = 0;
  #trailers: Head | undefined;

  start(kind: BodyKind, length = 0): void {
    this.kind = kind;
    this.remaining = kind === 'length' ? length : 0;
    this.done = kind === 'none' || (kind === 'length' && length === 0);
    this.broken = false;
    this.decode = false;
    this.#state = STATE.size;
    this.#digits = 0;
    this.#extension = 0;
    this.#trailers = undefined;
  }

  /** Another one at the same point, to look ahead with. Not within trailers. */
  clone(): Body {
    const other = new Body();
    other.start(this.kind);
    other.remaining = this.remaining;
    other.done = this.done;
    other.#state = this.#state;
    other.#digits = this.#digits;
    other.#extension = this.#extension;
    return other;
  }

  /** Consumes body bytes from `at` on; returns where it stopped: at `end`, after the body, or where it broke. */
  feed(bytes: Buffer, at: number, end: number, sink: Sink): number {
    if (this.done || this.broken || at === end) return at;
    if (this.kind === 'close') {
      sink.forward(bytes, at, end);
      return end;
    }
    if (this.kind === 'length') {
      const stop = Math.min(end, at + this.remaining);
      this.remaining -= stop - at;
      if (this.remaining === 0) this.done = true;
      sink.forward(bytes, at, stop);
      return stop;
    }
    return this.#feedChunks(bytes, at, end, sink);
  }

  /**
   * Runs of bytes go out as they are. A chunk's size line is held until it is whole: it is written anew when it came
   * in pieces or with an extension, and the last one waits for the trailers, lest a cut body look complete.
   */
  #feedChunks(bytes: Buffer, at: number, end: number, sink: Sink): number {
    const inSizeLine = this.#state < STATE.data && (this.#digits > 0 || this.#state !== STATE.size);
    /** Start of the run that will go out; −1 while nothing will. */
    let run = this.decode || inSizeLine || this.#state === STATE.trailer ? -1 : at;
    /** Start of the present size line, −1 when it is not here as a whole. */
    let line = inSizeLine ? -1 : at;
    while (at < end) {
      const c = bytes[at]!;
      switch (this.#state) {
        case STATE.size: {
          const digit = HEX[c]!;
          if (digit >= 0) {
            if (this.#digits === 0) line = at;
            if (++this.#digits > MAX_SIZE_DIGITS) return this.#break(bytes, run, line, at, sink);
            this.remaining = this.remaining * 16 + digit;
          } else if (this.#digits === 0) return this.#break(bytes, run, at, at, sink);
          else if (c === CR) this.#state = STATE.sizeLf;
          else if (c === 59) this.#state = STATE.extension;
          else if (c === 32 || c === 9) this.#state = STATE.blank;
          else return this.#break(bytes, run, line, at, sink);
          at++;
          break;
        }
        case STATE.blank:
          if (c !== 32 && c !== 9 && c !== 59 && c !== CR) return this.#break(bytes, run, line, at, sink);
          this.#state = c === CR ? STATE.sizeLf : c === 59 ? STATE.extension : STATE.blank;
          if (++this.#extension > MAX_EXTENSION) return this.#break(bytes, run, line, at, sink);
          at++;
          break;
        case STATE.extension:
          if (c === LF || c === 0) return this.#break(bytes, run, line, at, sink);
          if (++this.#extension > MAX_EXTENSION) return this.#break(bytes, run, line, at, sink);
          if (c === CR) this.#state = STATE.sizeLf;
          at++;
          break;
        case STATE.sizeLf: {
          if (c !== LF) return this.#break(bytes, run, line, at, sink);
          at++;
          const plain = line >= 0 && at - line === this.#digits + 2;
          const last = this.remaining === 0;
          this.#state = last ? STATE.trailer : STATE.data;
          this.#digits = 0;
          this.#extension = 0;
          if (last) {
            // The usual end: a blank line and no trailers.
            if (plain && at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF) {
              this.done = true;
              if (run >= 0) sink.forward(bytes, run, at + 2);
              return at + 2;
            }
            if (run >= 0 && run < line) sink.forward(bytes, run, line);
            run = -1;
          } else if (this.decode) run = at;
          else if (!plain) {
            if (run >= 0 && run < line) sink.forward(bytes, run, line);
            const text = Buffer.from(`${this.remaining.toString(16)}\r\n`);
            sink.forward(text, 0, text.length);
            run = at;
          }
          break;
        }
        case STATE.data: {
          if (this.decode && run < 0) run = at;
          const stop = Math.min(end, at + this.remaining);
          this.remaining -= stop - at;
          at = stop;
          if (this.remaining > 0) break;
          this.#state = STATE.dataCr;
          if (this.decode) {
            sink.forward(bytes, run, at);
            run = -1;
          }
          break;
        }
        case STATE.dataCr:
          if (c !== CR) return this.#break(bytes, run, -1, at, sink);
          this.#state = STATE.dataLf;
          at++;
          break;
        case STATE.dataLf:
          if (c !== LF) return this.#break(bytes, run, -1, at, sink);
          this.#state = STATE.size;
          at++;
          break;
        default:
          return this.#feedTrailers(bytes, at, end, sink);
      }
    }
    const unfinishedLine = this.#state < STATE.data && (this.#digits > 0 || this.#state !== STATE.size);
    const stop = unfinishedLine ? line : end;
    if (run >= 0 && run < stop) sink.forward(bytes, run, stop);
    return end;
  }

  #feedTrailers(bytes: Buffer, at: number, end: number, sink: Sink): number {
    const head = (this.#trailers ??= new Head(TRAILER_BYTES, TRAILER_FIELDS));
    const piece = end === bytes.length ? bytes : bytes.subarray(0, end);
    let before: number;
    let outcome: number;
    do {
      before = head.used;
      const taken = head.take(piece, at, 0);
      outcome = parseTrailers(head, TRAILER_FIELDS, taken === 0);
      if (outcome === PARSED.more) at += taken;
    } while (outcome === PARSED.more && at < end);
    if (outcome === PARSED.more) return at;
    if (outcome !== PARSED.done) return this.#break(bytes, -1, -1, at, sink);
    this.done = true;
    if (!this.decode) {
      const out = Buffer.allocUnsafe(LAST_CHUNK.length + head.sizeLimit);
      LAST_CHUNK.copy(out);
      let length = head.writeFields(out, LAST_CHUNK.length);
      out[length++] = CR;
      out[length++] = LF;
      sink.forward(out, 0, length);
    }
    return at + head.end - before;
  }

  /** What was read before the fault (before its size line, if it is in one) goes out; the message ends here, unfinished. */
  #break(bytes: Buffer, run: number, line: number, at: number, sink: Sink): number {
    this.broken = true;
    const stop = line >= 0 ? line : at;
    if (run >= 0 && run < stop) sink.forward(bytes, run, stop);
    return at;
  }
}
