import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { type Engine, startProxy } from '../../support/proxy.ts';

let origin: Server;
beforeAll(async () => {
  origin = createServer((_request, response) => {
    response.sendDate = false;
    response.setHeader('x-origin', 'yes');
    response.end('ok');
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  origin.closeAllConnections();
  origin.close();
});

describe('-d', () => {
  it('shows requests, answers and ends', async () => {
    expect(await traced('lablb')).toEqual([
      'N:f.accept(N)=N from [A] ALPN=<none>',
      'N:f.clireq[N:N]: GET /a?b HTTP/1.1',
      'N:f.clihdr[N:N]: host: h',
      'N:b.srvrep[N:N]: HTTP/1.1 200 OK',
      'N:b.srvhdr[N:N]: x-origin: yes',
      'N:b.srvhdr[N:N]: content-length: 2',
      'N:b.clicls[N:N]',
      'N:b.srvcls[N:N]',
      'N:b.closed[N:N]',
    ]);
  });

  it.skipIf(!needs('haproxy'))('does so in the form of HAProxy', async () => {
    // Which side is closed first is up to chance.
    expect((await traced('lablb')).toSorted()).toEqual((await traced('haproxy')).toSorted());
  });
});

async function traced(engine: Engine): Promise<string[]> {
  const { port } = origin.address() as AddressInfo;
  const proxy = await startProxy(
    `defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\nfrontend f\n bind 127.0.0.1:\${port:web}\n default_backend b\nbackend b\n option httpclose\n server s 127.0.0.1:${port}\n`,
    { engine, args: ['-d'] },
  );
  await new Promise((resolve) => {
    const client = connect(proxy.ports.web!, '127.0.0.1', () =>
      client.write('GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n'),
    );
    client.on('close', resolve).resume();
  });
  await expect.poll(() => proxy.stdout(), { timeout: 10_000 }).toContain('.closed[');
  await proxy.stop();
  return proxy
    .stdout()
    .split('\n')
    .filter((line) => /^[0-9a-f]{8}:/.test(line) && !/keep-alive|connection: /.test(line))
    .map((line) =>
      line
        .replace(/^[0-9a-f]{8}/, 'N')
        .replace(/\[[0-9a-f]+:[0-9a-f]+\]/, '[N:N]')
        .replace(/\([0-9a-f]{4}\)=[0-9a-f]{4}/, '(N)=N')
        .replace(/\[127\.0\.0\.1:\d+\]/, '[A]'),
    );
}
