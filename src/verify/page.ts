/** The title that a page shows, as the pages of web nodes do: `<h1>SITE1 HTTP Server …`. */
export function titleIn(body: string, titles: readonly string[]): string | undefined {
  const heading = /<h1[^>]*>([\s\S]*?)<\/h1>/i.exec(body)?.[1];
  if (heading === undefined) return undefined;
  const text = unescapeHtml(heading).trimStart();
  const fitting = titles.filter((title) => text === title || text.startsWith(`${title} `));
  return fitting.sort((a, b) => b.length - a.length)[0]; // "SITE 1" before "SITE"
}

/** Who answered: the page's title, else the status. */
export function whoAnswered(
  { status, body }: { readonly status: number; readonly body: string },
  titles: readonly string[],
): string {
  return titleIn(body, titles) ?? `status ${status}`;
}

const HTML_NAMES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/** Undoes what a template's escaping does: names of the four characters, others by their hexadecimal number. */
function unescapeHtml(text: string): string {
  return text.replace(/&(?:(amp|lt|gt|quot)|#x([0-9A-Fa-f]{1,5}));/g, (_, name?: string, code?: string) =>
    name ? HTML_NAMES[name]! : String.fromCodePoint(Number.parseInt(code!, 16)),
  );
}
