import { afterEach, describe, expect, it } from 'vitest';
import { Body } from '../../../src/proxy/http1/body.ts';
import { BodyAhead, readAhead } from '../../../src/proxy/stream/body-ahead.ts';
import { Scene } from './scene.ts';

const FRONT = 'frontend f\n bind :80\n option http-buffer-request\n default_backend b\n';
const BACK = 'backend b\n server s1 127.0.0.1:1001\n';
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const GET = 'GET /next HTTP/1.1\r\nhost: a\r\n\r\n';
const head = (...fields: string[]) =>
  `POST / HTTP/1.1\r\nhost: a\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
const sized = (length: number, body: string) => head(`content-length: ${length}`) + body;
const chunks = (body: string) => head('transfer-encoding: chunked') + body;

let scene: Scene;
afterEach(() => scene?.end());

function begin(configuration = FRONT + BACK) {
  scene = new Scene(configuration);
  return scene.serve(1001);
}

describe('option http-buffer-request', () => {
  it('sends nothing to a server before the body is whole', () => {
    const peers = begin();
    const client = scene.client(sized(6, 'ab'));
    client.send('cd');
    expect(peers).toHaveLength(0);
    client.send('ef');
    expect(peers[0]!.take()).toBe(sized(6, 'abcdef'));
    peers[0]!.send(OK);
    expect(client.statuses).toEqual([200]);
    expect(scene.log).toEqual(['b/s1 200 -- 0']);
  });

  it.each([
    ['a length', sized(6, 'abcdef')],
    ['chunks', chunks('3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n')],
    ['trailers', chunks('3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n')],
  ])('is the same at any cut: %s', (_, request) => {
    for (let cut = 1; cut < request.length; cut++) {
      const peers = begin();
      const client = scene.client(request.slice(0, cut));
      expect(peers).toHaveLength(0);
      client.send(request.slice(cut) + GET);
      expect(peers[0]!.take()).toBe(request);
      peers[0]!.send(OK);
      expect(peers[0]!.take()).toBe(GET);
      scene.end();
    }
  });

  it('leaves what follows the body for the next request, which waits in its turn', () => {
    const peers = begin();
    const client = scene.client(sized(3, 'a'));
    client.send(`bc${sized(3, 'd')}`);
    expect(peers[0]!.take()).toBe(sized(3, 'abc'));
    peers[0]!.send(OK);
    expect(peers[0]!.take()).toBe('');
    client.send('ef');
    expect(peers[0]!.take()).toBe(sized(3, 'def'));
  });

  it('goes on when the buffer is full, and sends the rest as it comes', () => {
    const peers = begin();
    const client = scene.client(sized(100_000, 'x'.repeat(15_000)));
    expect(peers).toHaveLength(0);
    client.send('y'.repeat(1000));
    expect(peers).toHaveLength(1);
    for (let i = 0; i < 2; i++) client.send('z'.repeat(42_000));
    expect(peers[0]!.text).toHaveLength(sized(100_000, '').length + 100_000);
  });

  it('asks for the body that a client holds back, and does not tell the server', () => {
    const peers = begin();
    const client = scene.client(head('content-length: 2', 'expect: 100-Continue'));
    expect(client.take()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hi');
    expect(peers[0]!.take()).toBe(sized(2, 'hi'));
  });

  it('waits no longer than timeout http-request, pieces or not: 408', () => {
    const peers = begin();
    const client = scene.client(sized(6, 'a'));
    for (let i = 0; i < 2; i++) {
      scene.wait(1200);
      client.send('b');
      expect(client.text).toBe('');
    }
    scene.wait(700);
    expect(client.statuses).toEqual([408]);
    expect(client.left).not.toBe('');
    expect(peers).toHaveLength(0);
    expect(scene.log).toEqual(['-/- 408 cR 0']);
    expect(scene.proxy.frontends[0]!.counters.ereq).toBe(1);
  });

  it('without it waits as long as pieces come within timeout client', () => {
    const peers = begin(`${FRONT} timeout http-request 0\n${BACK}`);
    const client = scene.client(sized(4, 'a'));
    for (const letter of 'bc') {
      scene.wait(9000);
      client.send(letter);
    }
    expect(client.text).toBe('');
    scene.wait(10_100);
    expect(client.statuses).toEqual([408]);
    expect(peers).toHaveLength(0);
  });

  it('does not count the wait for a server, nor the server’s own time', () => {
    const peers = begin();
    const client = scene.client(sized(2, 'a'));
    scene.wait(2900);
    client.send('b');
    scene.wait(4000);
    peers[0]!.send(OK);
    expect(client.statuses).toEqual([200]);
  });

  it('refuses chunks that are none: 400', () => {
    const peers = begin();
    const client = scene.client(chunks('3\r\nabc\r\n'));
    client.send('zz\r\n');
    expect(client.statuses).toEqual([400]);
    expect(peers).toHaveLength(0);
    expect(scene.log).toEqual(['-/- 400 PR 0']);
  });

  it.each(['finish', 'reset', 'close'] as const)('notices a client that goes away: %s', (way) => {
    const peers = begin();
    const client = scene.client(sized(6, 'a'));
    client[way]();
    expect([client.text, peers.length]).toEqual(['', 0]);
    expect(scene.log).toEqual(['-/- -1 CR 0']);
    expect(scene.proxy.frontends[0]!.counters.scur).toBe(0);
  });

  it('notices a client that ended within the second of two requests', () => {
    const peers = begin();
    const client = scene.client(GET + sized(6, 'a'));
    client.finish();
    peers[0]!.send(OK);
    expect(client.statuses).toEqual([200]);
    expect(scene.log).toEqual(['b/s1 200 -- 0', '-/- -1 CR 0']);
  });

  it('serves a client that ended after the body', () => {
    const peers = begin();
    const client = scene.client(sized(2, 'a'));
    client.send('b');
    client.finish();
    peers[0]!.send(OK);
    expect(client.statuses).toEqual([200]);
  });

  it('comes before the rules of the frontend', () => {
    begin(`${FRONT} http-request deny\n${BACK}`);
    const client = scene.client(sized(2, 'a'));
    expect(client.text).toBe('');
    client.send(`b${sized(1, '')}`);
    expect(client.statuses).toEqual([403]);
    client.send('c');
    expect(client.statuses).toEqual([403, 403]);
  });

  it('of a backend comes after the rules of the frontend and before its own', () => {
    const front = 'frontend f\n bind :80\n http-request deny if { path /no }\n default_backend b\n';
    begin(
      `${front}${BACK} option http-buffer-request\n timeout http-request 1s\n http-request return status 201\n`,
    );
    expect(scene.client(sized(2, 'a').replace('/', '/no')).statuses).toEqual([403]);
    const [client, slow] = [scene.client(sized(2, 'a')), scene.client(sized(2, 'a'))];
    client.send('b');
    expect(client.statuses).toEqual([201]);
    scene.wait(1100);
    expect(slow.statuses).toEqual([408]);
    expect(scene.log).toEqual(['-/- 403 PR 0', 'b/- 201 LR 0', 'b/- 408 cR 0']);
  });

  it('lets rules see the body', () => {
    const rules = [
      'http-request set-header x-body %[req.body]',
      'http-request set-header x-len %[req.body_len]',
      'http-request set-header x-size %[req.body_size]',
      'http-request set-header x-b %[req.body_param(b)]',
    ];
    const peers = begin(`${FRONT} ${rules.join('\n ')}\n${BACK}`);
    const client = scene.client(chunks('3\r\na=1\r\n2'));
    client.send('\r\n&b\r\n2\r\n=2\r\n0\r\n\r\n');
    expect(peers[0]!.take()).toContain('x-body: a=1&b=2\r\nx-len: 7\r\nx-size: 7\r\nx-b: 2\r\n\r\n');
  });

  it('has the form of the statistics page', () => {
    begin(`${FRONT} stats enable\n stats uri /\n stats admin if TRUE\n${BACK}`);
    const client = scene.client(sized(18, 's=s1&action='));
    client.send('drain&');
    expect(client.statuses).toEqual([303]);
  });

  it('has nothing to wait for without a body', () => {
    const peers = begin();
    scene.client(GET);
    expect(peers[0]!.take()).toBe(GET);
    scene.client(sized(0, ''));
    expect(peers[1]!.take()).toBe(sized(0, ''));
  });
});

describe('a look ahead', () => {
  it('counts what is here and uses nothing up', () => {
    const body = new Body();
    body.start('chunked');
    const ahead = new BodyAhead(body);
    const bytes = Buffer.from('GET3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nrest');
    const seen = [8, 12, 20, 26].map((end) => {
      ahead.look(bytes.subarray(0, end), 3);
      return [ahead.length, ahead.done];
    });
    expect(seen).toEqual([
      [2, false],
      [3, false],
      [5, false],
      [5, true],
    ]);
    expect(readAhead(body, bytes, 3).toString()).toBe('abcde');
    expect(readAhead(body, bytes.subarray(0, 8), 3).toString()).toBe('ab');
    expect([body.done, body.remaining]).toEqual([false, 0]);
  });
});
