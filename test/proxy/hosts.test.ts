import { expect, it } from 'vitest';
import { parseHosts, readHosts } from '../../src/proxy/hosts.ts';

it('takes the first address of each name, whatever its case, and skips comments and broken lines', () => {
  const hosts = parseHosts(
    [
      '127.0.0.1 localhost',
      '# 10.0.0.9 no',
      '10.0.0.1\tSite1.test site1 # the first',
      'nonsense site2',
      '10.0.0.2 site1 site2',
    ].join('\n'),
  );
  expect([...hosts]).toEqual([
    ['localhost', '127.0.0.1'],
    ['site1.test', '10.0.0.1'],
    ['site1', '10.0.0.1'],
    ['site2', '10.0.0.2'],
  ]);
});

it('is empty where there is no file', () => {
  expect(readHosts('/nowhere/hosts').size).toBe(0);
  expect(readHosts(undefined).size).toBe(0);
});
