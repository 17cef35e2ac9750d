import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reservePort, untilListening } from '../../support/ports.ts';

const SCRIPT = fileURLToPath(new URL('../../../dist/providers/local/web-server.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lablb-web-'));
const log = join(folder, 'log', 'access.log');
let port: number;
let server: ChildProcess;

beforeAll(async () => {
  const root = join(folder, 'html');
  mkdirSync(join(root, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(root, 'index.html'), '<h1>SITE1</h1>');
  writeFileSync(join(root, 'sub', 'a b.txt'), 'spaced');
  writeFileSync(join(root, '.hidden'), 'hidden');
  writeFileSync(join(root, 'empty.css'), '');
  port = await reservePort();
  const args = ['--address', '127.0.0.1', '--port', String(port), '--root', root, '--access-log', log];
  server = spawn(process.execPath, [SCRIPT, ...args], { stdio: 'ignore' });
  expect(await untilListening([port], 5000)).toBe(true);
});
afterAll(() => {
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function ask(path: string, options: RequestOptions = {}) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, ...options }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      });
      sent.on('error', reject).end();
    },
  );
}

describe('the web server of local nodes', () => {
  it('serves the page at /, whatever the host and the query', async () => {
    const { status, headers, body } = await ask('/?x=/..', { headers: { host: 'anything.test' } });
    expect({ status, body }).toEqual({ status: 200, body: '<h1>SITE1</h1>' });
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'content-length': '14' });
  });

  it.each([
    ['/sub/a%20b.txt', 200, 'spaced'],
    ['/empty.css', 200, ''],
    ['/nothing', 404, undefined],
    ['/sub/', 404, undefined],
    ['/.hidden', 404, undefined],
    ['/../secret.txt', 404, undefined],
    ['/%2e%2e/secret.txt', 404, undefined],
    ['/sub/..%2f..%2fsecret.txt', 404, undefined],
    ['/%00', 404, undefined],
    ['/%zz', 404, undefined],
  ])('answers %s with %i', async (path, status, body) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    if (body !== undefined) expect(answer.body).toBe(body);
    expect(answer.body).not.toContain('secret');
  });

  it('knows in its log who asked, also when they are gone by then', async () => {
    const gone = connect(port, '127.0.0.1');
    await once(gone, 'connect');
    await new Promise((sent) => gone.write('GET /gone HTTP/1.1\r\nhost: x\r\n\r\n', sent));
    gone.destroy();
    await expect.poll(() => readFileSync(log, 'utf8')).toMatch(/^127\.0\.0\.1 - - .*GET \/gone /m);
  });

  it('answers HEAD without a body, other methods with 405, and what did not change with 304', async () => {
    const head = await ask('/', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '14' } });
    expect(await ask('/', { method: 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
    const unchanged = await ask('/', { headers: { 'if-none-match': String(head.headers.etag) } });
    expect(unchanged).toMatchObject({ status: 304, body: '' });
  });

  it('shows a page that was written anew without being told', async () => {
    const index = join(folder, 'html', 'sub', 'index.html');
    writeFileSync(index, 'one');
    expect((await ask('/sub/')).body).toBe('one');
    writeFileSync(index, 'and two');
    expect((await ask('/sub/')).body).toBe('and two');
    rmSync(index);
  });

  it('writes a line a request that nobody can forge', async () => {
    await ask('/nothing"\\%0a', { headers: { 'user-agent': 'x" y', 'x-forwarded-for': '192.0.2.7' } });
    await expect.poll(() => readFileSync(log, 'utf8')).toContain('/nothing\\"\\\\%0a');
    const line = readFileSync(log, 'utf8').trimEnd().split('\n').at(-1)!;
    expect(line).toMatch(
      /^192\.0\.2\.7 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \S+ HTTP\/1\.1" 404 \d+ "-" "x\\" y"$/,
    );
  });

  it('ends when asked to', async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
