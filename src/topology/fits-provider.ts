import type { Refuse } from './diagnose.ts';
import type { Settings } from './schema.ts';
import type { Path, Source } from './source.ts';

/** What one provider can do and another cannot: refused where a node would be left without, else told. */
export function checkFitsProvider(
  { provider, nodes, defaults }: Settings,
  source: Source,
  { refuse, warn }: { refuse: Refuse; warn: Refuse },
): void {
  const places: Path[] = [['defaults'], ...Object.keys(nodes).map((key): Path => ['nodes', key])];
  const saying = (setting: string): Path[] =>
    places.map((path) => [...path, setting]).filter((path) => source.has(path));
  const said = (path: Path): unknown => (path[0] === 'defaults' ? defaults : nodes[path[1]!])?.server;

  if (provider === 'local') {
    for (const path of saying('commands'))
      warn(
        path,
        "they do not run with provider 'local', whose nodes are no systems of their own",
        undefined,
        'key',
      );
    for (const path of saying('packages'))
      warn(path, "nothing is installed with provider 'local'", undefined, 'key');
    return;
  }
  for (const path of saying('server'))
    if (said(path) === 'embedded')
      refuse(path, "lablb's own small server runs with provider 'local' alone", "'httpd' or 'nginx'");
}
