/**
 * The DNS server of local nodes, a program of its own: answers for the names of a file in the form of /etc/hosts, and
 * from their addresses back to names, over UDP and TCP. It asks nobody else: every other name is NXDOMAIN.
 *
 *     node dns-server.js --address 127.64.1.9 --port 8053 --names FILE --ttl SECONDS
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import * as dns from 'dns-packet';

const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8053' },
    names: { type: 'string', default: '/dev/null' },
    ttl: { type: 'string', default: '5' },
  },
});
const { address } = values;
const port = Number(values.port);
const ttl = Number(values.ttl);

const QUERY = 0;
const NXDOMAIN = 3;
const NOT_IMPLEMENTED = 4;
/** Room for an answer over UDP that no path cuts in pieces. */
const UDP_SIZE = 1232;
const TCP_IDLE_MS = 10_000;
const MAX_CLIENTS = 256;

const { addresses, names } = readNames(readFileSync(values.names, 'utf8'));

const udp = createSocket('udp4');
udp.on('message', (message, client) => {
  const answer = answerTo(message, `${client.address}#${client.port}`);
  if (answer) udp.send(answer, client.port, client.address);
});
const tcp = createServer(serve);
tcp.maxConnections = MAX_CLIENTS;
for (const server of [udp, tcp])
  server.on('error', (error) => {
    process.stderr.write(`dns-server: ${error.message}\n`);
    process.exit(1);
  });
// Whoever finds the TCP port open may ask over UDP at once.
udp.bind({ address, port, exclusive: true }, () =>
  tcp.listen({ host: address, port, exclusive: true }, () =>
    process.stdout.write(`dns-server: ${addresses.size} names on ${address}:${port}\n`),
  ),
);
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => process.exit(0));

/** One question after another, each behind its length in two bytes: RFC 1035, section 4.2.2. */
function serve(socket: Socket): void {
  let pending = Buffer.alloc(0);
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    pending = Buffer.concat([pending, bytes]);
    for (;;) {
      const end = pending.length < 2 ? Number.POSITIVE_INFINITY : 2 + pending.readUInt16BE(0);
      if (pending.length < end) return;
      const answer = answerTo(pending.subarray(2, end), `${socket.remoteAddress}#${socket.remotePort}`);
      pending = pending.subarray(end);
      if (!answer) {
        socket.destroy();
        return;
      }
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([length, answer]));
    }
  });
}

/** Undefined for what is no question. */
function answerTo(message: Buffer, client: string): Buffer | undefined {
  const query = decode(message);
  const question = query?.questions?.[0];
  if (query?.type !== 'query' || !question) return undefined;
  const name = question.name.toLowerCase();
  const opcode = ((query.flags ?? 0) >> 11) & 0xf;
  const { rcode, answers } = opcode === QUERY ? find(name, question.type) : REFUSAL;
  process.stdout.write(
    `${new Date().toISOString()} ${client} ${question.type} ${printable(name)} ${rcode ? `error ${rcode}` : `${answers.length} found`}\n`,
  );
  const asked = query.additionals?.some(({ type }) => type === 'OPT');
  return dns.encode({
    type: 'response',
    id: query.id,
    flags: ((query.flags ?? 0) & dns.RECURSION_DESIRED) | dns.AUTHORITATIVE_ANSWER | rcode,
    questions: [question],
    answers,
    additionals: asked ? [{ type: 'OPT', name: '.', udpPayloadSize: UDP_SIZE, flags: 0, options: [] }] : [],
  } as unknown as dns.Packet);
}

interface Found {
  readonly rcode: number;
  readonly answers: dns.Answer[];
}

const REFUSAL: Found = { rcode: NOT_IMPLEMENTED, answers: [] };

function find(name: string, type: string): Found {
  const wants = (kind: string): boolean => type === kind || type === 'ANY';
  const at = addresses.get(name);
  if (at) return { rcode: 0, answers: wants('A') ? [{ name, type: 'A', ttl, data: at }] : [] };
  const owner = names.get(name);
  if (owner) return { rcode: 0, answers: wants('PTR') ? [{ name, type: 'PTR', ttl, data: owner }] : [] };
  return { rcode: NXDOMAIN, answers: [] };
}

/** name → address, and `9.1.64.127.in-addr.arpa` → first name. */
function readNames(text: string): { addresses: Map<string, string>; names: Map<string, string> } {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/));
  const records = lines.filter(({ length }) => length > 1);
  const forward = records.flatMap(([at, ...found]) =>
    found.map((name) => [name.toLowerCase(), at!] as const),
  );
  const back = records.map(
    ([at, name]) => [`${at!.split('.').reverse().join('.')}.in-addr.arpa`, name!] as const,
  );
  // The first line that has a name is right, as in /etc/hosts.
  return { addresses: new Map(forward.reverse()), names: new Map(back.reverse()) };
}

function decode(message: Buffer): dns.DecodedPacket | undefined {
  try {
    return dns.decode(message);
  } catch {
    return undefined;
  }
}

function printable(name: string): string {
  return name.replace(/[^\w.-]/g, '?') || '.';
}
