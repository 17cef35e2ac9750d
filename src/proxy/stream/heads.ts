/** Heads are used again: only connections with a request under way hold their buffers. */
import { Head } from '../http1/head.ts';

const free: Head[] = [];
/** More than this are left to the garbage collector after a peak. */
const KEEP = 1024;

export function takeHead(limits: { readonly bufsize: number; readonly maxFields: number }): Head {
  const head = free.pop() ?? new Head(limits.bufsize, limits.maxFields);
  head.clear();
  return head;
}

export function releaseHead(head: Head): void {
  if (free.length < KEEP) free.push(head);
}
