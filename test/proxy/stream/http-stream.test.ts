import { afterEach, describe, expect, it } from 'vitest';
import { Scene } from './scene.ts';

const ONE = 'frontend f\n bind :80\n default_backend b\nbackend b\n server s1 127.0.0.1:1001\n';
const TWO = `${ONE} server s2 127.0.0.1:1002\n`;
const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

let scene: Scene;
function begin(configuration: string, options?: { capacity?: number }): Scene {
  scene = new Scene(configuration, options);
  return scene;
}
afterEach(() => scene.end());

const get = (path: string) => GET.replace('/', path);
const post = (length: number, body = '') =>
  `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n${body}`;
const big = 'x'.repeat(30_000);

describe('an exchange', () => {
  it('carries the request to the server and the answer back', () => {
    const [peers, client] = [begin(ONE).serve(1001), scene.client(GET)];
    expect(peers[0]!.take()).toBe(GET);
    peers[0]!.send(OK);
    expect(client.take()).toBe(OK);
    expect(scene.log).toEqual(['b/s1 200 -- 0']);
  });

  it('keeps both connections for the next request', () => {
    const peers = begin(ONE).serve(1001, OK);
    const client = scene.client(GET);
    client.send(GET);
    client.send(GET);
    expect(client.statuses).toEqual([200, 200, 200]);
    expect(peers).toHaveLength(1);
    expect(scene.server('s1').counters).toMatchObject({ connect: 1, reuse: 2, scur: 0, stot: 3 });
  });

  it('answers requests that were sent ahead one after the other', () => {
    const peers = begin(ONE).serve(1001);
    const client = scene.client(get('/1') + get('/2') + get('/3'));
    expect(peers[0]!.take()).toBe(get('/1'));
    peers[0]!.send(OK);
    expect(peers[0]!.take()).toBe(get('/2'));
    peers[0]!.send(OK);
    peers[0]!.send(OK);
    expect(client.statuses).toEqual([200, 200, 200]);
  });

  it('serves requests sent ahead of a FIN, then closes', () => {
    begin(ONE).serve(1001, OK);
    const client = scene.client();
    client.connection.write(Buffer.from(GET + GET), 0, 2 * GET.length);
    client.finish();
    expect(client.statuses).toEqual([200, 200]);
    expect(client.left).toMatch(/FIN|closed/);
  });

  it('closes with `option httpclose`, and says so', () => {
    const peers = begin(
      `defaults\n mode http\n option httpclose\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n${ONE}`,
    ).serve(1001);
    const client = scene.client(GET);
    expect(peers[0]!.text).toContain('connection: close');
    peers[0]!.send(OK);
    expect(client.text).toContain('connection: close');
    expect(client.left).toBe('FIN');
  });

  it('passes an early answer on, and the rest of the request too while the server listens', () => {
    const peers = begin(ONE).serve(1001);
    const client = scene.client(post(100, 'half'));
    peers[0]!.send(OK);
    expect(client.statuses).toEqual([200]);
    client.send('y'.repeat(96));
    expect(peers[0]!.text).toMatch(/half(y{96})$/);
    client.send(GET);
    expect(peers[0]!.text.endsWith(GET)).toBe(true);
    expect(peers).toHaveLength(1);
  });

  it('throws the rest of the request away when the server answered early and left', () => {
    const peers = begin(ONE).serve(1001);
    const client = scene.client(post(100, 'half'));
    peers[0]!.send(OK);
    peers[0]!.close();
    client.send(`${'y'.repeat(96)}${GET}`);
    expect(peers.map((peer) => peer.text.slice(-GET.length))).toEqual([expect.stringMatching(/half$/), GET]);
    peers[1]!.send(OK);
    expect(client.statuses).toEqual([200, 200]);
  });

  it('reads no more from the server than the client takes', () => {
    const peers = begin(ONE, { capacity: 50_000 }).serve(1001);
    const client = scene.client(GET);
    client.connection.pause();
    peers[0]!.send(`HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n${big}`);
    let sent = big.length;
    const chunk = Buffer.from(big);
    for (let i = 0; i < 30; i++) {
      sent += Math.max(0, peers[0]!.connection.write(chunk, 0, chunk.length));
      scene.network.settle();
    }
    expect(sent).toBeLessThan(300_000);
    client.connection.resume();
    scene.network.settle();
    expect(client.text.length).toBeGreaterThanOrEqual(sent);
  });
});

