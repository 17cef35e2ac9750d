import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { type Ask, TestBackend } from './backend.ts';
import { Oracle } from './haproxy.ts';

const CHARACTERS = 'abcdefghijklmnopqrstuvwxyzABCDEF0123456789-_.~%/';

/** The same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const WEIGHTS = [
  [1],
  [1, 1],
  [2, 3, 4],
  [1, 10],
  [10, 1, 1],
  [5, 5, 5, 5],
  [256, 1, 17],
  [3, 0, 2],
  [7, 100, 3, 50, 9],
];

function servers(weights: readonly number[], more = ''): string[] {
  return weights.map((weight, i) => `server s${i + 1} @ weight ${weight}${more}`);
}

/** The same backend on both sides. */
const BACKENDS: Record<string, string[]> = {};
function backend(name: string, lines: string[]): string {
  BACKENDS[name] = lines;
  return name;
}
function ours(name: string): TestBackend {
  return new TestBackend(BACKENDS[name]!.map((line) => line.replaceAll('@', '127.0.0.1:80')));
}

const IN_TURN = ['roundrobin', 'static-rr', 'leastconn', 'first'].flatMap((algorithm) =>
  WEIGHTS.map((weights) =>
    backend(`${algorithm}_${weights.join('_')}`, [`balance ${algorithm}`, ...servers(weights)]),
  ),
);

const CHANGING = ['roundrobin', 'uri', 'uri whole'].flatMap((algorithm) =>
  [11, 22, 33, 44].map((seed) => ({
    seed,
    name: backend(`changing_${algorithm.replace(' ', '_')}_${seed}`, [
      `balance ${algorithm}`,
      'hash-type consistent',
      ...(seed % 4 === 0 ? ['option allbackups'] : []),
      ...servers([5, 3, 8, 1]),
      'server b1 @ weight 2 backup',
      'server b2 @ weight 3 backup',
    ]),
  })),
);

const LOADED = [
  ['leastconn', [1, 1, 1]],
  ['leastconn', [4, 2, 1]],
  ['leastconn', [10, 1, 3, 3]],
  ['first', [1, 1, 1]],
  ['roundrobin', [1, 1, 1]],
  ['roundrobin', [4, 2, 1]],
  ['static-rr', [4, 2, 1]],
].map(([algorithm, weights], i) => ({
  seed: 100 + i,
  name: backend(`loaded_${algorithm}_${i}`, [
    `balance ${algorithm}`,
    ...servers(weights as number[], algorithm === 'leastconn' ? '' : ' maxconn 2'),
  ]),
}));

const HASH_TYPES = [
  '',
  'map-based',
  'map-based djb2',
  'map-based wt6 avalanche',
  'map-based crc32',
  'consistent',
  'consistent sdbm',
  'consistent djb2 avalanche',
  'consistent wt6',
  'consistent crc32 avalanche',
];
const KEYS: Record<string, (random: (below: number) => number) => Ask> = {
  source: (random) => ({ from: `127.${1 + random(200)}.${random(256)}.${1 + random(254)}` }),
  uri: (random) => ({
    target: `${random(3) === 0 ? 'http://host.example' : ''}/${text(random)}?${text(random)}`,
  }),
  'uri len 5 depth 3': (random) => ({ target: `/${text(random)}` }),
  'uri depth 1 whole': (random) => ({ target: `/${text(random)}?${text(random)}` }),
  'uri path-only whole': (random) => ({
    target: `${random(2) === 0 ? 'http://host.example' : ''}/${text(random)}?${text(random)}`,
  }),
  'url_param id': (random) => ({
    target: `/${['?', '?a=b&', '?xid=1&', '?id&', '#'.slice(1)][random(5)]}id=${text(random)}${random(2) ? '&c=d' : ''}`,
  }),
  'hdr(X-Key)': (random) => ({ headers: [`x-key: ${text(random)}${random(3) === 0 ? ' , more' : ''}`] }),
  'hdr(host) use_domain_only': (random) => ({
    headers: [
      `host: ${['www.', '', 'a.b.'][random(3)]}x${text(random).replace(/[^a-z]/g, '')}${['.com', '.org', ''][random(3)]}`,
    ],
  }),
  'hash path,lower': (random) => ({ target: `/${text(random)}` }),
  'hash src': (random) => ({ from: `127.0.${random(256)}.${1 + random(254)}` }),
  'hash req.hdr_cnt(x)': (random) => ({ headers: Array.from({ length: random(9) }, () => 'x: y') }),
};
const HASHES = Object.keys(KEYS).flatMap((key, i) =>
  HASH_TYPES.map((hashType, j) => ({
    title: `balance ${key}, hash-type ${hashType || 'as it is'}`,
    ask: KEYS[key]!,
    seed: 1000 * i + j,
    name: backend(`hash_${i}_${j}`, [
      `balance ${key}`,
      ...(hashType === '' ? [] : [`hash-type ${hashType}`]),
      ...servers(
        [
          [1, 1, 1],
          [3, 1, 2],
          [1, 1, 1, 1, 1],
        ][j % 3]!,
      ),
      ...(j % 2 === 1 ? ['server numbered @ id 77 weight 2'] : []),
    ]),
  })),
);

