import { readFileSync } from 'node:fs';
import { renderDiagnostics } from '../../../src/errors.ts';
import { type LoadOptions, loadConfiguration } from '../../../src/proxy/load.ts';

export const ERROR_FILE =
  'HTTP/1.0 503 Service Unavailable\r\nContent-Type: text/html\r\n\r\n<h1>503</h1>\r\n';

/** A certificate for site.test and its key; nobody trusts it. */
export const CERTIFICATE = readFileSync(new URL('../tls/fixtures/site.pem', import.meta.url), 'latin1');

/** Reads one text as a file, with whatever other files it names; those that end in `.pem` hold a certificate. */
export function load(text: string, options: Partial<LoadOptions> & { files?: Record<string, string> } = {}) {
  const { files = {}, ...rest } = options;
  const loaded = loadConfiguration(['test.cfg'], {
    env: {},
    readFile: (path) => (path === 'test.cfg' ? text : (files[path] ?? pem(path))),
    readDir: () => undefined,
    ...rest,
  });
  const findings = loaded.diagnostics.map(
    (d) => `${d.place?.line}:${d.place?.column} ${d.severity}: ${d.message}${d.hint ? `; ${d.hint}` : ''}`,
  );
  return {
    ...loaded,
    findings,
    rendered: renderDiagnostics(loaded.diagnostics, loaded.sources, { severity: true }),
  };
}

const pem = (path: string) => (path.endsWith('.pem') ? CERTIFICATE : undefined);

/** Errors only, without places: for tests of what is refused. */
export function errors(text: string, options?: Parameters<typeof load>[1]): string[] {
  const { diagnostics } = load(text, options);
  return diagnostics
    .filter((d) => d.severity === 'error')
    .map((d) => d.message + (d.hint ? `; ${d.hint}` : ''));
}

/** The proxy of this name in a text that must have no errors. */
export function proxy(text: string, name: string, options?: Parameters<typeof load>[1]) {
  const { configuration, rendered, diagnostics } = load(text, options);
  if (diagnostics.some((d) => d.severity === 'error')) throw new Error(rendered);
  return configuration.proxies.find((p) => p.name === name)!;
}

/** `defaults` that leave nothing to complain about. */
export const DEFAULTS =
  'defaults\n mode http\n timeout connect 5s\n timeout client 50s\n timeout server 50s\n';

export function fixture(name: string): string {
  return readFileSync(new URL(`../../config/fixtures/${name}`, import.meta.url), 'latin1');
}
