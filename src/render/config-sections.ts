/** A section of a haproxy.cfg with its lines, as words; comments on lines of their own are left out. */
export interface Section {
  readonly kind: string;
  readonly name: string;
  readonly words: readonly string[];
  readonly text: string;
  readonly lines: readonly { readonly words: readonly string[]; readonly text: string }[];
}

const KINDS =
  /^(?:global|defaults|frontend|backend|listen|peers|program|mailers|ring|log-forward|userlist|resolvers|cache|http-errors|fcgi-app)$/;

/** A rough reading, for what lablb has to know of a configuration that it did not write: no quotes, no variables. */
export function sectionsOf(source: string): Section[] {
  const sections: (Section & { lines: { words: string[]; text: string }[] })[] = [];
  for (const line of source.split('\n')) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const words = text.split(/\s+/);
    if (KINDS.test(words[0]!)) {
      sections.push({ kind: words[0]!, name: words[1] ?? '', words, text, lines: [] });
    } else sections.at(-1)?.lines.push({ words, text });
  }
  return sections;
}

/** What the section itself says. */
export function modeOf({ lines }: Section): string | undefined {
  return lines.findLast(({ words }) => words[0] === 'mode')?.words[1];
}
