import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { describeTopology } from '../../src/topology/describe.ts';
import { parseTopology, parseWithSource } from '../../src/topology/parse.ts';

const FILE = 'x.lab.yaml';

/** Pieces that topologies and YAML are made of, so that random texts get past the first character. */
const PIECES = [
  ...'{}[],:#&*!|>%@`-?"\'\n\t $\u2028\ufeff\ufdd0\ud800\0',
  ...[
    '  ',
    '\r\n',
    ': ',
    ': {',
    ': [',
    ':\n',
    '\n  ',
    '\n    ',
    '\n- ',
    '? ',
    '|-\n',
    '%YAML 1.1\n',
    '---',
    '<<: ',
  ],
  ...'&a *a !!str ${ $${ ${PORT:-80} ${NOPE} ${PASSWORD} 1 80 1e9 0x1f true null ~ .nan'.split(' '),
  ...'name provider nodes web web1 proxyha role count names title port address defaults limits lxd ssh'.split(
    ' ',
  ),
  ...'balancer sites check stats log config a.example.com __proto__ constructor'.split(' '),
];
const yamlish = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((pieces) => pieces.join(''));

/** Values of the right shape with wrong parts here and there. */
const name = fc.constantFrom('web', 'web1', 'web2', 'proxyha', 'client', 'WEB', 'a_b', '', 'x'.repeat(70));
const leaf = fc.oneof(
  name,
  fc.integer({ min: -1, max: 70_000 }),
  fc.boolean(),
  fc.constant(null),
  fc.string(),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('any'), { maxLength: 3 }), tie('map')),
  map: fc.dictionary(fc.constantFrom(...PIECES.filter((piece) => /^\w+$/.test(piece))), tie('any'), {
    maxKeys: 5,
  }),
})).map;

const env = { PORT: '8080', PASSWORD: 'x: {y' };

function findingsOf(text: string): ConfigError | undefined {
  try {
    parseTopology(text, { file: FILE, env });
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

function expectPlacesInside(text: string): void {
  const lines = text.split('\n');
  for (const { place, message } of findingsOf(text)?.diagnostics ?? []) {
    expect(message).not.toBe('');
    expect(place!.file).toBe(FILE);
    expect(place!.line).toBeGreaterThanOrEqual(1);
    expect(place!.line).toBeLessThanOrEqual(lines.length);
    expect(place!.column).toBeGreaterThanOrEqual(1);
    expect(place!.column).toBeLessThanOrEqual(lines[place!.line - 1]!.length + 1);
  }
}

describe('whatever the text is', () => {
  it('nothing but ConfigError is thrown, and every finding lies inside it', () => {
    fc.assert(fc.property(fc.oneof(yamlish, fc.string({ unit: 'binary' })), expectPlacesInside), {
      numRuns: 1000,
    });
  });

  it('the same for values of the right shape', () => {
    fc.assert(
      fc.property(value, (topology) => expectPlacesInside(JSON.stringify(topology, null, 2))),
      { numRuns: 500 },
    );
  });

  it.each([
    ['brackets', '['.repeat(100_000)],
    ['braces', '{a: '.repeat(50_000)],
    ['dashes', '- '.repeat(100_000)],
    ['anchors', Array.from({ length: 10_000 }, (_, i) => `&a${i} *a${i}`).join('\n')],
    ['aliases of aliases', `a: &a [1]\n${Array.from({ length: 5000 }, (_, i) => `k${i}: *a`).join('\n')}`],
    ['a large file', `name: ${'x'.repeat(300_000)}`],
    ['prose', '[a b] c\n\nd: e\n\n  f g: h\n# i\nj k\n\t- l: m\n'.repeat(500)],
    ['references', `name: ${'${A}'.repeat(50_000)}`],
  ])('hostile %s end in findings', (_, text) => {
    expect(findingsOf(text)!.diagnostics.length).toBeGreaterThan(0);
    expectPlacesInside(text);
  });
});

describe('a described topology', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const line = fc.stringMatching(/^[ -~äß€]{1,20}$/);
  const topology = fc.record(
    {
      name: label,
      provider: fc.constantFrom('local', 'lxd'),
      defaults: fc.record({ server: fc.constantFrom('httpd', 'nginx') }, { requiredKeys: [] }),
      nodes: fc.record(
        {
          web1: fc.record({ title: line, port: fc.integer({ min: 1, max: 65535 }) }, { requiredKeys: [] }),
          webx: fc.record({ count: fc.integer({ min: 1, max: 4 }) }, { requiredKeys: [] }),
          proxyha: fc.record({ publish: fc.constant([80, 443]) }, { requiredKeys: [] }),
        },
        { requiredKeys: ['web1'] },
      ),
      balancer: fc.record(
        {
          balance: fc.constantFrom('roundrobin', 'leastconn', 'source'),
          sites: fc.dictionary(label, fc.constant(['web1']), { maxKeys: 3 }),
          check: fc.oneof(fc.boolean(), fc.record({ inter: fc.integer({ min: 10, max: 99_999 }) })),
          stats: fc.oneof(
            fc.boolean(),
            fc.record({ realm: line, refresh: fc.constantFrom('0', '3s', '2m') }),
          ),
          log: fc.constantFrom({ file: '/a' }, { rsyslog: '/b' }, { udp: '/c' }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['name', 'nodes'] },
  );

  it('is the same topology', () => {
    fc.assert(
      fc.property(topology, (settings) => {
        // A dollar sign before a brace is the one thing that JSON's quotes do not keep literal.
        const text = JSON.stringify(settings).replaceAll('${', '$${');
        const parsed = parseWithSource(text, { file: FILE, env: {} });
        expect(parseTopology(describeTopology(parsed), { file: FILE, env: {} })).toEqual(parsed.topology);
      }),
      { numRuns: 150 },
    );
  });
});
