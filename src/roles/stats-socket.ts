/** `stats socket <path> …`, where words may be quoted or have escapes (configuration manual, section 2.2). */
const LINE = /^[ \t]*stats[ \t]+socket[ \t]+((?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\\.|[^\s"'\\])+)/gm;

/** The unix socket of the runtime API in a haproxy.cfg, as a path; undefined when it has none. */
export function statsSocketIn(config: string): string | undefined {
  return [...config.matchAll(LINE)].map(([, word]) => plain(word!)).find((path) => path.startsWith('/'));
}

function plain(word: string): string {
  return word
    .replace(
      /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g,
      (_, double?: string, single?: string, escaped?: string) =>
        double !== undefined ? double.replace(/\\(.)/g, '$1') : (single ?? escaped!),
    )
    .replace(/^unix@/, '');
}
