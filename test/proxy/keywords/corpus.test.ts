import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderFindings } from '../../../src/proxy/check.ts';
import { tellSkipped } from '../../support/needs.ts';
import { ERROR_FILE, fixture, load } from './load.ts';

/** Stands for any file that a configuration names and this machine lacks. */
const standIn = (path: string) => (path.endsWith('.http') || path.includes('error') ? ERROR_FILE : '');

describe('our own fixtures', () => {
  it('in the style of the first lab', () => {
    const { configuration, findings } = load(fixture('sites.cfg'), {
      files: { '/etc/haproxy/errors/400.http': ERROR_FILE, '/etc/haproxy/errors/503.http': ERROR_FILE },
    });
    expect(findings).toEqual([]);
    expect(configuration.proxies.map((p) => p.name)).toEqual(['front', 'one', 'two']);
    expect(configuration.proxies[0]!.useBackends.map((u) => u.name)).toEqual(['one', 'two']);
    expect(configuration.noted.map((n) => n.keyword)).toEqual(['chroot', 'user', 'group']);
  });

  it('in the style of HAProxy 1.x: warnings only, each with the form of today', () => {
    const { diagnostics, configuration, rendered } = load(fixture('old-forms.cfg'));
    expect(
      diagnostics.filter((d) => d.severity !== 'warning').map((d) => d.message),
      rendered,
    ).toEqual([]);
    expect(diagnostics).toHaveLength(11);
    expect(diagnostics.every((d) => d.hint?.startsWith('today: '))).toBe(true);
    expect(configuration.proxies.map((p) => p.binds.map((b) => b.text))).toEqual([
      ['*:8080'],
      ['*:5000'],
      [],
      [],
    ]);
  });

  it('with TLS', () => {
    const { findings, configuration } = load(fixture('tls.cfg'));
    expect(findings).toEqual([]);
    const [web, app] = configuration.proxies;
    expect(web!.binds[1]!.ssl).toMatchObject({ crt: ['/etc/ssl/private/site.pem', '/etc/other.pem'] });
    expect(app!.servers[0]!.ssl).toMatchObject({ verify: 'required', caFile: '/etc/ssl/certs/internal.pem' });
    expect(app!.servers[2]).toMatchObject({ checkPort: 8081, backup: true });
  });
});

/**
 * Real configurations with the verdicts of HAProxy 3.4 and 2.6, where the folder lies beside the checkout: what HAProxy
 * takes is taken, or refused by the name of what is not supported yet.
 */
const corpus = fileURLToPath(new URL('../../../../shared/configs', import.meta.url));
const here = existsSync(corpus);
if (!here) tellSkipped('real configurations are not there (a folder shared/configs beside the checkout)');

describe.skipIf(!here)('real configurations', () => {
  const verdicts = here ? readVerdicts() : [];

  /** Where we refuse what HAProxy takes, and mean to. */
  const STRICTER: Record<string, RegExp> = {
    // No header can have that name, so that the test could never be true.
    '171': /^req\.hdr: '127\.0\.0\.1:9080' is not a header name$/,
    // Two servers of one name: HAProxy 2.6 refuses it too, 3.4 does not.
    '241': /has a second server/,
  };

  it.each(verdicts)('$name', ({ name, good }) => {
    const text = readFileSync(join(corpus, `${name}.cfg`), 'latin1');
    const { diagnostics, rendered } = load(text, {
      readFile: (path) => (path === 'test.cfg' ? text : standIn(path)),
    });
    const refusals = diagnostics.filter(
      (d) =>
        d.severity === 'error' &&
        !d.message.includes('not supported by this engine yet') &&
        !STRICTER[name]?.test(d.message),
    );
    if (good)
      expect(
        refusals.map((d) => d.message),
        rendered,
      ).toEqual([]);
  });

  it('are taken as they stand, most of them', () => {
    const good = verdicts.filter((v) => v.good);
    const taken = good.filter(({ name }) => {
      const text = readFileSync(join(corpus, `${name}.cfg`), 'latin1');
      const { diagnostics } = load(text, {
        readFile: (path) => (path === 'test.cfg' ? text : standIn(path)),
      });
      return !diagnostics.some((d) => d.severity === 'error');
    });
    console.info(
      `${taken.length} of ${good.length} configurations that HAProxy takes are taken as they stand`,
    );
    expect(taken.length / good.length).toBeGreaterThan(0.7);
  });

  function readVerdicts(): { name: string; good: boolean }[] {
    return readFileSync(join(corpus, 'VERDICTS.tsv'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const [name, modern, debian] = line.split('\t');
        return { name: name!, good: modern === '0' || debian === '0' };
      });
  }
});

