import { describe, expect, it } from 'vitest';
import { policies, policyRow } from '../../../src/proxy/balance/policies.ts';
import { random } from '../../../src/proxy/balance/random.ts';
import { BALANCE_ROWS } from '../../../src/proxy/keywords/balance.ts';
import { errors } from '../keywords/load.ts';
import { TestBackend } from './backend.ts';

const THREE = ['server a :1', 'server b :2', 'server c :3'].map((line) => line.replace(':', '127.0.0.1:'));

/** How often each was chosen. */
function histogram(names: readonly (string | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[String(name)] = (counts[String(name)] ?? 0) + 1;
  return counts;
}

describe('the table of policies', () => {
  it('has a policy for each algorithm that the language knows, and no other', () => {
    expect(policies.map((row) => row.keyword).toSorted()).toEqual(
      BALANCE_ROWS.map((row) => row.keyword).toSorted(),
    );
  });

  it('never falls back to another one', () => {
    expect(() => policyRow('roundrobbin')).toThrow("no policy for 'balance roundrobbin'");
    expect(errors('backend b\n balance roundrobbin\n')[0]).toContain('roundrobin');
  });
});

describe('every policy', () => {
  const lines: Record<string, string> = { url_param: 'url_param id', hdr: 'hdr(host)', hash: 'hash src' };
  const all = policies.map(({ keyword }) => lines[keyword] ?? keyword);

  it.each(all)('%s uses all servers, and none that is down, drained or without weight', (algorithm) => {
    const b = new TestBackend([`balance ${algorithm}`, ...THREE, 'server d 127.0.0.1:4']);
    b.server('b').setUp(false);
    b.server('c').setAdmin('drain');
    b.server('d').setWeight(0);
    expect(b.picks(5)).toBe('a a a a a');
    b.server('a').setAdmin('maint');
    expect(b.pick()).toBeUndefined();
    b.server('b').setUp(true);
    expect(b.picks(3)).toBe('b b b');
  });

  it.each(all)(
    '%s takes the first backup server when no other is left, all of them with allbackups',
    (algorithm) => {
      const backups = ['server x 127.0.0.1:8 backup', 'server y 127.0.0.1:9 backup'];
      const one = new TestBackend([`balance ${algorithm}`, 'server a 127.0.0.1:1', ...backups]);
      expect(one.picks(2)).toBe('a a');
      one.server('a').setUp(false);
      expect(one.picks(3)).toBe('x x x');
      one.server('x').setUp(false);
      expect(one.picks(2)).toBe('y y');
      one.server('x').setUp(true);
      expect(one.picks(2)).toBe('x x');
      one.server('a').setUp(true);
      expect(one.picks(2)).toBe('a a');

      const several = new TestBackend([
        `balance ${algorithm}`,
        'option allbackups',
        'server a 127.0.0.1:1',
        ...backups,
      ]);
      several.server('a').setUp(false);
      const asked = Array.from({ length: 64 }, (_, i) => {
        const name = several.pick({
          from: `127.0.0.${i}`,
          target: `/${i}?id=${i}`,
          headers: [`host: h${i}`],
        })!;
        several.take(name);
        return name;
      });
      expect(Object.keys(histogram(asked)).toSorted()).toEqual(algorithm === 'first' ? ['x'] : ['x', 'y']);
    },
  );

  it.each(all)('%s has no answer without servers', (algorithm) => {
    expect(new TestBackend([`balance ${algorithm}`]).pick()).toBeUndefined();
  });

  it.each(['roundrobin', 'static-rr', 'leastconn', 'first', 'random'])(
    '%s passes over full servers',
    (algorithm) => {
      const b = new TestBackend([`balance ${algorithm}`, ...THREE]);
      for (let i = 0; i < 20; i++) expect(b.pick({}, ['a', 'c'])).toBe('b');
      expect(b.pick({}, ['a', 'b', 'c'])).toBeUndefined();
      expect(b.policy.bindsRequests).toBeFalsy();
    },
  );

  it.each(['source', 'uri', 'hdr(host)', 'hash path'])('%s keeps to a server that is full', (algorithm) => {
    const b = new TestBackend([`balance ${algorithm}`, ...THREE]);
    const ask = { headers: ['host: example'] };
    const server = b.pick(ask)!;
    expect(b.pick(ask, [server])).toBe(server);
    expect(b.policy.bindsRequests).toBe(true);
  });
});

describe('roundrobin', () => {
  it('keeps the turn of a server that was full', () => {
    const b = new TestBackend(['balance roundrobin', ...THREE]);
    expect(b.picks(3)).toBe('a b c');
    expect([b.pick({}, ['a']), b.pick({}, ['a'])]).toEqual(['b', 'c']);
    expect(b.picks(6)).toMatch(/^a /);
  });

  it('gives every server its share, whatever the weights', () => {
    const weights = [1, 2, 4, 9, 16, 31];
    const total = weights.reduce((a, b) => a + b);
    const b = new TestBackend([
      'balance roundrobin',
      ...weights.map((w, i) => `server s${i} 127.0.0.1:1 weight ${w}`),
    ]);
    const counts = histogram(b.picks(total * 20).split(' '));
    for (const [i, weight] of weights.entries())
      expect(Math.abs(counts[`s${i}`]! - weight * 20)).toBeLessThanOrEqual(2);
  });
});

describe('leastconn', () => {
  it('takes the least loaded for its weight, and among equals who waited longest', () => {
    const b = new TestBackend(['balance leastconn', ...THREE.slice(0, 2), 'server c 127.0.0.1:3 weight 4']);
    for (const name of ['a', 'b', 'c', 'c', 'c']) {
      expect(b.pick()).toBe(name);
      b.take(name);
    }
    b.release('b');
    expect(b.pick()).toBe('b');
  });
});

describe('random', () => {
  it('draws by weight, and takes the less loaded of two', () => {
    let state = 7;
    const draw = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
    const b = new TestBackend([
      'balance random(1)',
      'server a 127.0.0.1:1 weight 10',
      'server b 127.0.0.1:2 weight 30',
    ]);
    const policy = random(b.backend, undefined, draw);
    const counts = histogram(Array.from({ length: 4000 }, () => policy.pick({} as never, () => false)?.name));
    expect(counts.b! / counts.a!).toBeGreaterThan(2);
    expect(counts.b! / counts.a!).toBeLessThan(4.5);

    const two = new TestBackend(['balance random(2)', ...THREE.slice(0, 2)]);
    two.take('a');
    const busy = random(two.backend, undefined, draw);
    const chosen = histogram(Array.from({ length: 1000 }, () => busy.pick({} as never, () => false)?.name));
    // The busy one only when both draws hit it.
    expect(chosen.a! / 1000).toBeLessThan(0.4);
  });
});

describe('hashes', () => {
  it('go in turn when there is nothing to hash', () => {
    for (const type of ['map-based', 'consistent']) {
      const b = new TestBackend(['balance url_param id', `hash-type ${type}`, ...THREE]);
      expect(Object.keys(histogram(b.picks(60).split(' '))).toSorted()).toEqual(['a', 'b', 'c']);
    }
  });

  it('move only the share of the server that went, when they are consistent', () => {
    const b = new TestBackend(['balance uri', 'hash-type consistent', ...THREE]);
    const targets = Array.from({ length: 300 }, (_, i) => `/page/${i}`);
    const before = targets.map((target) => b.pick({ target }));
    b.server('b').setUp(false);
    targets.forEach((target, i) => {
      if (before[i] !== 'b') expect(b.pick({ target })).toBe(before[i]);
    });
    b.server('b').setUp(true);
    expect(targets.map((target) => b.pick({ target }))).toEqual(before);
  });

  it('find another server after a failure when they are consistent, and the same one when they are not', () => {
    const ring = new TestBackend(['balance uri', 'hash-type consistent', ...THREE]);
    const failed = ring.server(ring.pick()!);
    expect(ring.pick({ failed })).not.toBe(failed.name);
    const map = new TestBackend(['balance uri', ...THREE]);
    const first = map.server(map.pick()!);
    expect(map.pick({ failed: first })).toBe(first.name);
  });

  it('take a key that is a number as it is with `none`', () => {
    const b = new TestBackend(['balance hdr(x)', 'hash-type map-based none', ...THREE]);
    expect(['0', '1', '2', '3', '31x'].map((x) => b.pick({ headers: [`x: ${x}`] }))).toEqual([
      'a',
      'b',
      'c',
      'a',
      'b',
    ]);
  });

  it('spread by themselves when `consistent` is all that hash-type says', () => {
    const plain = new TestBackend(['balance uri', 'hash-type consistent', ...THREE]);
    expect(plain.backend.settings.hashType?.modifier).toBe('avalanche');
    expect(errors('backend b\n hash-type consistent avalanche\n')).toHaveLength(1);
  });

  it('read the cookie of a remote desktop connection', () => {
    const b = new TestBackend(['balance rdp-cookie', ...THREE], 'tcp');
    const packet = (cookie: string) =>
      Buffer.concat([
        Buffer.from([3, 0, 0, 60, 50, 0xe0, 0, 0, 0, 0, 0]),
        Buffer.from(`Cookie: ${cookie}\r\n`),
      ]);
    const users = ['anna', 'bob', 'carla', 'dora', 'emil', 'fritz'];
    const first = users.map((user) => b.pick({ payload: packet(`mstshash=${user}`) }));
    expect(users.map((user) => b.pick({ payload: packet(`MSTSHASH=${user}`) }))).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(1);
    // Not a cookie of that name, not complete, not such a packet: in turn.
    for (const payload of [
      packet('other=x'),
      packet('mstshash=anna').subarray(0, 26),
      Buffer.from('GET / HTTP/1.1\r\n'),
    ])
      expect(new Set(b.picks(3, { payload }).split(' ')).size).toBe(3);
  });
});
