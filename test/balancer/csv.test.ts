import { describe, expect, it } from 'vitest';
import { isUp, readStats } from '../../src/balancer/csv.ts';

describe('readStats', () => {
  it('names the cells of each row, and leaves empty ones out', () => {
    const csv = '# pxname,svname,scur,status,type,\nweb,FRONTEND,1,OPEN,0,\nweb,web1,,UP 1/3,2,\n\n';
    expect(readStats(csv)).toEqual([
      { pxname: 'web', svname: 'FRONTEND', scur: '1', status: 'OPEN', type: '0' },
      { pxname: 'web', svname: 'web1', status: 'UP 1/3', type: '2' },
    ]);
  });

  it('takes quoted fields with commas, quotes and line ends as one', () => {
    const csv = '# pxname,last_chk,type,\r\nweb,"a, ""b""\nc",2,\r\nweb,,1,\r\n';
    expect(readStats(csv)).toEqual([
      { pxname: 'web', last_chk: 'a, "b"\nc', type: '2' },
      { pxname: 'web', type: '1' },
    ]);
  });

  it.each(['', '\n', '# pxname,svname,\n'])('finds nothing in %j', (csv) => {
    expect(readStats(csv)).toEqual([]);
  });
});

it.each([
  ['UP', true],
  ['UP 1/3', true],
  ['no check', true],
  ['DOWN', false],
  ['DOWN 1/2', false],
  ['MAINT', false],
  ['DRAIN', false],
  [undefined, false],
])('a server that is %j is in use: %j', (status, up) => {
  expect(isUp(status === undefined ? {} : { status })).toBe(up);
});
