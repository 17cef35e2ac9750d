import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../src/topology/topology.ts';
import { errorFilesOf, parseResponse } from '../../src/verify/errorfiles.ts';
import { expectedFields } from '../../src/verify/headers.ts';
import { account as l4 } from '../../src/verify/l4.ts';
import { account as leastconn } from '../../src/verify/leastconn.ts';
import { account as source } from '../../src/verify/source.ts';

describe('leastconn', () => {
  it.each([
    [['s/a'], ['s/b', 's/b'], undefined],
    [['s/a'], ['s/b', 's/a'], 'quick request 2 went to s/a, which was busy'],
    [['s/a', 's/a'], ['s/b'], 's/a got a second slow request while another server was free'],
  ])('with %j busy and %j: %s', (busy, quick, message) => {
    if (message === undefined) expect(leastconn(busy, quick)).toBeUndefined();
    else expect(leastconn(busy, quick)).toContain(message);
  });
});

describe('source', () => {
  it.each([
    ['A A|B B|A A', undefined],
    ['A A', undefined],
    ['A A|A B', '127.0.0.2 did not stay: A, then B'],
    ['A A|A A', 'do not spread: all 2 have A'],
    ['A A|status 503', '127.0.0.2 got status'],
  ])('of %j says %s', (text, message) => {
    const answers = new Map(text.split('|').map((one, i) => [`127.0.0.${i + 1}`, one.split(' ')]));
    if (message === undefined) expect(source(answers, ['A', 'B'])).toBeUndefined();
    else expect(source(answers, ['A', 'B'])).toContain(message);
  });
});

describe('l4', () => {
  it.each([
    ['A A A|B B B|A A A', undefined],
    ['B B B|A A A', undefined],
    ['A A A|A A A', 'not in turn: connection 2 had A, expected B after A'],
    ['A B A', 'connection 1 did not stay with A'],
    ['A A', 'connection 1 got nothing'],
    ['A X A', 'connection 1 got X'],
  ])('of %j says %s', (text, message) => {
    const connections = text.split('|').map((one) => one.split(' '));
    if (message === undefined) expect(l4(connections, ['A', 'B'])).toBeUndefined();
    else expect(l4(connections, ['A', 'B'])).toContain(message);
  });
});

describe('header fields', () => {
  const wanted = (balancer: Partial<Balancer>, client = '10.0.0.5') =>
    new Map(expectedFields(balancer as Balancer, client).map(({ name, holds }) => [name, holds]));

  it('are those that the topology asks for', () => {
    expect([...wanted({}).keys()]).toEqual(['X-Client-IP']);
    expect([...wanted({ forwardFor: {}, tls: {} as never }).keys()]).toEqual([
      'X-Client-IP',
      'X-Forwarded-For',
      'X-Forwarded-Proto',
    ]);
  });

  it.each([
    ['X-Client-IP', ['10.0.0.5'], true],
    ['X-Client-IP', [], false],
    ['X-Client-IP', ['203.0.113.7'], false],
    ['X-Client-IP', ['203.0.113.7', '10.0.0.5'], false],
    ['X-Forwarded-For', ['203.0.113.7', '10.0.0.5'], true],
    ['X-Forwarded-For', ['203.0.113.7, 10.0.0.5'], true],
    ['X-Forwarded-For', ['10.0.0.5', '203.0.113.7'], false],
    ['X-Forwarded-For', [], false],
  ] as const)('%s %j: %s', (name, values, right) => {
    expect(wanted({ forwardFor: {} }).get(name)!(values)).toBe(right);
  });

  it('leave out clients that are excepted', () => {
    const holds = (client: string) =>
      wanted({ forwardFor: { except: '10.0.0.0/8' } }, client).get('X-Forwarded-For')!;
    expect(holds('10.0.0.5')([])).toBe(true);
    expect(holds('10.0.0.5')(['10.0.0.5'])).toBe(false);
    expect(holds('11.0.0.5')([])).toBe(false);
  });
});

describe('error files', () => {
  it('are those that the configuration names', () => {
    const config =
      'defaults\n  errorfile 403 /a/403.http\n\terrorfile 503 "/b/503.http"\n  # errorfile 500 /c\n';
    expect([...errorFilesOf(config)]).toEqual([
      [403, '/a/403.http'],
      [503, '/b/503.http'],
    ]);
  });

  it.each([
    ['HTTP/1.0 503 Service Unavailable\r\nA: b\r\n\r\n<h1>x</h1>\n', 503, '<h1>x</h1>\n'],
    ['HTTP/1.1 408 x\n\nbody\n\nmore', 408, 'body\n\nmore'],
    ['', 0, ''],
    ['nonsense', 0, ''],
  ])('%j is status %i', (text, status, body) => {
    expect(parseResponse(text)).toEqual({ status, body });
  });
});
