/**
 * The web server of local nodes, a program of its own: serves a folder on one address. The page is at `/`; other
 * paths are files of the folder or 404. GET and HEAD only, keep-alive, an access log in the combined format.
 *
 *     node web-server.js --address 127.64.1.9 --port 80 --root DIR --access-log FILE
 *
 * For `lablb fail`: `--delay MS` lets every answer wait, `--always 500` makes every answer an error.
 */
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8080' },
    root: { type: 'string', default: '.' },
    'access-log': { type: 'string', default: '/dev/null' },
    delay: { type: 'string', default: '0' },
    always: { type: 'string' },
  },
});
const { root, address } = values;
const delay = Number(values.delay);

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
};

mkdirSync(dirname(values['access-log']), { recursive: true });
const accessLog = createWriteStream(values['access-log'], { flags: 'a', mode: 0o640 });
const server = createServer((request, response) => {
  response.once('close', () => accessLog.write(combinedLine(request, response)));
  const begin = (): Promise<void> => answer(request, response).catch(() => void response.destroy());
  if (delay > 0) setTimeout(begin, delay);
  else begin();
});
// Longer than a load balancer keeps an idle connection, so that it is the balancer who closes.
server.keepAliveTimeout = 75_000;
// Asked once, a socket knows it for good; asked first when its client is gone, it never does.
server.on('connection', (socket) => void socket.remoteAddress);
server.on('error', (error) => {
  process.stderr.write(`web-server: ${error.message}\n`);
  process.exit(1);
});
server.listen({ host: address, port: Number(values.port), backlog: 1024 }, () =>
  process.stdout.write(`web-server: ${root} on ${address}:${values.port}\n`),
);
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, stop);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  if (values.always) return say(request, response, Number(values.always), 'Internal Server Error');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return say(request, response, 405, 'Method Not Allowed');
  }
  const file = await findFile(request.url ?? '/');
  if (!file) return say(request, response, 404, 'Not Found');
  const etag = `"${file.size.toString(16)}-${Math.floor(file.mtimeMs).toString(16)}"`;
  response.setHeader('ETag', etag);
  response.setHeader('Last-Modified', new Date(file.mtimeMs).toUTCString());
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader('Content-Type', TYPES[extname(file.path)] ?? 'application/octet-stream');
  response.setHeader('Content-Length', file.size);
  if (request.method === 'HEAD') response.end();
  // `end`: the file may grow between the look and the read, the promised length may not.
  else if (file.size === 0) response.end();
  else await pipeline(createReadStream(file.path, { end: file.size - 1 }), response);
}

interface Found {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** The file for a request target; nothing outside the folder, nothing hidden. */
async function findFile(target: string): Promise<Found | undefined> {
  const path = decodePath(target);
  if (path === undefined || path.split('/').some((part) => part.startsWith('.'))) return undefined;
  const found = await look(join(root, normalize(path)));
  return found === 'folder' ? fileOf(await look(join(root, normalize(path), 'index.html'))) : fileOf(found);
}

function decodePath(target: string): string | undefined {
  try {
    const path = decodeURIComponent(new URL(target, 'http://node').pathname);
    return path.includes('\0') ? undefined : path;
  } catch {
    return undefined;
  }
}

async function look(path: string): Promise<Found | 'folder' | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return 'folder';
  return found?.isFile() ? { path, size: found.size, mtimeMs: found.mtimeMs } : undefined;
}

function fileOf(found: Found | 'folder' | undefined): Found | undefined {
  return found === 'folder' ? undefined : found;
}

function say(request: IncomingMessage, response: ServerResponse, status: number, reason: string): void {
  const body = `<!DOCTYPE html>\n<title>${status} ${reason}</title>\n<h1>${reason}</h1>\n`;
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Apache's combined format, in UTC. Quotes and control characters of the client are escaped as Apache does. */
function combinedLine(request: IncomingMessage, response: ServerResponse): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date().toUTCString()) ?? [];
  const client = request.headers['x-forwarded-for'] ?? request.socket.remoteAddress ?? '-';
  const bytes = response.getHeader('content-length') ?? '-';
  const line = `${request.method} ${request.url} HTTP/${request.httpVersion}`;
  const quoted = (value: string | undefined): string =>
    `"${(value ?? '-').replace(/["\\\x00-\x1f\x7f]/g, escaped)}"`;
  return (
    `${client} - - [${day}/${month}/${year}:${time} +0000] ${quoted(line)} ${response.statusCode} ${bytes} ` +
    `${quoted(request.headers.referer)} ${quoted(request.headers['user-agent'])}\n`
  );
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** No new connections; the open ones finish their request, within two seconds. */
function stop(): void {
  server.close(() => accessLog.end(() => process.exit(0)));
  server.closeIdleConnections();
  setTimeout(() => process.exit(0), 2000).unref();
}
