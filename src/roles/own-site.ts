import { modeOf, type Section, sectionsOf } from '../render/config-sections.ts';

/** Where a configuration of the user's own answers HTTP. */
export interface OwnSite {
  /** Undefined: on every address of the node. */
  readonly host?: string;
  readonly port: number;
  readonly tls: boolean;
}

/** The first place in a haproxy.cfg where HTTP is served; undefined where none can be told by looking at it. */
export function ownSiteIn(config: string): OwnSite | undefined {
  let usual = 'tcp'; // what the last `defaults` said
  const serving: Section[] = [];
  for (const section of sectionsOf(config)) {
    const mode = modeOf(section);
    if (section.kind === 'defaults') usual = mode ?? usual;
    else if (SERVING.has(section.kind) && (mode ?? usual) === 'http') serving.push(section);
  }
  const isStatistics = ({ lines }: Section): boolean => lines.some(({ words }) => words[0] === 'stats');
  const first = serving.find((section) => !isStatistics(section)) ?? serving[0];
  return first?.lines.flatMap(({ words: [keyword, ...rest] }) =>
    keyword === 'bind' ? placesOf(rest) : [],
  )[0];
}

const SERVING = new Set(['frontend', 'listen']);

/** `*:80`, `:80`, `10.0.0.1:80,10.0.0.2:80`, `[::]:443`: configuration manual, `bind`. */
function placesOf([places = '', ...options]: readonly string[]): OwnSite[] {
  const comment = options.findIndex((word) => word.startsWith('#'));
  const said = comment === -1 ? options : options.slice(0, comment);
  return places.split(',').flatMap((place) => {
    const [, host, port] = /^(?:ipv[46]@)?(\[[^\]]*\]|[^:[\]]*):(\d+)$/.exec(place) ?? [];
    if (port === undefined) return [];
    const any = /^(?:|\*|0\.0\.0\.0|\[::\])$/.test(host!);
    return [{ host: any ? undefined : host, port: Number(port), tls: said.includes('ssl') }];
  });
}