describe('servers that do not answer', () => {
  it('are tried again, and another one last', () => {
    begin(`${TWO} retries 2\n option redispatch\n`);
    const peers = scene.serve(1002, OK);
    const client = scene.client(GET);
    for (let i = 0; i < 5 && client.text === ''; i++) scene.wait(1000);
    expect(client.statuses).toEqual([200]);
    expect(peers).toHaveLength(1);
    expect(scene.log).toEqual([expect.stringMatching(/^b\/s2 200 -- \+[12]$/)]);
  });

  it('are given up after all retries: 503', () => {
    begin(`${ONE} retries 2\n`);
    const client = scene.client(GET);
    scene.wait(1000);
    expect(client.text).toBe('');
    for (let i = 0; i < 5; i++) scene.wait(1000);
    expect(client.statuses).toEqual([503]);
    expect(scene.log).toEqual(['b/s1 503 SC 2']);
  });

  it('are none at all: 503 at once', () => {
    begin(ONE).server('s1').setUp(false);
    expect(scene.client(GET).statuses).toEqual([503]);
    expect(scene.log).toEqual(['b/- 503 SC 0']);
  });

  it('close a connection from the pool just as it is used: the request goes out again', () => {
    const peers = begin(ONE).serve(1001);
    const client = scene.client(GET);
    peers[0]!.send(OK);
    client.take();
    // Both are under way at once.
    client.connection.write(Buffer.from(GET), 0, GET.length);
    peers[0]!.close();
    expect(peers).toHaveLength(2);
    peers[1]!.send(OK);
    expect(client.statuses).toEqual([200]);
  });

  it('break off in the middle: the client sees that the answer is not whole', () => {
    const peers = begin(ONE).serve(1001);
    const client = scene.client(GET);
    peers[0]!.send('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
    peers[0]!.close();
    expect(client.text).toMatch(/half$/);
    expect(client.left).not.toBe('');
    expect(scene.log).toEqual(['b/s1 200 SD 0']);
  });

  it('say what is no HTTP: 502', () => {
    const peers = begin(ONE).serve(1001);
    const client = scene.client(GET);
    peers[0]!.send('SSH-2.0-OpenSSH\r\n\r\n');
    expect(client.statuses).toEqual([502]);
    expect(scene.log).toEqual(['b/s1 502 PH 0']);
  });
});

describe('a server with maxconn', () => {
  const LIMITED = `${ONE.trimEnd()} maxconn 1\n`;

  it('makes the others wait, first come first served', () => {
    const peers = begin(LIMITED).serve(1001);
    const clients = ['/1', '/2', '/3'].map((path) => scene.client(get(path)));
    expect(peers.map((peer) => peer.text).join('')).toBe(get('/1'));
    expect(scene.backend('b').counters).toMatchObject({ qcur: 2, qmax: 2 });
    for (const path of ['/1', '/2', '/3']) {
      const busy = peers.find((peer) => peer.text.endsWith(get(path)))!;
      busy.send(OK);
    }
    expect(clients.map((client) => client.statuses)).toEqual([[200], [200], [200]]);
    expect(scene.server('s1').counters).toMatchObject({ smax: 1, scur: 0 });
    expect(scene.backend('b').counters.qcur).toBe(0);
  });

  it('makes them wait no longer than `timeout queue`', () => {
    const peers = begin(LIMITED.replace('\nbackend b', '\nbackend b\n timeout server 1m')).serve(1001);
    scene.client(GET);
    const second = scene.client(GET);
    scene.wait(5900);
    expect(second.text).toBe('');
    scene.wait(200);
    expect(second.statuses).toEqual([503]);
    expect(scene.log).toEqual([expect.stringMatching(/ 503 sQ /)]);
    expect(scene.backend('b').counters.qcur).toBe(0);
    expect(peers).toHaveLength(1);
  });

  it('forgets who went away while waiting', () => {
    const peers = begin(LIMITED).serve(1001);
    scene.client(get('/1'));
    scene.client(get('/2')).reset();
    const third = scene.client(get('/3'));
    peers[0]!.send(OK);
    peers.at(-1)!.send(OK);
    expect(third.statuses).toEqual([200]);
    expect(peers.map((peer) => peer.text).join('')).not.toContain('/2');
    expect(scene.log).toContainEqual(expect.stringMatching(/ CQ /));
  });

  it('that hashing chose is waited for, though others are free', () => {
    begin(`${LIMITED} balance uri\n server s2 127.0.0.1:1002 maxconn 1\n`);
    const [one, two] = [scene.serve(1001), scene.serve(1002)];
    scene.client(GET);
    scene.client(GET);
    const { counters, servers } = scene.backend('b');
    expect([one.length + two.length, counters.qcur]).toEqual([1, 0]);
    expect(servers.map((server) => server.counters.qcur).sort()).toEqual([0, 1]);
  });

  it('that goes down leaves those who waited for it to the others', () => {
    begin(`${LIMITED} balance uri\n server s2 127.0.0.1:1002 maxconn 1\n`);
    const [one, two] = [scene.serve(1001), scene.serve(1002)];
    scene.client(GET);
    scene.client(GET);
    const busy = scene.backend('b').servers.find((server) => server.counters.qcur === 1)!;
    busy.setAdmin('maint');
    scene.wait(1);
    expect([one.length, two.length]).toEqual([1, 1]);
    expect(busy.counters.qcur).toBe(0);
  });

  it('grows its limit from minconn to maxconn with the load of its backend', () => {
    begin(`${LIMITED.replace('maxconn 1', 'minconn 1 maxconn 4')} fullconn 4\n`);
    const arrived = scene.serve(1001);
    scene.client(GET);
    scene.client(GET);
    expect(arrived).toHaveLength(2);
    expect(scene.backend('b').counters.qcur).toBe(0);
    expect(scene.backend('b').servers[0]!.counters.scur).toBe(2);
  });

  it('sends away those who find too many waiting', () => {
    begin(
      `${LIMITED.replace('maxconn 1', 'maxconn 1 maxqueue 1 cookie a')} cookie S\n server s2 127.0.0.1:1002\n`,
    );
    const [one, two] = [scene.serve(1001), scene.serve(1002)];
    const bound = GET.replace('\r\n\r\n', '\r\ncookie: S=a\r\n\r\n');
    for (let i = 0; i < 3; i++) scene.client(bound);
    expect([one.length, two.length]).toEqual([1, 1]);
  });
});

describe('time', () => {
  it('for a request is limited: 408', () => {
    begin(ONE);
    const client = scene.client('GET / HTTP/1.1\r\n');
    scene.wait(2500);
    client.send('host: a\r\n');
    expect(client.text).toBe('');
    scene.wait(600);
    expect(client.statuses).toEqual([408]);
    expect(scene.log).toEqual(['-/- 408 cR 0']);
  });

  it('between requests is limited, and ends without a word', () => {
    begin(ONE).serve(1001, OK);
    const client = scene.client(GET);
    client.take();
    scene.wait(3900);
    expect(client.left).toBe('');
    scene.wait(200);
    expect([client.text, client.left]).toEqual(['', 'FIN']);
  });

  it('for an answer is limited: 504', () => {
    const peers = begin(ONE).serve(1001);
    const client = scene.client(GET);
    scene.wait(4900);
    expect(client.text).toBe('');
    scene.wait(200);
    expect(client.statuses).toEqual([504]);
    expect(peers[0]!.left).not.toBe('');
    expect(scene.log).toEqual(['b/s1 504 sH 0']);
  });

  it('runs anew with each piece of an answer', () => {
    const peers = begin(ONE).serve(1001);
    const client = scene.client(GET);
    peers[0]!.send('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n');
    for (const letter of 'abcde') {
      scene.wait(4000);
      peers[0]!.send(letter);
    }
    expect(client.text).toMatch(/abcde$/);
    scene.wait(5100);
    expect(client.left).not.toBe('');
    expect(scene.log).toEqual(['b/s1 200 sD 0']);
  });

  it('for a body is limited: 408', () => {
    begin(ONE).serve(1001);
    const client = scene.client(post(100, 'half'));
    scene.wait(10_100);
    expect(client.statuses).toEqual([408]);
    expect(scene.log).toEqual(['b/s1 408 cD 0']);
  });
});

describe('a client that goes away', () => {
  it('while the server thinks is logged, and the server is told', () => {
    const peers = begin(ONE).serve(1001);
    scene.client(GET).reset();
    expect(scene.log).toEqual(['b/s1 -1 CD 0']);
    expect(peers[0]!.left).toBe('reset');
    expect(scene.server('s1').counters.scur).toBe(0);
  });

  it('in the middle of the answer takes the server’s connection with it', () => {
    const peers = begin(ONE).serve(1001);
    const client = scene.client(GET);
    peers[0]!.send('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
    client.reset();
    expect(scene.log).toEqual(['b/s1 200 CD 0']);
    expect(peers[0]!.left).toBe('reset');
  });

  it('after FIN still gets the answer to a complete request', () => {
    const peers = begin(ONE).serve(1001);
    const client = scene.client(GET);
    client.finish();
    peers[0]!.send(OK);
    expect(client.statuses).toEqual([200]);
    expect(scene.log).toEqual(['b/s1 200 -- 0']);
  });

  it('leaves nothing behind', () => {
    const peers = begin(ONE).serve(1001, OK);
    for (let i = 0; i < 20; i++) {
      const client = scene.client(i % 3 === 0 ? GET : 'GET / HT');
      if (i % 2 === 0) client.reset();
      else client.close();
    }
    scene.wait(20_000);
    expect([...scene.proxy.sessions()]).toEqual([]);
    expect(scene.proxy.totals.connections).toBe(0);
    expect(scene.server('s1').counters.scur).toBe(0);
    expect(peers.every((peer) => peer.left !== '')).toBe(true);
  });
});
