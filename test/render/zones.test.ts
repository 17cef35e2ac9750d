import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameRecords, reverseZonesOf, zonesOf } from '../../src/render/zones.ts';

const at = (...names: string[]) => names.map((name, i) => ({ name, address: `192.0.2.${i + 1}` }));

describe('zones', () => {
  it.each([
    [['site1.testdomain.com', 'site2.testdomain.com'], ['testdomain.com']],
    [['testdomain.com', 'www.testdomain.com'], ['testdomain.com']],
    [['a.b.testdomain.com', 'www.testdomain.com'], ['testdomain.com']],
    [
      ['web1', 'ns1'],
      ['web1', 'ns1'],
    ],
    [['shop.co.uk', 'www.shop.co.uk'], ['shop.co.uk']],
    [['example.com'], ['example.com']],
  ])('of %j are %j', (names, zones) => {
    expect(zonesOf(at(...names)).map(({ name }) => name)).toEqual(zones);
  });

  it('hold each name once, whatever the names', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,4}$/);
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 12 }), (names) => {
        const held = zonesOf(at(...names)).flatMap(({ name: zone, records }) =>
          records.map(({ owner }) => (owner === '@' ? zone : `${owner}.${zone}`)),
        );
        expect(held.sort()).toEqual([...names].sort());
      }),
    );
  });

  it('have a serial that changes with the records and with nothing else', () => {
    const [one] = zonesOf(at('a.test.com'));
    const [same] = zonesOf(at('a.test.com'));
    const [other] = zonesOf([{ name: 'a.test.com', address: '192.0.2.9' }]);
    expect(same!.serial).toBe(one!.serial);
    expect(other!.serial).not.toBe(one!.serial);
  });
});

it('leads back from an address to the first name of its node', () => {
  const zones = reverseZonesOf([
    { address: '192.0.2.7', names: ['web1', 'www.test.com'] },
    { address: '198.51.100.8', names: ['web2'] },
    { address: '192.0.2.9', names: ['proxyha'] },
  ]);
  expect(
    zones.map(({ name, records }) => [name, records.map(({ owner, value }) => `${owner} ${value}`)]),
  ).toEqual([
    ['2.0.192.in-addr.arpa', ['7 web1.', '9 proxyha.']],
    ['100.51.198.in-addr.arpa', ['8 web2.']],
  ]);
});

it('takes the first of two addresses of a name, in lower case', () => {
  expect(
    nameRecords([
      { address: '192.0.2.1', names: ['Web1'] },
      { address: '192.0.2.2', names: ['web1', 'b'] },
    ]),
  ).toEqual([
    { name: 'web1', address: '192.0.2.1' },
    { name: 'b', address: '192.0.2.2' },
  ]);
});
