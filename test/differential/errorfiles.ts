/** Error pages of our own, in the proxy's folder: what is sent must be these bytes. */
export const ERROR_FILES: Readonly<Record<string, string>> = Object.fromEntries(
  [400, 403, 408, 500, 502, 503, 504].map((status) => [`${status}.http`, page(status)]),
);

// Not what a proxy would write by itself: another version, odd fields, a body with blanks at its ends.
function page(status: number): string {
  return [
    `HTTP/1.0 ${status} Our own ${status}`,
    'Cache-Control: no-cache',
    'Connection: close',
    'Content-Type: text/plain',
    `X-Page: ${status}`,
    '',
    `  this is page ${status} \n`,
  ].join('\r\n');
}
