/** The engine at its limits: more clients than it may hold wait for their turn, whatever the limit is. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProxy } from '../support/proxy.ts';

const CLIENTS = 300;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
let origin: Server;
let port: number;

beforeAll(async () => {
  origin = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  port = (origin.address() as AddressInfo).port;
});
afterAll(() => {
  origin.closeAllConnections();
  origin.close();
});

it.each([
  ['maxconn of the frontend', 'maxconn 5', undefined],
  ['open files', '', 220],
])('serves all, limited by the %s', async (_what, line, openFiles) => {
  const proxy = await startProxy(
    `defaults\n mode http\n timeout connect 5s\n timeout client 20s\n timeout server 20s\nfrontend f\n bind 127.0.0.1:\${port:web}\n ${line}\n default_backend b\nbackend b\n server s 127.0.0.1:${port}\n`,
    { openFiles },
  );
  try {
    const answers = await Promise.all(Array.from({ length: CLIENTS }, () => ask(proxy.ports.web!)));
    expect(answers.filter((answer) => !answer.startsWith('HTTP/1.1 200'))).toEqual([]);
  } finally {
    await proxy.stop();
  }
});

function ask(at: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(at, '127.0.0.1', () => socket.write(GET));
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    socket.on('error', (error) => resolve(String(error)));
    socket.on('close', () => resolve(answer));
  });
}
