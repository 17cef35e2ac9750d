/** The parts of a request target, as offsets into the head (RFC 9112, section 3.2). */
import type { Head } from '../http1/head.ts';

const SLASH = 47;
const COLON = 58;
const QUESTION = 63;

/** Where the path begins: at the first slash, or the one after the authority of an absolute form; −1 for none (`*`). */
export function pathStart(head: Head): number {
  const { bytes, targetStart, targetEnd } = head;
  if (bytes[targetStart] === SLASH) return targetStart;
  for (let i = targetStart; i + 2 < targetEnd; i++) {
    if (bytes[i] === QUESTION) return -1;
    if (bytes[i] === COLON && bytes[i + 1] === SLASH && bytes[i + 2] === SLASH) {
      for (let j = i + 3; j < targetEnd; j++) {
        if (bytes[j] === SLASH) return j;
        if (bytes[j] === QUESTION) return -1;
      }
      return -1;
    }
  }
  return -1;
}

/** Where the path that begins at `start` ends: before the question mark. */
export function pathEnd(head: Head, start: number): number {
  const { bytes, targetEnd } = head;
  for (let i = start; i < targetEnd; i++) if (bytes[i] === QUESTION) return i;
  return targetEnd;
}

/** The path without the query; undefined when there is none. */
export function pathOf(head: Head): string | undefined {
  const start = pathStart(head);
  return start < 0 ? undefined : head.slice(start, pathEnd(head, start));
}

/** The path with the query. */
export function pathAndQueryOf(head: Head): string | undefined {
  const start = pathStart(head);
  return start < 0 ? undefined : head.slice(start, head.targetEnd);
}

/** What follows the first question mark; undefined when there is none. */
export function queryOf(head: Head): string | undefined {
  const at = pathEnd(head, head.targetStart);
  return at === head.targetEnd ? undefined : head.slice(at + 1, head.targetEnd);
}

/** Scheme and authority of an absolute form (`http://host:80`); undefined in the other forms. */
export function originOf(head: Head): { scheme: string; authority: string } | undefined {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?]*)/.exec(head.target);
  return match === null ? undefined : { scheme: match[1]!, authority: match[2]! };
}
