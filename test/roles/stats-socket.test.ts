import { expect, it } from 'vitest';
import { statsSocketIn } from '../../src/roles/stats-socket.ts';

it.each([
  ['global\n    stats socket /run/haproxy/admin.sock mode 660 level admin\n', '/run/haproxy/admin.sock'],
  ['\tstats   socket\t"/a b/\\"c\\"" level user', '/a b/"c"'],
  ["stats socket '/a b/c'", '/a b/c'],
  ['stats socket /a\\ b/c mode 600', '/a b/c'],
  ['stats socket unix@/run/s', '/run/s'],
  ['stats socket ipv4@127.0.0.1:9999\nstats socket /run/second', '/run/second'],
  ['# stats socket /run/none\nstats timeout 30s\n', undefined],
  ['', undefined],
])('%j has the socket %j', (config, path) => {
  expect(statsSocketIn(config)).toBe(path);
});
