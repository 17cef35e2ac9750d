import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError, type Diagnostic, renderDiagnostics } from '../../src/errors.ts';
import { parseTopology } from '../../src/topology/parse.ts';
import { Authority } from '../support/certificates.ts';
import { needs } from '../support/needs.ts';

const NODES = 'nodes: { web: }\nbalancer:\n  sites: { site1.test: [web] }\n';

describe.skipIf(!needs('openssl'))('a certificate of the user’s own', () => {
  const authority = new Authority('lab');
  const site = authority.issue('site1.test', 'site2.test');
  const other = authority.issue('other.test');
  authority.openssl('genrsa', '-out', 'short.key', '1024');
  authority.openssl('pkey', '-in', site.keyFile, '-aes256', '-passout', 'pass:x', '-out', 'locked.key');
  afterAll(() => authority.remove());

  const files: Record<string, () => string> = {
    'site.pem': () => site.pem,
    'site.crt': () => site.cert,
    'site.key': () => site.key,
    'other.key': () => other.key,
    'ca.crt': () => authority.own.cert,
    'short.key': () => readFileSync(`${authority.folder}/short.key`, 'utf8'),
    'locked.key': () => readFileSync(`${authority.folder}/locked.key`, 'utf8'),
    'no.pem': () => 'hello\n',
  };

  /** What is said of `tls: { … }`, one line each, and the topology when it was taken. */
  function parse(tls: string, now = new Date(), sites = 'site1.test') {
    const text = `${NODES.replace('site1.test', sites)}  tls: ${tls}\n`;
    const warnings: Diagnostic[] = [];
    const readFile = (path: string) => files[basename(path)]?.();
    try {
      const options = { file: '/lab/x.lab.yaml', env: {}, readFile, now };
      const topology = parseTopology(text, { ...options, warn: (some) => warnings.push(...some) });
      return { topology, said: lines(warnings) };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { said: lines(error.diagnostics) };
    }
  }

  function lines(diagnostics: readonly Diagnostic[]): string[] {
    return renderDiagnostics(diagnostics, new Map(), { severity: true }).split('\n').filter(Boolean);
  }

  it('is taken as paths, and nothing of the key enters the topology', () => {
    const { topology, said } = parse('{ certificate: site.crt, key: site.key, authority: ca.crt }');
    expect(said).toEqual(
      ['/lab/x.lab.yaml:4:23  warning: balancer.tls.certificate: it ends in 29 days ('].map((start) =>
        expect.stringContaining(start),
      ),
    );
    expect(topology!.balancer.tls!.given).toEqual({
      certificate: '/lab/site.crt',
      key: '/lab/site.key',
      authority: '/lab/ca.crt',
    });
    expect(JSON.stringify(topology)).not.toContain('PRIVATE');
  });

  it('may have its key in the same file', () => {
    expect(parse('{ certificate: site.pem }').topology!.balancer.tls!.given!.key).toBeUndefined();
  });

  const YEAR = 365 * 24 * 60 * 60 * 1000;
  it.each([
    ['{ certificate: gone.pem }', "error: balancer.tls.certificate: cannot read 'gone.pem'"],
    [
      '{ certificate: no.pem, key: site.key }',
      "balancer.tls.certificate: 'no.pem' holds no certificate in PEM",
    ],
    ['{ certificate: site.crt }', "'site.crt' holds no private key in PEM; name its file with 'key'"],
    ['{ certificate: site.crt, key: no.pem }', "balancer.tls.key: 'no.pem' holds no private key in PEM"],
    ['{ certificate: site.crt, key: locked.key }', "the key in 'locked.key' has a password"],
    ['{ certificate: site.crt, key: other.key }', 'balancer.tls.key: the key is not that of the certificate'],
    ['{ certificate: site.crt, key: short.key }', 'the key has 1024 bits; 2048 at least'],
    ['{ certificate: site.pem, authority: no.pem }', "balancer.tls.authority: 'no.pem' holds no certificate"],
  ])('%s is refused: %s', (tls, message) => {
    const { topology, said } = parse(tls);
    expect(topology).toBeUndefined();
    expect(said.join('\n')).toContain(message);
  });

  it('must not have ended, and must have begun', () => {
    const later = new Date(Date.now() + YEAR);
    expect(parse('{ certificate: site.pem }', later).said.join()).toContain('it has ended (');
    const before = new Date(Date.now() - YEAR);
    expect(parse('{ certificate: site.pem }', before).said.join()).toContain('it begins later (');
  });

  it('warns of sites that it is not for', () => {
    const { topology, said } = parse('{ certificate: site.pem }', undefined, 'site3.test');
    expect(topology).toBeDefined();
    expect(said.join('\n')).toContain(
      'warning: balancer.tls.certificate: it is not for site3.test; clients that ask for that will refuse it',
    );
  });
});
