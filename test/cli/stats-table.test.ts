import { describe, expect, it } from 'vitest';
import { readStats } from '../../src/balancer/csv.ts';
import { coloursFor, stripColours } from '../../src/cli/colours.ts';
import { age, count, statsTable } from '../../src/cli/stats-table.ts';

const CSV = `# pxname,svname,scur,smax,stot,bin,bout,status,lastchg,type,rate,req_rate,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,check_status,check_code,check_duration,
http_frontend,FRONTEND,12,99,1234567,23456789,345678901,OPEN,,0,50,50,1234567,10,1000,3,,,,
site1,web1,0,12,617000,1000000,2000000,DOWN,7260,2,0,,617000,0,0,0,L4CON,,0,
site1,web2,1,14,617000,1000000,2000000,UP 1/3,12,2,50,,617000,0,0,0,* L7STS,500,2,
site1,BACKEND,1,20,1234000,1,1,UP,90000,1,50,,,,,,,,,
stats_page,FRONTEND,0,1,1,1,1,OPEN,,0,0,0,0,0,0,0,,,,
stats_page,BACKEND,0,1,1,1,1,UP,10,1,0,,,,,,,,,
`;
const plain = coloursFor({}, {});
const table = (width: number, c = plain): string[] => statsTable(readStats(CSV), c, width);

describe('statsTable', () => {
  it('shows all columns where there is room: backends before their servers, no empty back sides', () => {
    expect(table(140)).toEqual([
      '               status  cur  max  total  req/s    in   out   2xx  3xx   4xx  5xx  check            since',
      'http_frontend  OPEN     12   99   1.2M     50   23M  345M  1.2M   10  1.0k    3',
      'site1          UP        1   20   1.2M     50     1     1                                            1d',
      '  web1         DOWN      0   12   617k      0  1.0M  2.0M  617k    0     0    0  L4CON 0ms           2h',
      '  web2         UP 1/3    1   14   617k     50  1.0M  2.0M  617k    0     0    0  * L7STS/500 2ms    12s',
      'stats_page     OPEN      0    1      1      0     1     1     0    0     0    0',
    ]);
  });

  it('leaves out what matters less where the terminal is narrow, and fits it', () => {
    for (const width of [120, 100, 90, 80]) {
      const longest = Math.max(...table(width).map((line) => line.length));
      expect(longest).toBeLessThanOrEqual(width);
    }
    expect(table(80)[0]).toMatch(/status +cur +total +req\/s .*2xx +5xx +check/);
    expect(table(80)[0]).not.toMatch(/3xx|max/);
  });

  it('shortens names that would not fit', () => {
    const long = CSV.replaceAll('http_frontend', 'a'.repeat(70));
    const lines = statsTable(readStats(long), plain, 80);
    expect(lines[1]).toMatch(/^a+… {2}OPEN/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('is cut where even that does not fit: no line goes over the width, in colours either', () => {
    for (const width of [30, 40]) {
      const lines = table(width);
      expect(Math.max(...lines.map((line) => line.length))).toBe(width);
      expect(lines[0]).toMatch(/…$/);
      const coloured = table(width, coloursFor({}, { FORCE_COLOR: '1' }));
      expect(coloured.map(stripColours)).toEqual(lines);
      for (const line of coloured)
        expect(line.match(/\u001b\[3[0-8]m/g)?.length).toBe(line.match(/\u001b\[39m/g)?.length);
    }
  });

  it('is aligned in colours too', () => {
    const coloured = table(100, coloursFor({}, { FORCE_COLOR: '1' }));
    expect(coloured.map((line) => stripColours(line).trimEnd())).toEqual(table(100));
    expect(coloured.join()).toContain('\u001b[31mDOWN\u001b[39m');
  });
});

it.each([
  ['0', '0'],
  ['999', '999'],
  ['1000', '1.0k'],
  ['9949', '9.9k'],
  ['9999', '9.9k'],
  ['123456', '123k'],
  ['34567890', '34M'],
  ['1234567890123', '1.2T'],
  [undefined, ''],
])('counts %j as %j', (value, text) => {
  expect(count(value)).toBe(text);
});

it.each([
  ['0', '0s'],
  ['59', '59s'],
  ['60', '1m'],
  ['7199', '1h'],
  ['172800', '2d'],
  [undefined, ''],
])('tells %j seconds as %j', (value, text) => {
  expect(age(value)).toBe(text);
});
