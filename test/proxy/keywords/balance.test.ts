import { describe, expect, it } from 'vitest';
import { DEFAULTS, errors, load, proxy } from './load.ts';

const backend = (...lines: string[]) => `${DEFAULTS}backend b\n${lines.map((line) => ` ${line}\n`).join('')}`;
const balance = (words: string) => proxy(backend(`balance ${words}`), 'b').balance;

describe('balance', () => {
  it.each([
    ['roundrobin', 'roundrobin', []],
    ['uri len 3 depth 2 whole', 'uri', ['len', '3', 'depth', '2', 'whole']],
    ['url_param id', 'url_param', ['id']],
    ['hdr(Host) use_domain_only', 'hdr', ['Host', 'use_domain_only']],
    ['random(3)', 'random', ['3']],
    ['rdp-cookie(user)', 'rdp-cookie', ['user']],
  ])('%s', (words, algorithm, args) => {
    expect(balance(words)).toMatchObject({ algorithm, args });
  });

  it('hash keeps its expression', () => {
    expect(balance('hash req.hdr(x),lower').expression).toMatchObject({ text: 'req.hdr(x),lower' });
  });

  it.each([
    'roundrobbin',
    'roundrobin 3',
    'static-rr(2)',
    'uri depth 0',
    'uri len x',
    'uri sideways',
    'hdr',
    'hdr()',
    'hdr(host) foo',
    'random(0)',
    'random(x)',
    'url_param',
    'hash',
    'hash no_such_fetch',
  ])('%s is refused', (words) => {
    expect(errors(backend(`balance ${words}`))).toHaveLength(1);
  });

  it.each([
    ['rr', 'roundrobin'],
    ['least', 'leastconn'],
    ['lc', 'leastconn'],
    ['stat', 'static-rr'],
    ['rand', 'random'],
  ])('%s is short for %s', (short, meant) => {
    expect(errors(backend(`balance ${short}`))).toEqual([
      `unknown balance algorithm '${short}'; did you mean '${meant}'?`,
    ]);
  });

  it('xyz is short for nothing', () => {
    expect(errors(backend('balance xyz'))).toEqual(["unknown balance algorithm 'xyz'"]);
  });

  it('check_post is noted', () => {
    const { configuration, findings } = load(backend('balance url_param id check_post 100'));
    expect(findings.filter((finding) => finding.includes('error'))).toEqual([]);
    expect(configuration.noted).toMatchObject([
      { keyword: 'balance url_param … check_post', place: { line: 7, column: 23 } },
    ]);
  });
});

describe('hash-type', () => {
  const hashType = (words: string) => proxy(backend(`hash-type ${words}`), 'b').hashType;

  it('spreads by itself only when it names no function and is consistent', () => {
    expect(hashType('map-based')).toEqual({ method: 'map-based', function: 'sdbm', modifier: undefined });
    expect(hashType('consistent')).toEqual({ method: 'consistent', function: 'sdbm', modifier: 'avalanche' });
    expect(hashType('consistent sdbm')).toMatchObject({ function: 'sdbm', modifier: undefined });
    expect(hashType('map-based crc32 avalanche')).toMatchObject({ function: 'crc32', modifier: 'avalanche' });
  });

  it.each(['', 'md5', 'consistent md5', 'consistent avalanche', 'consistent sdbm foo'])(
    '%s is refused',
    (words) => {
      expect(errors(backend(`hash-type ${words}`))).toHaveLength(1);
    },
  );
});
