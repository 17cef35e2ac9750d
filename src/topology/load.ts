import type { ProviderName, Topology } from './topology.ts';

export interface ParseOptions {
  /** Name of the file, for messages; a referenced haproxy.cfg is looked for beside it. */
  readonly file: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Stands above the file's own `provider`. */
  readonly provider?: ProviderName;
  /** Text of a referenced file, or undefined when there is none. */
  readonly readFile?: (path: string) => string | undefined;
}

export async function loadTopology(
  _file: string,
  _options: Pick<ParseOptions, 'env' | 'provider'> = {},
): Promise<Topology> {
  throw new Error('not written yet');
}

export function parseTopology(_text: string, _options: ParseOptions): Topology {
  throw new Error('not written yet');
}

export async function findTopology(_cwd: string): Promise<string> {
  throw new Error('not written yet');
}