function text(random: (below: number) => number): string {
  return Array.from({ length: 1 + random(24) }, () => CHARACTERS[random(CHARACTERS.length)]).join('');
}

describe.skipIf(!needs('haproxy'))('the same servers as HAProxy', () => {
  let oracle: Oracle;
  beforeAll(async () => {
    oracle = await Oracle.start(BACKENDS);
  });
  afterAll(() => oracle?.stop());

  it.each(IN_TURN)('%s', async (name) => {
    const mine = ours(name);
    const taken: string[] = [];
    for (let i = 0; i < 40; i++) {
      const server = mine.pick()!;
      mine.take(server);
      mine.release(server);
      taken.push(server);
    }
    expect(taken.join(' ')).toBe(await oracle.picks(40, name));
  });

  it.each(CHANGING)('$name: weights and states that change', async ({ seed, name }) => {
    const random = numbers(seed);
    const mine = ours(name);
    const backup = new Set(['b1', 'b2']);
    for (let step = 0; step < 40; step++) {
      const count = random(12);
      const ask = { target: `/${text(random)}` };
      const said = await oracle.picks(count, name, ask);
      expect(mine.picks(count, ask), `step ${step}`).toBe(said);
      const server = mine.backend.servers[random(6)]!;
      const action = random(backup.has(server.name) ? 2 : 4);
      if (action < 2) {
        const state = (['maint', 'ready', 'drain'] as const)[random(3)]!;
        await oracle.command(`set server ${name}/${server.name} state ${state}`);
        server.setAdmin(state);
      } else {
        const weight = random(5) === 0 ? 0 : 1 + random(20);
        await oracle.command(`set server ${name}/${server.name} weight ${weight}`);
        server.setWeight(weight);
      }
      if (mine.backend.usable.length > 0) continue;
      await oracle.command(`set server ${name}/s1 state ready`);
      await oracle.command(`set server ${name}/s1 weight 4`);
      mine.server('s1').setAdmin('ready');
      mine.server('s1').setWeight(4);
    }
  });

  it.each(LOADED)('$name: requests that last', async ({ seed, name }) => {
    const random = numbers(seed);
    const mine = ours(name);
    const held: { server: string; release(): Promise<void> }[] = [];
    const load = (server: string) => held.filter((each) => each.server === server).length;
    for (let step = 0; step < 60; step++) {
      const full = mine.backend.servers.filter((s) => s.maxconn !== undefined && load(s.name) >= s.maxconn);
      if (held.length > 0 && (random(5) < 2 || full.length === mine.backend.servers.length)) {
        const [{ server, release }] = held.splice(random(held.length), 1) as [(typeof held)[number]];
        await release();
        mine.release(server);
        continue;
      }
      const request = await oracle.hold(name, {});
      const names = full.map((server) => server.name);
      expect(mine.pick({}, names), `step ${step}`).toBe(request.server);
      held.push(request);
      mine.take(request.server);
    }
    for (const { release } of held) await release();
  });

  it.each(HASHES)('$title', async ({ name, ask, seed }) => {
    const random = numbers(seed);
    const mine = ours(name);
    for (let i = 0; i < 25; i++) {
      const asked = ask(random);
      if (i === 12) {
        await oracle.command(`set server ${name}/s2 state maint`);
        mine.server('s2').setAdmin('maint');
      }
      if (i === 18) {
        await oracle.command(`set server ${name}/s2 state ready`);
        mine.server('s2').setAdmin('ready');
      }
      expect(mine.pick(asked), JSON.stringify(asked)).toBe(await oracle.pick(name, asked));
    }
  });
});
