/**
 * The head of one HTTP/1 message: start line and header fields as offsets into one buffer that is used again for the
 * next message. Nothing is decoded until a rule asks. Edits append to the same buffer (the reserve that HAProxy calls
 * `tune.maxrewrite`) and mark the fields they replace as dead; `writeTo` copies what is alive in as few runs as it can.
 */

/** A header name, prepared once: lower case, latin1. */
export interface HeaderName {
  readonly text: string;
  readonly bytes: Uint8Array;
}

export function headerName(text: string): HeaderName {
  const lower = text.toLowerCase();
  return { text: lower, bytes: Buffer.from(lower, 'latin1') };
}

/** Offsets of field i: name start, name end, value start, value end at `fields[4 * i + …]`. */
export const NAME = 0;
const NAME_END = 1;
export const VALUE = 2;
export const VALUE_END = 3;

/** How field i stands: dead fields are skipped, canonical ones are `name: value\r\n` byte for byte. */
export const DEAD = 0;
export const CANONICAL = 1;
export const ODD = 2;

declare global {
  // Node's and Bun's buffers have it; their typings do not. It skips the encoding look-up of toString.
  interface Buffer {
    latin1Slice(start?: number, end?: number): string;
    latin1Write(text: string, offset?: number): number;
  }
}

/** Longer than most heads. */
const TAKE = 2048;

const CR = 13;
const LF = 10;
const COLON = 58;
const SPACE = 32;

export class Head {
  /** Storage; the first `used` bytes count. */
  readonly bytes: Buffer;
  /** End of what was received and appended. */
  used = 0;
  /** How many fields there are, dead ones included. */
  count = 0;
  fields: Int32Array;
  states: Uint8Array;

  /** Request line: method [0], target [1]. Status line: reason in `targetStart`, `targetEnd`. */
  methodStart = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** Minor version, HTTP/1.x. */
  minor = 1;
  /** Responses only. */
  status = 0;

  /** Where the parser goes on when more bytes are there, and what it found; see parse.ts. */
  resumeAt = 0;
  started = false;
  /** First byte after the blank line. */
  end = 0;
  /** Declared body length, −1 when none is. */
  contentLength = -1;
  /** `chunked` is the last transfer coding. */
  chunked = false;
  hasTransferEncoding = false;
  /** Codings besides `chunked`. */
  otherCodings = false;
  /** Bits of `Connection` tokens, see TOKEN in parse.ts. */
  connectionTokens = 0;
  /** Field index of Host and Upgrade, −1 for none. */
  host = -1;
  upgrade = -1;
  expectContinue = false;
  /** Content-Length came together with Transfer-Encoding: close after this message. */
  ambiguous = false;

  constructor(size = 16384, maxFields = 101) {
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.fields = new Int32Array(4 * (maxFields + 64));
    this.states = new Uint8Array(maxFields + 64);
  }

  clear(): void {
    this.used = 0;
    this.count = 0;
    this.status = 0;
    this.resumeAt = 0;
    this.started = false;
    this.end = 0;
    this.contentLength = -1;
    this.chunked = false;
    this.hasTransferEncoding = false;
    this.connectionTokens = 0;
    this.otherCodings = false;
    this.host = -1;
    this.upgrade = -1;
    this.expectContinue = false;
    this.ambiguous = false;
  }

  /**
   * Takes bytes of the head being received, as many as fit before the reserve, a few at a time: most of what comes
   * with a short head is its body. Returns how many; 0 when it is full.
   */
  take(bytes: Buffer, from: number, reserve: number): number {
    const length = Math.min(bytes.length - from, this.bytes.length - reserve - this.used, TAKE);
    if (length <= 0) return 0;
    copy(bytes, from, from + length, this.bytes, this.used);
    this.used += length;
    return length;
  }

  /** The head is complete: edits are appended right after it. */
  complete(end: number): void {
    this.end = end;
    this.used = end;
  }

  get method(): string {
    return this.slice(this.methodStart, this.methodEnd);
  }

  /** The request target as it stands, path and query (or absolute form, or `*`). */
  get target(): string {
    return this.slice(this.targetStart, this.targetEnd);
  }

  get reason(): string {
    return this.slice(this.targetStart, this.targetEnd);
  }

  slice(start: number, end: number): string {
    return this.bytes.latin1Slice(start, end);
  }

  /** Index of the first live field of that name at or after `from`, or −1. */
  find(name: HeaderName, from = 0): number {
    const { fields, states, bytes } = this;
    const wanted = name.bytes;
    const length = wanted.length;
    next: for (let i = from; i < this.count; i++) {
      const start = fields[4 * i + NAME]!;
      if (fields[4 * i + NAME_END]! - start !== length || states[i] === DEAD) continue;
      for (let j = 0; j < length; j++) if (bytes[start + j] !== wanted[j]) continue next;
      return i;
    }
    return -1;
  }

  /** Value of field i. */
  value(i: number): string {
    return this.slice(this.fields[4 * i + VALUE]!, this.fields[4 * i + VALUE_END]!);
  }

  name(i: number): string {
    return this.slice(this.fields[4 * i + NAME]!, this.fields[4 * i + NAME_END]!);
  }

  isAlive(i: number): boolean {
    return this.states[i] !== DEAD;
  }

  /** Whole value of the first field of that name. */
  get(name: HeaderName): string | undefined {
    const i = this.find(name);
    return i < 0 ? undefined : this.value(i);
  }

  has(name: HeaderName): boolean {
    return this.find(name) >= 0;
  }

  /** Whole values of all fields of that name, in order. */
  getAll(name: HeaderName): string[] {
    const values: string[] = [];
    for (let i = this.find(name); i >= 0; i = this.find(name, i + 1)) values.push(this.value(i));
    return values;
  }

