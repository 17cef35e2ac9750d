/**
 * Values of header fields as the language sees them: `hdr` takes the comma-separated parts of all fields of a name,
 * `fhdr` whole fields (HAProxy manual, section 7.3.6). Occurrences count from 1, negative ones from the last.
 */
import type { BytesTest } from '../expressions.ts';
import { type Head, type HeaderName, VALUE, VALUE_END } from '../http1/head.ts';

const COMMA = 44;
const QUOTE = 34;
const BACKSLASH = 92;
const SPACE = 32;
const TAB = 9;

/** Shows each part of each field to the test until one passes. Makes no strings. */
export function anyPart(head: Head, name: HeaderName | undefined, test: BytesTest): boolean {
  const { fields, bytes } = head;
  for (let i = next(head, name, 0); i >= 0; i = next(head, name, i + 1)) {
    const end = fields[4 * i + VALUE_END]!;
    let start = fields[4 * i + VALUE]!;
    for (;;) {
      const stop = partEnd(bytes, start, end);
      const from = skipSpaces(bytes, start, stop);
      if (test(bytes, from, trimSpaces(bytes, from, stop))) return true;
      if (stop >= end) break;
      start = stop + 1;
    }
  }
  return false;
}

/** All parts, in order. */
export function allParts(head: Head, name: HeaderName | undefined): string[] {
  const parts: string[] = [];
  anyPart(head, name, (_bytes, start, end) => {
    parts.push(head.slice(start, end));
    return false;
  });
  return parts;
}

/** One part by its occurrence; undefined when there is none. */
export function partAt(head: Head, name: HeaderName | undefined, occurrence: number): string | undefined {
  if (occurrence === -1) return lastPart(head, name);
  return at(allParts(head, name), occurrence);
}

/** One whole field by its occurrence. */
export function fieldAt(head: Head, name: HeaderName | undefined, occurrence: number): string | undefined {
  return at(allFields(head, name), occurrence);
}

/** All whole fields, in order. */
export function allFields(head: Head, name: HeaderName | undefined): string[] {
  const values: string[] = [];
  for (let i = next(head, name, 0); i >= 0; i = next(head, name, i + 1)) values.push(head.value(i));
  return values;
}

export function countParts(head: Head, name: HeaderName | undefined): number {
  let count = 0;
  anyPart(head, name, () => {
    count++;
    return false;
  });
  return count;
}

/** The usual case, without a list: most fields come once and hold no comma. */
function lastPart(head: Head, name: HeaderName | undefined): string | undefined {
  let last = -1;
  for (let i = next(head, name, 0); i >= 0; i = next(head, name, i + 1)) last = i;
  if (last < 0) return undefined;
  const { fields, bytes } = head;
  const end = fields[4 * last + VALUE_END]!;
  let start = fields[4 * last + VALUE]!;
  for (let stop = partEnd(bytes, start, end); stop < end; stop = partEnd(bytes, start, end)) start = stop + 1;
  start = skipSpaces(bytes, start, end);
  return head.slice(start, trimSpaces(bytes, start, end));
}

/** The next field of a name, of any name when it is undefined; −1 when there is none. */
function next(head: Head, name: HeaderName | undefined, from: number): number {
  if (name !== undefined) return head.find(name, from);
  for (let i = from; i < head.count; i++) if (head.isAlive(i)) return i;
  return -1;
}

function at(values: readonly string[], occurrence: number): string | undefined {
  return occurrence > 0 ? values[occurrence - 1] : values.at(occurrence);
}

/** The comma that ends the part at `start`, or `end`. Commas in quoted strings do not count. */
function partEnd(bytes: Uint8Array, start: number, end: number): number {
  let quoted = false;
  for (let i = start; i < end; i++) {
    const c = bytes[i];
    if (quoted) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) quoted = false;
    } else if (c === COMMA) {
      return i;
    } else if (c === QUOTE) {
      quoted = true;
    }
  }
  return end;
}

function skipSpaces(bytes: Uint8Array, start: number, end: number): number {
  while (start < end && (bytes[start] === SPACE || bytes[start] === TAB)) start++;
  return start;
}

function trimSpaces(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && (bytes[end - 1] === SPACE || bytes[end - 1] === TAB)) end--;
  return end;
}

/** Values of one cookie name in a `Cookie` or `Set-Cookie` value, in order; any name when it is undefined. */
export function cookieValues(header: string, name: string | undefined, isRequest: boolean): string[] {
  const values: string[] = [];
  // A Set-Cookie field holds one cookie, its attributes after the first semicolon.
  const pairs = isRequest ? header.split(/[;,]/) : [header.split(';')[0]!];
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 0) continue;
    if (name !== undefined && pair.slice(0, equals).trim() !== name) continue;
    values.push(pair.slice(equals + 1).trim());
  }
  return values;
}
