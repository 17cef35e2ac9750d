import { describe, expect, test } from 'vitest';
import { HAPROXY_CONFIGS, NGINX_CONFIGS } from './balancers.mjs';
import { noiseNotes, speedTable, spread, summarize, table, verdict } from './report.mjs';
import { WORKLOADS } from './workloads.mjs';
import { parseWrk } from './wrk.mjs';

const WRK = `Running 2s test @ http://127.0.0.1:1/small
  1 threads and 50 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.31ms  412.00us   8.11ms   89.01%
    Req/Sec    38.43k     1.10k   39.90k    70.00%
  Latency Distribution
     50%    1.22ms
     99%  950.00us
  76461 requests in 2.00s, 21.00MB read
`;

describe('what wrk says', () => {
  test('a clean run', () => {
    expect(parseWrk(WRK)).toEqual({ requests: 76461, seconds: 2, p99: 0.95, failures: [] });
  });

  test('every kind of failure is seen', () => {
    const failed = `${WRK}  Socket errors: connect 1, read 0, write 2, timeout 3\n  Non-2xx or 3xx responses: 7\n`;
    expect(parseWrk(failed).failures).toEqual([
      '7 responses other than 2xx',
      '1 connect errors',
      '2 write errors',
      '3 timeout errors',
    ]);
  });

  test('an unreadable answer is refused', () => {
    expect(() => parseWrk('unable to connect')).toThrow(/nothing that can be read/);
  });
});

describe('the report', () => {
  const workload = { name: 'w', about: 'a test' };
  const memory = { resident: 1024, peak: 2048 };
  const rounds = (...cpu) => cpu.map((us) => ({ rate: 1000, p99: 2, cpu: us, share: 0.5, connections: 0 }));
  const good = [
    { name: 'lablb', rounds: rounds(8, 10, 9), memory, failures: [] },
    { name: 'haproxy', rounds: rounds(10, 20, 10), memory, failures: [] },
  ];

  test('median, lowest and highest, odd and even', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
  });

  test('the ratio compares rounds that were neighbours, not medians', () => {
    expect(verdict(summarize(workload, good))).toBe(
      'w: CPU per request lablb/haproxy = 0.80  (rounds 0.50–0.90)',
    );
  });

  test('no figure for a balancer whose requests failed', () => {
    const failed = [{ ...good[0], failures: ['round 1: 7 responses other than 2xx'] }, good[1]];
    const text = speedTable(summarize(workload, failed));
    expect(text).toMatch(/lablb {2,}refused: round 1: 7 responses other than 2xx/);
    expect(text).toMatch(/no figure, because requests failed$/);
    expect(text.split('\n').find((line) => line.includes('lablb '))).not.toMatch(/1000/);
  });

  test('no ratio when it is HAProxy whose requests failed', () => {
    const failed = [good[0], { ...good[1], failures: ['round 2: 1 read errors'] }];
    expect(verdict(summarize(workload, failed))).toMatch(/no figure/);
  });

  test('a wide spread, few rounds, a busy machine and stolen time are said', () => {
    const machine = { stolenShare: 0.05, loadBefore: 2, cores: {}, rounds: 2 };
    const notes = noiseNotes([summarize(workload, good)], machine).join('\n');
    for (const part of [
      'not pinned',
      'busy',
      '5.0 %',
      'only 2 rounds',
      'w, haproxy: CPU per request spreads by 100 %',
    ]) {
      expect(notes).toContain(part);
    }
  });

  test('columns line up', () => {
    expect(
      table([
        ['', 'ab', 'c'],
        ['row', '1', '22'],
      ]),
    ).toBe('       ab   c\n  row   1  22');
  });
});

describe('the workloads', () => {
  test('each has a configuration for each balancer, and a name of its own', () => {
    expect(new Set(WORKLOADS.map((w) => w.name)).size).toBe(WORKLOADS.length);
    for (const { config } of WORKLOADS) {
      const at = { listen: 1111, origins: [2222, 3333], syslog: 4444, certificate: '/bench.pem' };
      for (const text of [HAPROXY_CONFIGS[config](at), NGINX_CONFIGS[config](at)]) {
        for (const port of ['1111', '2222', '3333']) expect(text).toContain(port);
        expect(text).not.toMatch(/undefined|%LISTEN%/);
      }
    }
  });
});
