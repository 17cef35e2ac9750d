import type { FileSpec } from '../providers/provider.ts';
import { renderTemplate } from './templates.ts';

interface ErrorFile {
  readonly status: number;
  /** Reason of the status line. */
  readonly reason: string;
  /** What the page says below its heading. */
  readonly text: string;
}

/** The seven that HAProxy's `errorfile` is mostly used for, in HAProxy's words. */
export const ERROR_FILES: readonly ErrorFile[] = [
  { status: 400, reason: 'Bad request', text: 'Your browser sent an invalid request.' },
  { status: 403, reason: 'Forbidden', text: 'Request forbidden by administrative rules.' },
  { status: 408, reason: 'Request Time-out', text: "Your browser didn't send a complete request in time." },
  { status: 500, reason: 'Internal Server Error', text: 'An internal server error occurred.' },
  { status: 502, reason: 'Bad Gateway', text: 'The server returned an invalid or incomplete response.' },
  { status: 503, reason: 'Service Unavailable', text: 'No server is available to handle this request.' },
  { status: 504, reason: 'Gateway Time-out', text: "The server didn't respond in time." },
];

/** Where a status's file lies on a proxy node. */
export function errorFilePath(status: number): string {
  return `/etc/haproxy/errors/${status}.http`;
}

/** Whole responses: lines of the head end in CR LF, those of the body in LF. */
export function errorFiles(): FileSpec[] {
  return ERROR_FILES.map((file) => {
    const [head, ...body] = renderTemplate('errorfiles/error.http.hbs', file).split('\n\n');
    return {
      path: errorFilePath(file.status),
      content: `${head!.replaceAll('\n', '\r\n')}\r\n\r\n${body.join('\n\n')}`,
    };
  });
}
