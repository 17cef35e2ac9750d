/** From files on the command line to a configuration, with every finding. Reads through the functions it is given. */
import { parseFiles, type SourceFile } from '../config/parser.ts';
import type { Diagnostic } from '../errors.ts';
import { LANGUAGE, newConfiguration } from './language.ts';
import type { Configuration } from './settings.ts';

export interface LoadOptions {
  /** Environment variables; `setenv` in the configuration changes a copy. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A file's bytes as latin1; undefined when it cannot be read. */
  readFile(path: string): string | undefined;
  /** Names of the files in a folder; undefined when it is none. */
  readDir(path: string): readonly string[] | undefined;
  /** `-dD`: messages of `.diag` too. */
  readonly diagnosticMode?: boolean;
  /** `-L`. */
  readonly localPeer?: string;
}

export interface Loaded {
  /** Complete only when no diagnostic is an error. */
  readonly configuration: Configuration;
  readonly diagnostics: readonly Diagnostic[];
  /** Texts by file name, for excerpts. */
  readonly sources: ReadonlyMap<string, string>;
  /** Environment after the last line. */
  readonly environment: ReadonlyMap<string, string>;
}

/** Reads files in the order given; a folder stands for its `*.cfg` files in the order of their names. */
export function loadConfiguration(paths: readonly string[], options: LoadOptions): Loaded {
  const files: SourceFile[] = [];
  const unread: Diagnostic[] = [];
  for (const path of paths.flatMap((p) => expand(p, options))) {
    const text = options.readFile(path);
    if (text !== undefined) files.push({ name: path, text });
    else unread.push({ severity: 'error', message: `cannot read the configuration file '${path}'` });
  }
  const configuration = newConfiguration();
  const environment = environmentOf(options, files);
  const { diagnostics, sources } = parseFiles(files, LANGUAGE, {
    environment,
    configuration,
    readFile: options.readFile,
    readDir: options.readDir,
    note: (row, place) => configuration.noted.push({ keyword: row.keyword, place }),
    diagnosticMode: options.diagnosticMode,
  });
  return { configuration, diagnostics: [...unread, ...diagnostics], sources, environment };
}

/** Hidden files and other names are left out, as HAProxy does. */
function expand(path: string, options: LoadOptions): string[] {
  const names = options.readDir(path);
  if (names === undefined) return [path];
  return names
    .filter((name) => name.endsWith('.cfg') && !name.startsWith('.'))
    .toSorted()
    .map((name) => `${path.replace(/\/+$/, '')}/${name}`);
}

/** Latin1, like words: one character a byte. HAProxy's own variables are among them (manual, section 2.3). */
function environmentOf(options: LoadOptions, files: readonly SourceFile[]): Map<string, string> {
  const environment = new Map<string, string>();
  for (const [name, value] of Object.entries(options.env)) {
    if (value !== undefined) environment.set(name, Buffer.from(value, 'utf8').toString('latin1'));
  }
  environment.set('HAPROXY_CFGFILES', files.map((file) => file.name).join(';'));
  if (options.localPeer !== undefined) environment.set('HAPROXY_LOCALPEER', options.localPeer);
  return environment;
}
