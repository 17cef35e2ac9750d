import { describe, expect, it } from 'vitest';
import { serveRuntimeSocket } from '../../../src/proxy/runtime-api/socket.ts';
import type { StatsSocket } from '../../../src/proxy/settings.ts';
import type { Connection, Events, ListenAddress, Transport } from '../../../src/sockets/transport.ts';
import { FakeClock } from '../health/fakes.ts';
import { sample } from '../stats/sample.ts';

/** Listens without a system; `dial` is a client that takes at most `room` bytes at once. */
class FakeListening implements Transport {
  readonly accepts: ((connection: Connection) => Events)[] = [];
  readonly at: ListenAddress[] = [];
  stopped = 0;
  fail = false;

  listen(at: ListenAddress, accept: (connection: Connection) => Events) {
    if (this.fail && this.accepts.length === 1) throw new Error('in use');
    this.at.push(at);
    this.accepts.push(accept);
    return { port: 0, fd: 0, stop: () => void this.stopped++ };
  }

  connect(): never {
    throw new Error('nobody to connect to');
  }

  dial(which = 0, room = Number.POSITIVE_INFINITY) {
    const seen = { text: '', closed: false };
    const connection = {
      write: (bytes: Uint8Array, offset: number, length: number) => {
        const taken = Math.min(room, length);
        seen.text += Buffer.from(bytes.subarray(offset, offset + taken)).toString();
        return taken;
      },
      close: () => {
        seen.closed = true;
      },
    } as unknown as Connection;
    const events = this.accepts[which]!(connection);
    return { seen, events, say: (text: string) => events.data(Buffer.from(text)) };
  }
}

const place = { file: 'test.cfg', line: 1, column: 1 };
const SOCKETS: StatsSocket[] = [
  { endpoint: { kind: 'unix', path: '/run/x.sock' }, mode: 0o600, level: 'admin', place },
  { endpoint: { kind: 'tcp', host: '127.0.0.1', port: 9999 }, level: 'user', place },
];

function lab() {
  const clock = new FakeClock();
  const transport = new FakeListening();
  const { proxy } = sample();
  const served = serveRuntimeSocket(transport, { statsSockets: SOCKETS, statsTimeout: 10_000 }, proxy, clock);
  return { clock, transport, served };
}

describe('runtime socket', () => {
  it('listens where it is told to, each with its level', () => {
    const { transport } = lab();
    expect(transport.at).toEqual([
      { kind: 'unix', path: '/run/x.sock', mode: 0o600 },
      { kind: 'tcp', host: '127.0.0.1', port: 9999 },
    ]);
    const user = transport.dial(1);
    user.say('show cli level\n');
    expect(user.seen).toEqual({ text: 'user\n\n', closed: true });
  });

  it('answers one line and closes, however the bytes arrive', () => {
    const { transport } = lab();
    const client = transport.dial();
    for (const byte of 'show cli level; show backend') client.say(byte);
    expect(client.seen.text).toBe('');
    client.say('\nshow cli level\n');
    expect(client.seen).toEqual({ text: 'admin\n\n# name\nweb\ntcpx\n\n', closed: true });
  });

  it('goes on after prompt, until quit', () => {
    const { transport } = lab();
    const client = transport.dial();
    client.say('prompt\nshow cli level\n');
    expect(client.seen).toEqual({ text: '\n> admin\n\n> ', closed: false });
    client.say('quit\n');
    expect(client.seen.closed).toBe(true);
  });

  it('writes as fast as the peer reads', () => {
    const { transport } = lab();
    const client = transport.dial(0, 1000);
    client.say('show stat\n');
    expect(client.seen).toMatchObject({ closed: false });
    expect(client.seen.text).toHaveLength(1000);
    for (let i = 0; i < 100 && !client.seen.closed; i++) client.events.drained();
    expect(client.seen.text.trimEnd().split('\n')).toHaveLength(16);
    expect(client.seen.closed).toBe(true);
  });

  it('still answers a peer that has finished sending', () => {
    const { transport } = lab();
    const client = transport.dial(0, 1000);
    client.say('show stat\n');
    client.events.ended();
    for (let i = 0; i < 100 && !client.seen.closed; i++) client.events.drained();
    expect(client.seen.text.endsWith('\n\n')).toBe(true);
  });

  it('takes no half line for a command', () => {
    const { transport } = lab();
    const client = transport.dial();
    client.say('show cli level');
    client.events.ended();
    expect(client.seen).toEqual({ text: '', closed: true });
  });

  it('ends who is idle too long, as set timeout cli says', () => {
    const { transport, clock } = lab();
    const idle = transport.dial();
    const patient = transport.dial();
    patient.say('prompt\nset timeout cli 60\n');
    patient.say('show cli level\n');
    clock.advance(10_000);
    expect([idle.seen.closed, patient.seen.closed]).toEqual([true, false]);
    clock.advance(50_000);
    expect(patient.seen.closed).toBe(true);
    expect(clock.waiting).toBe(0);
  });

  it('ends who sends a line without end', () => {
    const { transport } = lab();
    const client = transport.dial();
    for (let i = 0; i < 17; i++) client.say('x'.repeat(1000));
    expect(client.seen.closed).toBe(true);
  });

  it('stops: no listener, no connection, no timer is left', () => {
    const { transport, clock, served } = lab();
    const client = transport.dial();
    served.stop();
    expect([transport.stopped, client.seen.closed, clock.waiting]).toEqual([2, true, 0]);
  });

  it('leaves no listener behind when one of them cannot listen', () => {
    const transport = new FakeListening();
    transport.fail = true;
    const settings = { statsSockets: SOCKETS, statsTimeout: 10_000 };
    expect(() => serveRuntimeSocket(transport, settings, sample().proxy, new FakeClock())).toThrow('in use');
    expect(transport.stopped).toBe(1);
  });
});