  removeAt(i: number): void {
    this.states[i] = DEAD;
  }

  remove(name: HeaderName): void {
    for (let i = this.find(name); i >= 0; i = this.find(name, i + 1)) this.states[i] = DEAD;
  }

  /** Adds a field after the others. False when the reserve is used up; nothing was changed then. */
  add(name: HeaderName, value: string): boolean {
    const nameLength = name.bytes.length;
    const end = this.used + nameLength + 2 + value.length + 2;
    if (end > this.bytes.length || !isFieldValue(value)) return false;
    const { bytes } = this;
    const start = this.used;
    for (let j = 0; j < nameLength; j++) bytes[start + j] = name.bytes[j]!;
    let at = start + nameLength;
    bytes[at++] = COLON;
    bytes[at++] = SPACE;
    const valueStart = at;
    at = this.#putText(value, at);
    bytes[at] = CR;
    bytes[at + 1] = LF;
    this.used = end;
    this.push(start, start + nameLength, valueStart, at, CANONICAL);
    return true;
  }

  /** Replaces all fields of that name by one at the end. */
  set(name: HeaderName, value: string): boolean {
    this.remove(name);
    return this.add(name, value);
  }

  /** Gives field i another value; it moves to the end of the buffer but keeps its place in the order. */
  replaceAt(i: number, value: string): boolean {
    const { fields } = this;
    const start = fields[4 * i + NAME]!;
    const nameLength = fields[4 * i + NAME_END]! - start;
    const end = this.used + nameLength + 2 + value.length + 2;
    if (end > this.bytes.length || !isFieldValue(value)) return false;
    const at = this.used;
    this.bytes.copyWithin(at, start, start + nameLength);
    this.bytes[at + nameLength] = COLON;
    this.bytes[at + nameLength + 1] = SPACE;
    const valueStart = at + nameLength + 2;
    const valueEnd = this.#putText(value, valueStart);
    this.bytes[valueEnd] = CR;
    this.bytes[valueEnd + 1] = LF;
    this.used = end;
    fields[4 * i + NAME] = at;
    fields[4 * i + NAME_END] = at + nameLength;
    fields[4 * i + VALUE] = valueStart;
    fields[4 * i + VALUE_END] = valueEnd;
    this.states[i] = CANONICAL;
    return true;
  }

  setMethod(text: string): boolean {
    const start = this.#append(text);
    if (start < 0) return false;
    this.methodStart = start;
    this.methodEnd = this.used;
    return true;
  }

  /** The caller vouches that the text holds no space or control character. */
  setTarget(text: string): boolean {
    const start = this.#append(text);
    if (start < 0) return false;
    this.targetStart = start;
    this.targetEnd = this.used;
    return true;
  }

  setStatus(status: number, reason: string): boolean {
    const start = this.#append(reason);
    if (start < 0) return false;
    this.status = status;
    this.targetStart = start;
    this.targetEnd = this.used;
    return true;
  }

  push(name: number, nameEnd: number, value: number, valueEnd: number, state: number): void {
    const i = this.count++;
    if (4 * i >= this.fields.length) this.#growFields();
    const { fields } = this;
    fields[4 * i + NAME] = name;
    fields[4 * i + NAME_END] = nameEnd;
    fields[4 * i + VALUE] = value;
    fields[4 * i + VALUE_END] = valueEnd;
    this.states[i] = state;
  }

  /** Copies the live fields to `out` at `at`, without the blank line; returns the end. The caller checked the room. */
  writeFields(out: Buffer, at: number): number {
    const { bytes, fields, states, count } = this;
    let i = 0;
    while (i < count) {
      const state = states[i];
      if (state === DEAD) {
        i++;
      } else if (state === ODD) {
        at = copy(bytes, fields[4 * i + NAME]!, fields[4 * i + NAME_END]!, out, at);
        out[at++] = COLON;
        out[at++] = SPACE;
        at = copy(bytes, fields[4 * i + VALUE]!, fields[4 * i + VALUE_END]!, out, at);
        out[at++] = CR;
        out[at++] = LF;
        i++;
      } else {
        // A run of neighbours in canonical form goes out in one copy.
        const start = fields[4 * i + NAME]!;
        let end = fields[4 * i + VALUE_END]! + 2;
        while (++i < count && states[i] === CANONICAL && fields[4 * i + NAME] === end)
          end = fields[4 * i + VALUE_END]! + 2;
        at = copy(bytes, start, end, out, at);
      }
    }
    return at;
  }

  /** Upper bound of what `writeFields` and a start line need. */
  get sizeLimit(): number {
    return this.used + 2 * this.count + 64;
  }

  #append(text: string): number {
    const start = this.used;
    if (start + text.length > this.bytes.length) return -1;
    this.used = this.#putText(text, start);
    return start;
  }

  #putText(text: string, at: number): number {
    const { bytes } = this;
    for (let j = 0; j < text.length; j++) bytes[at++] = text.charCodeAt(j);
    return at;
  }

  #growFields(): void {
    const fields = new Int32Array(this.fields.length * 2);
    fields.set(this.fields);
    this.fields = fields;
    const states = new Uint8Array(this.states.length * 2);
    states.set(this.states);
    this.states = states;
  }
}

/** Short runs are quicker byte by byte than through a view. */
export function copy(from: Buffer, start: number, end: number, out: Buffer, at: number): number {
  if (end - start <= 32) {
    while (start < end) out[at++] = from[start++]!;
    return at;
  }
  from.copy(out, at, start, end);
  return at + end - start;
}

/** No value that a rule makes may end a line: response splitting stops here (RFC 9110, section 5.5). */
export function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    // As the one byte that will be written.
    const c = text.charCodeAt(i) & 255;
    if (c === CR || c === LF || c === 0) return false;
  }
  return true;
}
