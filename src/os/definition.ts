/**
 * What a service is on a local node: a managed file, `/etc/lablb/services/<name>.json`. Paths in `argv` are real
 * ones; `log` and `watch` are paths on the node.
 */
export interface ServiceDefinition {
  readonly argv: readonly string[];
  readonly log: string;
  /** Where its standard error goes; to `log` unless said. */
  readonly errors?: string;
  readonly watch: readonly string[];
  /** `handover`: a new process is started with `-sf <pid of the old one>`, as HAProxy does it. */
  readonly reload: 'handover' | 'restart';
  /** Ready when these accept connections. */
  readonly listens: readonly { readonly address: string; readonly port: number }[];
  /** Changes when the program does. */
  readonly build: string;
}

export const DEFINITIONS = '/etc/lablb/services';

export function definitionPath(service: string): string {
  return `${DEFINITIONS}/${service}.json`;
}
