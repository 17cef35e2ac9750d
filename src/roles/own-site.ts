/** Where a configuration of the user's own answers HTTP. */
export interface OwnSite {
  /** Undefined: on every address of the node. */
  readonly host?: string;
  readonly port: number;
  readonly tls: boolean;
}

interface Section {
  readonly kind: string;
  mode?: string;
  statistics: boolean;
  readonly binds: OwnSite[];
}

/** The first place in a haproxy.cfg where HTTP is served; undefined where none can be told by looking at it. */
export function ownSiteIn(config: string): OwnSite | undefined {
  let section: Section | undefined;
  let defaultMode = 'tcp';
  const sections: Section[] = [];
  for (const line of config.split('\n')) {
    const [word = '', ...rest] = line
      .replace(/(?<!\\)#.*/, '')
      .trim()
      .split(/\s+/);
    if (SECTIONS.test(word)) {
      section = {
        kind: word,
        mode: word === 'defaults' ? undefined : defaultMode,
        statistics: false,
        binds: [],
      };
      sections.push(section);
    } else if (!section) continue;
    else if (word === 'mode' && section.kind === 'defaults') defaultMode = rest[0] ?? defaultMode;
    else if (word === 'mode') section.mode = rest[0];
    else if (word === 'stats') section.statistics = true;
    else if (word === 'bind') section.binds.push(...placesOf(rest));
  }
  const serving = sections.filter(({ kind, mode }) => mode === 'http' && SERVING.test(kind));
  return (serving.find(({ statistics }) => !statistics) ?? serving[0])?.binds[0];
}

const SECTIONS =
  /^(?:global|defaults|frontend|backend|listen|userlist|resolvers|peers|mailers|cache|program|ring)$/;
const SERVING = /^(?:frontend|listen)$/;

/** `*:80`, `:80`, `10.0.0.1:80,10.0.0.2:80`, `[::]:443`: configuration manual, `bind`. */
function placesOf([places = '', ...options]: readonly string[]): OwnSite[] {
  return places.split(',').flatMap((place) => {
    const [, host, port] = /^(?:ipv[46]@)?(\[[^\]]*\]|[^:[\]]*):(\d+)$/.exec(place) ?? [];
    if (port === undefined) return [];
    const any = /^(?:|\*|0\.0\.0\.0|\[::\])$/.test(host!);
    return [{ host: any ? undefined : host, port: Number(port), tls: options.includes('ssl') }];
  });
}
