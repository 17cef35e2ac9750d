import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as dns from 'dns-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reservePort, untilListening } from '../../support/ports.ts';

const SCRIPT = fileURLToPath(new URL('../../../dist/providers/local/dns-server.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lablb-dns-'));
let port: number;
let server: ChildProcess;

beforeAll(async () => {
  const names = join(folder, 'names');
  writeFileSync(names, '# comment\n192.0.2.1  web1 Site1.test\n192.0.2.2  web2 web1\n');
  port = await reservePort();
  const args = ['--address', '127.0.0.1', '--port', String(port), '--names', names, '--ttl', '7'];
  server = spawn(process.execPath, [SCRIPT, ...args], { stdio: 'ignore' });
  expect(await untilListening([port], 5000)).toBe(true);
});
afterAll(() => {
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

type Question = Pick<dns.Question, 'name' | 'type'>;

function question({ name, type }: Question, more: Partial<dns.Packet> = {}): Buffer {
  return dns.encode({
    type: 'query',
    id: 4711,
    flags: dns.RECURSION_DESIRED,
    questions: [{ name, type }],
    ...more,
  });
}

/** Sends datagrams; the answer to the last. */
function ask(...messages: Buffer[]): Promise<dns.DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error('no answer'));
    }, 10_000);
    socket.once('message', (answer) => {
      clearTimeout(timer);
      socket.close();
      resolve(dns.decode(answer));
    });
    for (const message of messages) socket.send(message, port, '127.0.0.1');
  });
}

const rcode = ({ flags = 0 }: dns.DecodedPacket): number => flags & 0xf;
const found = ({ answers = [] }: dns.DecodedPacket): unknown[] =>
  answers.map((one) => ('data' in one ? one.data : undefined));

describe('the DNS server of local nodes', () => {
  it.each([
    ['web1', 'A', 0, ['192.0.2.1']],
    ['SITE1.TEST', 'A', 0, ['192.0.2.1']],
    ['web1', 'AAAA', 0, []],
    ['web2', 'ANY', 0, ['192.0.2.2']],
    ['2.2.0.192.in-addr.arpa', 'PTR', 0, ['web2']],
    ['nobody.site1.test', 'A', 3, []],
    ['9.2.0.192.in-addr.arpa', 'PTR', 3, []],
  ] as const)('%s %s: status %i, %j', async (name, type, status, data) => {
    const answer = await ask(question({ name, type: type as dns.RecordType }));
    expect({ id: answer.id, status: rcode(answer), data: found(answer) }).toEqual({ id: 4711, status, data });
    expect(answer).toMatchObject({ flag_qr: true, flag_aa: true, flag_rd: true, flag_ra: false });
    expect(answer.questions).toMatchObject([{ type }]);
  });

  it('says how long an answer may be kept, and speaks EDNS when it is asked so', async () => {
    const opt = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 4096,
      flags: 0,
      options: [],
    } as unknown as dns.Answer;
    const plain = await ask(question({ name: 'web1', type: 'A' }));
    const extended = await ask(question({ name: 'web1', type: 'A' }, { additionals: [opt] }));
    expect(plain.answers).toMatchObject([{ ttl: 7 }]);
    expect([plain.additionals?.length, extended.additionals?.[0]?.type]).toEqual([0, 'OPT']);
  });

  it('refuses what is no query by its opcode', async () => {
    const update = await ask(question({ name: 'web1', type: 'A' }, { flags: 5 << 11 }));
    expect({ status: rcode(update), data: found(update) }).toEqual({ status: 4, data: [] });
  });

  it('lives on after what is no question', async () => {
    const good = question({ name: 'web2', type: 'A' });
    const response = question({ name: 'web1', type: 'A' }, { type: 'response' });
    const none = question({ name: 'web1', type: 'A' }, { questions: [] });
    const answer = await ask(
      Buffer.alloc(0),
      Buffer.from('hello'),
      good.subarray(0, 14),
      response,
      none,
      good,
    );
    expect(found(answer)).toEqual(['192.0.2.2']);
  });

  it('answers over TCP, questions in pieces and several on a connection', async () => {
    const stream = Buffer.concat(
      (['web1', 'web2'] as const).map((name) =>
        dns.streamEncode({ type: 'query', id: 1, questions: [{ name, type: 'A' }] }),
      ),
    );
    const answers = await new Promise<unknown[]>((resolve, reject) => {
      let all = Buffer.alloc(0);
      const socket = connect(port, '127.0.0.1');
      socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
      socket.on('error', reject);
      socket.on('data', (bytes) => {
        all = Buffer.concat([all, bytes]);
        const first = all.length >= 2 ? 2 + all.readUInt16BE(0) : Number.POSITIVE_INFINITY;
        if (all.length < first + 2 || all.length < first + 2 + all.readUInt16BE(first)) return;
        socket.destroy();
        resolve(
          [all.subarray(0, first), all.subarray(first)].flatMap((one) =>
            found(dns.streamDecode(one) as dns.DecodedPacket),
          ),
        );
      });
      socket.setNoDelay(true);
      for (const byte of stream) socket.write(Buffer.of(byte));
    });
    expect(answers).toEqual(['192.0.2.1', '192.0.2.2']);
  });
});
