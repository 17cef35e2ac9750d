/** What a Markdown page says that can be checked. Pure: text in, what was found out. */

export interface Link {
  readonly path: string;
  readonly anchor?: string;
}

/** Links within the project; addresses of the web are not looked at. */
export function linksOf(page: string): Link[] {
  return [...withoutBlocks(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) => {
    if (/^[a-z]+:/.test(target!)) return [];
    const [path, anchor] = target!.split('#');
    return [anchor === undefined ? { path: path! } : { path: path!, anchor }];
  });
}

/** The names that headings can be linked by. */
export function anchorsOf(page: string): Set<string> {
  return new Set(
    [...withoutBlocks(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

export interface Block {
  readonly language: string;
  readonly content: string;
}

/** Blocks between lines of ``` with what they say they are. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\S*)\n(.*?)^```$/gms)].map(([, language, content]) => ({
    language: language!,
    content: content!,
  }));
}

/** Every `lablb …` of the page, as words: lines of indented blocks, and what stands between backquotes. */
export function commandsIn(page: string): string[][] {
  return codeIn(page).flatMap((code) => {
    const [, rest] = /^(?:\$ )?(?:npx )?lablb (.*)$/.exec(code) ?? [];
    if (rest === undefined) return [];
    const words = rest
      .replace(/\s+[#>|].*$/, '')
      .trim()
      .match(/"[^"]*"|'[^']*'|\$\([^)]*\)|\S+/g);
    return words && !/^[A-Z…]/.test(words[0]!) ? [words] : [];
  });
}

/** Every npm script that is named: `npm run X`, `npm start`, `npm test`. */
export function npmScriptsIn(page: string): string[] {
  return [...page.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(
    ([, named, known]) => named ?? known!,
  );
}

/** Paths from the top of the project that stand between backquotes: `src/plan/plan.ts`, `test/e2e`. */
export function pathsIn(page: string): string[] {
  return [...page.matchAll(/`((?:src|test|docs|scripts|templates|topologies|bin)\/[\w./-]+)`/g)]
    .map(([, path]) => path!)
    .filter((path) => !path.endsWith('.log'));
}

/** As in oclif's manifests. */
export type CommandTable = Readonly<
  Record<string, { readonly flags?: Readonly<Record<string, { readonly char?: string }>> }>
>;

const EVERYWHERE = ['--help', '--json', '--version'];

/** Why there is no such command, or undefined. */
export function commandProblem(argv: readonly string[], commands: CommandTable): string | undefined {
  const [name, ...rest] = argv;
  if (EVERYWHERE.includes(name!)) return undefined;
  const command = commands[name!];
  if (command === undefined) return 'no such command';
  const flags = Object.entries(command.flags ?? {}).flatMap(([long, { char }]) =>
    char ? [`--${long}`, `-${char}`] : [`--${long}`],
  );
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
  const odd = own
    .filter((word) => /^-/.test(word))
    .map((word) => word.replace(/=.*$/, ''))
    .find((word) => !flags.includes(word) && !EVERYWHERE.includes(word));
  return odd && `no such flag: ${odd}`;
}

/** Lines of indented blocks, lines after a `$ ` in fenced ones, and code between backquotes. */
function codeIn(page: string): string[] {
  const indented = [...withoutBlocks(page).matchAll(/^ {4}(\S.*)$/gm)].map(([, line]) => line!);
  const fenced = blocksOf(page).flatMap(({ content }) => content.match(/^\$ .*$/gm) ?? []);
  const inline = [...withoutBlocks(page).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  return [...indented, ...fenced, ...inline];
}

function withoutBlocks(page: string): string {
  return page.replace(/^```.*?^```$/gms, '');
}
