/** Runs on Bun: sends through datagram.ts to receivers of its own and prints what arrived, as JSON. */
import { dlopen, FFIType, ptr } from 'bun:ffi';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { type DatagramAddress, openDatagrams } from '../../src/sockets/datagram.ts';

const path = process.argv[2]!;
const libc = dlopen('libc.so.6', {
  socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  bind: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  recv: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
  close: { args: [FFIType.i32], returns: FFIType.i32 },
}).symbols;

const bytes = Buffer.allocUnsafeSlow(128 * 1024);
const ends = new Int32Array(64);

console.log(
  JSON.stringify({
    udp4: await udp('udp4', '127.0.0.1'),
    udp6: await udp('udp6', '::1'),
    unix: unix(),
    absent: absent(),
  }),
);

async function udp(type: 'udp4' | 'udp6', host: string) {
  const receiver = createSocket(type);
  const got: string[] = [];
  receiver.on('message', (message) => got.push(message.toString('latin1')));
  try {
    receiver.bind(0, host);
    await once(receiver, 'listening');
  } catch {
    return 'no such address here';
  }
  const sender = openDatagrams({ kind: 'udp', host, port: receiver.address().port });
  const taken = send(sender, ['first', 'second \xe9', ...Array.from({ length: 62 }, (_, i) => `line ${i}`)]);
  for (let i = 0; i < 200 && got.length < 64; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  sender.close();
  receiver.close();
  return { taken, count: got.length, first: got.slice(0, 2), afterClose: send(sender, ['x']) };
}

/** The receiver goes away and comes back, as syslog daemons do. */
function unix() {
  let receiver = unixReceiver();
  const sender = openDatagrams({ kind: 'unix', path });
  const before = [send(sender, ['one', 'two']), receive(receiver), receive(receiver)];
  libc.close(receiver);
  rmSync(path);
  const gone = send(sender, ['lost']);
  receiver = unixReceiver();
  const deadline = Date.now() + 5000;
  let back = 0;
  while (back === 0 && Date.now() < deadline) {
    back = send(sender, ['again']);
    if (back === 0) Bun.sleepSync(50);
  }
  const after = receive(receiver);
  // A receiver that does not read fills up: the rest is dropped, nothing blocks.
  let taken = 0;
  for (let i = 0; i < 100; i++) taken += send(sender, Array(64).fill('x'.repeat(500)));
  sender.close();
  libc.close(receiver);
  return { before, gone, back, after, overflows: taken < 6400 };
}

function absent() {
  const address: DatagramAddress = { kind: 'unix', path: `${path}.none` };
  const sender = openDatagrams(address);
  const taken = send(sender, ['x']);
  sender.close();
  return taken;
}

function send(sender: ReturnType<typeof openDatagrams>, lines: readonly string[]): number {
  let at = 0;
  for (const [i, line] of lines.entries()) {
    at += bytes.write(line, at, 'latin1');
    ends[i] = at;
  }
  return sender.send(bytes, ends, lines.length);
}

function unixReceiver(): number {
  const fd = libc.socket(1, 2, 0);
  const address = Buffer.concat([Buffer.from([1, 0]), Buffer.from(path), Buffer.alloc(1)]);
  if (libc.bind(fd, ptr(address), address.length) !== 0) throw new Error('cannot bind');
  return fd;
}

function receive(fd: number): string {
  const buffer = Buffer.alloc(2048);
  const length = Number(libc.recv(fd, ptr(buffer), buffer.length, 0));
  return buffer.toString('latin1', 0, Math.max(0, length));
}
