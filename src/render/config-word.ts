/**
 * A value as one word of a haproxy.cfg: as it is when it has nothing special, else between single quotes, inside
 * which nothing is special (HAProxy manual, section 2.2). Values are single lines: the topology's schema sees to it.
 */
export function configWord(value: string): string {
  return /^[\w.:/@+,=~-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
