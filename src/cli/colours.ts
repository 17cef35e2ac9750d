/** Colours for one stream: the identity unless it is a terminal (NO_COLOR and FORCE_COLOR have the last word). */
export interface Colours {
  readonly enabled: boolean;
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

type Paint = (text: string) => string;

export function coloursFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Colours {
  const enabled = wantsColour(stream, env);
  const paint =
    (open: number, close: number): Paint =>
    (text) =>
      enabled && text !== '' ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    enabled,
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}

/** `text` without colour sequences: what a table measures. */
export function stripColours(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}

/** As much of a line as fits in `width` characters; colours count nothing, and are ended. */
export function cutTo(line: string, width: number): string {
  if ([...stripColours(line)].length <= width) return line;
  let room = width - 1;
  const kept = line.replace(/(\u001b\[[0-9;]*m)|./gsu, (one, colour) => (colour || room-- > 0 ? one : ''));
  return `${kept}…`;
}

// https://no-color.org: set and not empty, whatever its value.
function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return stream.isTTY === true && env.TERM !== 'dumb';
}
