/** `option ssl-hello-chk`: an SSLv3 hello; any handshake or alert record in return will do (configuration manual). */
import type { Judge } from './steps.ts';

const CIPHERS = [...range(0x01, 0x1b), ...range(0x2f, 0x3a)];
const SESSION_ID = Buffer.alloc(0);

/** A ClientHello of SSL 3.0 (RFC 6101, section 5.6.1.2) that offers every classic cipher suite. */
export function hello(): Buffer {
  const random = Buffer.alloc(32, 'lablb health check ');
  random.writeUInt32BE(Math.trunc(Date.now() / 1000));
  const suites = Buffer.from(CIPHERS.flatMap((suite) => [0, suite]));
  const body = Buffer.concat([
    Buffer.from([3, 0]),
    random,
    Buffer.from([SESSION_ID.length]),
    uint16(suites.length),
    suites,
    Buffer.from([1, 0]),
  ]);
  const handshake = Buffer.concat([Buffer.from([1, 0]), uint16(body.length), body]);
  return Buffer.concat([Buffer.from([0x16, 3, 0]), uint16(handshake.length), handshake]);
}

const ALERT = 0x15;
const HANDSHAKE = 0x16;
const RECORD_HEAD = 5;

export const expectHello: Judge = (received, ended) => {
  if (received.length === 0 && ended)
    return { status: 'L6RSP', code: 0, info: 'TCPCHK got an empty response at step 2' };
  if (received.length < RECORD_HEAD && !ended) return undefined;
  return received[0] === ALERT || received[0] === HANDSHAKE ? 'next' : { status: 'L6RSP', code: 0, info: '' };
};

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