describe('any text', () => {
  const sources = ['sites.cfg', 'old-forms.cfg', 'tls.cfg'].map(fixture);
  if (here)
    sources.push(
      ...readdirSync(corpus)
        .filter((f) => f.endsWith('.cfg'))
        .map((f) => readFileSync(join(corpus, f), 'latin1')),
    );
  const lines = sources.flatMap((text) => text.split('\n'));
  const words = [...new Set(lines.flatMap((line) => line.trim().split(/\s+/)))];

  function check(text: string) {
    const { diagnostics, sources: texts } = load(text, {
      readFile: (path) => (path === 'test.cfg' ? text : standIn(path)),
    });
    const decoded = texts.get('test.cfg')!.split('\n');
    for (const { place, message } of diagnostics) {
      const line = decoded[place!.line - 1];
      expect(line, message).toBeDefined();
      expect(place!.column, message).toBeGreaterThanOrEqual(1);
      expect(place!.column, message).toBeLessThanOrEqual(line!.length + 1);
    }
    renderFindings({ diagnostics, sources: texts });
  }

  it('made of lines of real configurations, shuffled', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...lines), { maxLength: 40 }), (some) =>
        check(`${some.join('\n')}\n`),
      ),
      { numRuns: 150 },
    );
  });

  it('made of words of real configurations', () => {
    const sections = fc.constantFrom(
      'global',
      'defaults',
      'frontend f',
      'backend b',
      'listen l',
      'userlist u',
    );
    const line = fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((some) => some.join(' '));
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 1, arbitrary: sections }, { weight: 6, arbitrary: line }), {
          maxLength: 40,
        }),
        (some) => check(`${some.join('\n')}\n`),
      ),
      { numRuns: 150 },
    );
  });

  it('made of real configurations with holes and strange characters', () => {
    const cut = fc.tuple(
      fc.nat(),
      fc.nat(30),
      fc.constantFrom('', ' ', '"', "'", '\\', '\n', '\0', '#', '%[', '{', '}', '(', ')', '\xe9', '$'),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.array(cut, { minLength: 1, maxLength: 8 }),
        (text, cuts) => {
          let broken = text;
          for (const [at, length, instead] of cuts) {
            const from = at % (broken.length + 1);
            broken = broken.slice(0, from) + instead + broken.slice(from + length);
          }
          check(broken);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is read in a time that grows with its length only', () => {
    const time = (copies: number) => {
      const text = Array.from({ length: copies }, (_, i) =>
        sources[0]!.replaceAll(/(frontend|backend|use_backend) (\w+)/g, `$1 $2${i}`),
      ).join('');
      const from = process.cpuUsage();
      const { diagnostics } = load(text, {
        readFile: (path) => (path === 'test.cfg' ? text : standIn(path)),
      });
      const { user } = process.cpuUsage(from);
      expect(diagnostics.filter((d) => d.severity === 'error').length).toBe(0);
      return user;
    };
    time(100);
    const best = (copies: number) => Math.min(time(copies), time(copies), time(copies));
    // Eight times the text: quadratic would be 64 times the work.
    expect(best(1600) / best(200)).toBeLessThan(24);
  });
});
