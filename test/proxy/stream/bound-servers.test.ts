import { afterEach, describe, expect, it } from 'vitest';
import { Scene } from './scene.ts';

const FRONT = 'frontend f\n bind :80\n default_backend b\nbackend b\n';
const SERVERS = ' server s1 127.0.0.1:1001 cookie one\n server s2 127.0.0.1:1002 cookie two\n';
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const ask = (...fields: string[]) => `GET / HTTP/1.1\r\n${fields.map((f) => `${f}\r\n`).join('')}\r\n`;

let scene: Scene;
afterEach(() => scene.end());

describe('option persist', () => {
  /** Where a request goes whose cookie names a server that is down. */
  function sent(lines: string, request: string): number[] {
    scene = new Scene(`${FRONT}${lines}${SERVERS}`);
    const peers = [scene.serve(1001, OK), scene.serve(1002, OK)];
    scene.server('s1').setUp(false);
    scene.client(request);
    return peers.map((list) => list.length);
  }

  it.each([
    [' cookie C\n', [0, 1]],
    [' cookie C\n option persist\n', [1, 0]],
    [' cookie C\n option persist\n no option persist\n', [0, 1]],
  ])('follows a cookie even to a server that is down: %j', (lines, expected) => {
    expect(sent(lines, ask('cookie: C=one'))).toEqual(expected);
  });

  it.each([
    [' use-server s1 if TRUE\n', [0, 1]],
    [' use-server s1 if TRUE\n option persist\n', [1, 0]],
  ])('and use-server too: %j', (lines, expected) => {
    expect(sent(lines, ask('host: a'))).toEqual(expected);
  });

  it('does not bring others there', () => {
    expect(sent(' cookie C\n option persist\n', ask('host: a'))).toEqual([0, 1]);
  });
});

describe('a server with redir', () => {
  const REDIR = `${FRONT} server s1 127.0.0.1:1001 redir http://other.test\n`;

  it('is not asked: the client is sent to it', () => {
    scene = new Scene(REDIR);
    const peers = scene.serve(1001, OK);
    const client = scene.client('GET /a/b?c=d HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(client.text).toMatch(/^HTTP\/1\.1 302 Found\r\n/);
    expect(client.text).toContain('\r\nlocation: http://other.test/a/b?c=d\r\n');
    expect([client.left !== '', peers.length]).toEqual([true, 0]);
    expect(scene.log).toEqual(['b/s1 302 LC 0']);
    expect(scene.server('s1').counters).toMatchObject({ scur: 0, stot: 1 });
  });

  it('is asked for what cannot simply be asked again elsewhere', () => {
    scene = new Scene(REDIR);
    const peers = scene.serve(1001, OK);
    expect(scene.client('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n').statuses).toEqual([200]);
    expect(peers).toHaveLength(1);
  });

  it('gives its place back to who waits for it', () => {
    scene = new Scene(`${FRONT} server s1 127.0.0.1:1001 maxconn 1 redir http://other.test\n`);
    const peers = scene.serve(1001);
    scene.client('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n');
    const waiting = scene.client(ask('host: a'));
    expect(waiting.text).toBe('');
    peers[0]!.send(OK);
    expect(waiting.statuses).toEqual([302]);
    expect(scene.server('s1').counters.scur).toBe(0);
  });
});
