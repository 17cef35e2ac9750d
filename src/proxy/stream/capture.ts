/** `capture request header`, `capture response header`, `capture cookie`: what the log is to show of a message. */
import { type Head, type HeaderName, headerName } from '../http1/head.ts';
import type { HeaderCapture } from './plan.ts';

export const COOKIE = headerName('cookie');
export const SET_COOKIE = headerName('set-cookie');

export function captureHeaders(head: Head, captures: readonly HeaderCapture[]): (string | undefined)[] {
  return captures.map(({ name, length }) => head.get(name)?.slice(0, length));
}

/** `NAME=value` of the first cookie whose name fits. */
export function captureCookie(
  head: Head,
  field: HeaderName,
  { name, length }: { readonly name: string; readonly length: number },
): string | undefined {
  for (const line of head.getAll(field)) {
    // Set-Cookie holds one cookie and its attributes, Cookie holds many.
    const pairs = field === SET_COOKIE ? [line.split(';', 1)[0]!] : line.split(';');
    const found = pairs.map((pair) => pair.trim()).find((pair) => pair.startsWith(name));
    if (found !== undefined) return found.slice(0, length);
  }
  return undefined;
}
