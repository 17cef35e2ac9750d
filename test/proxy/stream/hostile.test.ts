import { afterEach, describe, expect, it } from 'vitest';
import { type Peer, Scene } from './scene.ts';

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const ONE = 'frontend f\n bind :80\n default_backend b\nbackend b\n server s1 127.0.0.1:1001\n';
const UPGRADE = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: w\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: w\r\n\r\n';

let scene: Scene;
function begin(configuration: string, options?: { capacity?: number; piece?: number }): Scene {
  scene = new Scene(configuration, options);
  return scene;
}
afterEach(() => scene.end());

/** Writes the text again and again until no more is taken; returns how many bytes were. */
function flood(peer: Peer, text: string, limit: number): number {
  const bytes = Buffer.from(text);
  let total = 0;
  while (total < limit) {
    const taken = peer.connection.write(bytes, 0, bytes.length);
    total += taken;
    scene.network.settle();
    if (taken < bytes.length) break;
  }
  return total;
}

describe('a client that sends much and reads nothing', () => {
  const RETURN = `frontend f\n bind :80\n http-request return status 200 content-type text/plain string ${'x'.repeat(4000)}\n`;

  it('is read no further while answers of our own wait for it', () => {
    const client = begin(RETURN, { capacity: 10_000, piece: 4096 }).client();
    client.connection.pause();
    const taken = flood(client, GET, 1_000_000);
    expect(taken).toBeLessThan(50_000);
    client.connection.resume();
    scene.network.settle();
    expect(client.statuses).toHaveLength(Math.floor(taken / GET.length));
    expect(new Set(client.statuses)).toEqual(new Set([200]));
  });

  it('is given up after `timeout client`', () => {
    const client = begin(RETURN, { capacity: 10_000, piece: 4096 }).client();
    client.connection.pause();
    flood(client, GET, 1_000_000);
    scene.wait(11_000);
    expect(scene.proxy.frontends[0]!.counters.scur).toBe(0);
  });

  it('is not forgotten while it reads slowly the last answer', () => {
    const long = RETURN.replace(/x+$/m, 'x'.repeat(30_000));
    const client = begin(long, { capacity: 4096 }).client();
    client.connection.pause();
    client.send(GET.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
    client.finish();
    for (let i = 0; i < 20; i++) {
      scene.wait(3000);
      client.connection.resume();
      scene.network.settle();
      client.connection.pause();
    }
    expect(client.text).toContain('connection: close');
    expect(client.text.endsWith('x'.repeat(30_000))).toBe(true);
  });

  it('holds back a server that sends interim responses without end', () => {
    const peers = begin(ONE, { capacity: 10_000, piece: 4096 }).serve(1001);
    const client = scene.client(GET);
    client.connection.pause();
    const hint = `HTTP/1.1 103 Early Hints\r\nlink: ${'y'.repeat(500)}\r\n\r\n`;
    expect(flood(peers[0]!, hint, 1_000_000)).toBeLessThan(50_000);
  });
});

describe('a tunnel', () => {
  it('brings what a server sent before its FIN to a slow client', () => {
    const peers = begin(ONE, { capacity: 4096, piece: 4096 }).serve(1001);
    const client = scene.client(UPGRADE);
    peers[0]!.send(SWITCHED);
    client.connection.pause();
    const taken = flood(peers[0]!, 'z'.repeat(1000), 1_000_000);
    peers[0]!.finish();
    client.connection.resume();
    scene.network.settle();
    expect(client.text.length).toBe(SWITCHED.length + taken);
    expect(client.left).toBe('FIN');
  });

  it('brings what a client sent before its FIN to a slow server', () => {
    const peers = begin(ONE, { capacity: 4096, piece: 4096 }).serve(1001);
    const client = scene.client(UPGRADE);
    peers[0]!.send(SWITCHED);
    peers[0]!.take();
    peers[0]!.connection.pause();
    const taken = flood(client, 'z'.repeat(1000), 1_000_000);
    client.finish();
    peers[0]!.connection.resume();
    scene.network.settle();
    expect(peers[0]!.text.length).toBe(taken);
    expect(peers[0]!.left).toBe('FIN');
    peers[0]!.finish();
    expect(scene.log).toEqual(['b/s1 101 -- 0']);
  });
});

/** [mode of both sides, what opens the way, who ends, state logged, ms until then]. */
const HALF_CLOSED = [
  ['tcp', '', 'client', 'sD', 2000],
  ['tcp', '', 'server', 'cD', 1000],
  ['http', UPGRADE, 'client', 'sD', 2000],
  ['http', UPGRADE, 'server', 'cD', 1000],
] as const;

describe.each(HALF_CLOSED)('a half-closed connection in mode %s (%j)', (mode, opening, who, state, ms) => {
  it(`ended by the ${who} is closed by the other side's -fin timeout`, () => {
    const peers = begin(
      `listen l\n mode ${mode}\n bind :80\n timeout client-fin 1s\n timeout server-fin 2s\n server s1 127.0.0.1:1001\n`,
    ).serve(1001);
    const client = scene.client(opening || 'hello');
    if (mode === 'http') peers[0]!.send(SWITCHED);
    (who === 'client' ? client : peers[0]!).finish();
    scene.wait(ms - 100);
    expect(scene.log).toEqual([]);
    scene.wait(300);
    expect(scene.log).toEqual([expect.stringContaining(` ${state} `)]);
  });
});

describe('refusals', () => {
  const counted = (name: string) => {
    const [{ counters }] = scene.proxy.frontends as [(typeof scene.proxy.frontends)[number]];
    return counters[name as 'dreq'];
  };

  it.each([
    ['http-request deny', 'dreq', 1, 0],
    ['http-request reject', 'dreq', 1, 0],
    ['http-request tarpit', 'dreq', 1, 0],
    ['http-request return status 403', 'intercepted', 1, 0],
    ['http-request redirect location /', 'intercepted', 1, 0],
    ['tcp-request connection reject', 'dcon', 1, 1],
    ['tcp-request session reject', 'dses', 1, 1],
  ])('by `%s` are counted once in %s', (rule, counter, times, refused) => {
    begin(`frontend f\n bind :80\n ${rule}\n`);
    const client = scene.client();
    if (!refused) client.send(GET);
    scene.wait(20_000);
    const all = ['dreq', 'dcon', 'dses', 'intercepted'].map((name) => [name, counted(name)]);
    expect(Object.fromEntries(all)).toEqual({ dreq: 0, dcon: 0, dses: 0, intercepted: 0, [counter]: times });
  });

  it('of a response are counted at frontend, backend and server', () => {
    begin(`${ONE} http-response deny\n`).serve(1001, 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    expect(scene.client(GET).statuses).toEqual([502]);
    expect(scene.server('s1').counters.dresp).toBe(1);
    expect(scene.backend('b').counters.dresp).toBe(1);
    expect(counted('dresp')).toBe(1);
  });
});

describe('bind … accept-proxy', () => {
  const PROXY = 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n';
  const LIMITED = 'frontend f\n bind :80 accept-proxy\n maxconn 1\n http-request return status 200\n';

  it('ends a refused connection once, though its request came along', () => {
    begin(LIMITED.replace('maxconn 1', 'tcp-request connection reject'));
    const client = scene.client(PROXY + GET);
    scene.wait(20_000);
    expect(client.left).not.toBe('');
    expect(scene.proxy.frontends[0]!.counters).toMatchObject({ scur: 0, dcon: 1, reqTot: 0 });
  });

  it('gives the place of one that never told who it is to the next', () => {
    begin(LIMITED);
    const first = scene.client(PROXY + GET);
    expect(first.statuses).toEqual([200]);
    const bad = scene.client('JUNK\r\n');
    const good = scene.client(PROXY + GET);
    expect(good.statuses).toEqual([]);
    first.close();
    expect(bad.left).not.toBe('');
    expect(good.statuses).toEqual([200]);
  });

  it('counts those that are still silent', () => {
    begin(LIMITED);
    const silent = scene.client();
    const second = scene.client(PROXY + GET);
    expect(second.statuses).toEqual([]);
    silent.close();
    expect(second.statuses).toEqual([200]);
  });
});

describe('a client that breaks off before its request is whole', () => {
  it.each([
    ['with nothing sent', ''],
    ['within the head', 'GET / HT'],
  ])('%s is logged as a bad request', (_, text) => {
    begin(ONE);
    scene.client(text).reset();
    expect(scene.log).toEqual(['-/- 400 CR 0']);
  });
});
