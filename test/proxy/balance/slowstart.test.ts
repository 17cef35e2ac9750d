import { describe, expect, it } from 'vitest';
import { warmUpServers } from '../../../src/proxy/balance/slowstart.ts';
import { FakeClock } from '../health/fakes.ts';
import { TestBackend } from './backend.ts';

function begin(algorithm: string) {
  const clock = new FakeClock();
  const b = new TestBackend([
    `balance ${algorithm}`,
    'server a 127.0.0.1:1 weight 10',
    'server slow 127.0.0.1:2 weight 10 slowstart 16s',
  ]);
  warmUpServers([b.backend], clock);
  const share = () =>
    b
      .picks(160)
      .split(' ')
      .filter((name) => name === 'slow').length / 160;
  return { b, clock, share };
}

describe('slowstart', () => {
  it('is not for the start of the process', () => {
    const { share, clock } = begin('roundrobin');
    expect(share()).toBeCloseTo(0.5, 1);
    expect(clock.waiting).toBe(0);
  });

  it.each(['down', 'maint'])('lets a server that was %s grow into its share', (how) => {
    const { b, clock, share } = begin('roundrobin');
    const server = b.server('slow');
    if (how === 'down') server.setUp(false);
    else server.setAdmin('maint');
    expect(share()).toBe(0);
    clock.advance(1000);
    if (how === 'down') server.setUp(true);
    else server.setAdmin('ready');
    const shares = [share()];
    for (let i = 0; i < 3; i++) {
      clock.advance(5000);
      shares.push(share());
    }
    clock.advance(5000);
    shares.push(share());
    expect(shares[0]).toBeLessThan(0.1);
    expect(shares).toEqual(shares.toSorted((x, y) => x - y));
    expect(shares[2]).toBeGreaterThan(0.3);
    expect(shares.at(-1)).toBeCloseTo(0.5, 1);
    expect(clock.waiting).toBe(0);
  });

  it('stops when the server goes down, and begins anew', () => {
    const { b, clock } = begin('roundrobin');
    const server = b.server('slow');
    server.setUp(false);
    server.setUp(true);
    clock.advance(10_000);
    expect(server.warmth).toBe(11);
    server.setUp(false);
    expect(clock.waiting).toBe(0);
    server.setUp(true);
    expect(server.warmth).toBe(1);
    clock.advance(20_000);
    expect(server.warmth).toBe(16);
  });

  it('means nothing to tables that are made once', () => {
    const { b, share } = begin('static-rr');
    b.server('slow').setUp(false);
    b.server('slow').setUp(true);
    expect(share()).toBe(0.5);
  });
});
