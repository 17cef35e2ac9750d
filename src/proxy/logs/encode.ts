/** How text from the network is made safe where it goes (manual, section 8.6). */

/** Request lines in logs: control characters, `"`, `#` and everything beyond ASCII become `#XX`. */
export function encodeLine(text: string): string {
  return LINE.test(text) ? text.replace(LINE_ALL, hash) : text;
}

/** Captured headers in logs: also `{`, `|` and `}`, which stand around them. */
export function encodeCapture(text: string): string {
  return CAPTURE.test(text) ? text.replace(CAPTURE_ALL, hash) : text;
}

/** Other text in logs: what could end the line or steer a terminal. */
export function encodeControls(text: string): string {
  return CONTROLS.test(text) ? text.replace(CONTROLS_ALL, hash) : text;
}

/** Text for header fields and bodies: control characters other than tab become `%XX`; NUL ends it, as in HAProxy. */
export function encodeValue(text: string): string {
  if (!VALUE.test(text)) return text;
  const end = text.indexOf('\0');
  return (end < 0 ? text : text.slice(0, end)).replace(VALUE_ALL, percent);
}

/** The flag E: `"`, `\` and `]` get a backslash. */
export function escapeText(text: string): string {
  return ESCAPE.test(text) ? text.replace(ESCAPE_ALL, '\\$&') : text;
}

function hash(c: string): string {
  return `#${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function percent(c: string): string {
  return `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const LINE = /[^ !$-~]/;
const LINE_ALL = /[^ !$-~]/g;
const CAPTURE = /[^ !$-z~]/;
const CAPTURE_ALL = /[^ !$-z~]/g;
const CONTROLS = /[\x00-\x1f\x7f]/;
const CONTROLS_ALL = /[\x00-\x1f\x7f]/g;
const VALUE = /[\x00-\x08\x0a-\x1f\x7f]/;
const VALUE_ALL = /[\x00-\x08\x0a-\x1f\x7f]/g;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: up to here
const ESCAPE = /["\\\]]/;
const ESCAPE_ALL = /["\\\]]/g;
