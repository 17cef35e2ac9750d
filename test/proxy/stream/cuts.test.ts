import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { MemoryTransport } from '../../../src/sockets/memory.ts';
import type { Connection, Events } from '../../../src/sockets/transport.ts';
import { cut, feed, parse } from '../http1/messages.ts';
import { Scene } from './scene.ts';

/**
 * Whatever the pieces in which bytes come and are taken, clients get the answers to their own requests, in order, and
 * servers get what was sent: several clients at once, requests sent ahead, bodies both ways in either framing.
 */
const text = fc.string({ unit: fc.constantFrom(...'abc01 \r\n'), maxLength: 300 });
const bodyOf = fc.oneof({ weight: 4, arbitrary: text }, fc.constant('y'.repeat(40_000)));
const request = fc.record({ body: fc.option(bodyOf), chunked: fc.boolean() });
const places = fc.array(fc.nat(50_000), { maxLength: 8 });
const clients = fc.array(fc.record({ requests: fc.array(request, { minLength: 1, maxLength: 4 }), places }), {
  minLength: 1,
  maxLength: 3,
});
const scenes = fc.record({
  clients,
  /** How the server cuts and frames its answers. */
  places,
  framing: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
  piece: fc.constantFrom(1000, 7000, 65_536),
  capacity: fc.constantFrom(8000, 65_536),
  /** Turns that clients and servers take to read on. */
  clientRests: fc.constantFrom(0, 0, 3, 40),
  serverRests: fc.constantFrom(0, 0, 3, 40),
  order: fc.array(fc.nat(2), { maxLength: 40 }),
});

let scene: Scene | undefined;
afterEach(() => scene?.end());

describe('an exchange', () => {
  it('is the same however its bytes are cut', () => {
    fc.assert(
      fc.property(scenes, (play) => {
        scene?.end();
        scene = new Scene(
          'frontend f\n bind :80\n default_backend b\nbackend b\n server s1 127.0.0.1:1001 maxconn 2\n',
          { capacity: play.capacity, piece: play.piece },
        );
        const { network } = scene;
        let answers = 0;
        network.listen(
          { kind: 'tcp', host: '127.0.0.1', port: 1001 },
          () =>
            new Echo(
              network,
              play.serverRests,
              play.places,
              () => play.framing[answers++ % play.framing.length]!,
            ),
        );

        const ends = play.clients.map(({ requests, places }, c) => {
          const bytes = Buffer.from(
            requests.map((each, i) => requestText(`/${c}/${i}`, each)).join(''),
            'latin1',
          );
          const end = new Sender(
            network,
            play.clientRests,
            cut(bytes, places).filter((piece) => piece.length > 0),
          );
          network.connect({ kind: 'tcp', host: '127.0.0.1', port: 80 }, end);
          return end;
        });
        network.settle();
        for (const who of play.order) {
          ends[who % ends.length]!.next();
          network.settle();
        }
        for (let i = 0; i < 12; i++)
          for (const end of ends) {
            end.next();
            network.settle();
          }

        play.clients.forEach(({ requests }, c) => {
          const wanted = requests.map(({ body }, i) => `/${c}/${i} ${body ?? ''}`);
          expect(messages('response', ends[c]!.received).bodies).toEqual(wanted);
        });
        const { counters } = scene.server('s1');
        expect(counters.scur).toBe(0);
        expect(counters.smax).toBeLessThanOrEqual(2);
        expect(scene.log.every((line) => line === 'b/s1 200 -- 0')).toBe(true);
        expect(scene.log).toHaveLength(play.clients.reduce((sum, { requests }) => sum + requests.length, 0));
      }),
      { numRuns: 200, interruptAfterTimeLimit: 10_000 },
    );
  });
});

function requestText(path: string, { body, chunked }: { body: string | null; chunked: boolean }): string {
  if (body === null) return `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;
  return `POST ${path} HTTP/1.1\r\nhost: a\r\n${framed(body, chunked)}`;
}

/** The rest of a message from its framing field on. */
function framed(body: string, chunked: boolean): string {
  if (!chunked) return `content-length: ${body.length}\r\n\r\n${body}`;
  const half = Math.ceil(body.length / 2);
  const chunks = [body.slice(0, half), body.slice(half)].filter((chunk) => chunk !== '');
  return `transfer-encoding: chunked\r\n\r\n${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`;
}

/** The messages that are whole, with what each is about, and how many bytes they are. */
function messages(
  kind: 'request' | 'response',
  bytes: Buffer,
): { bodies: string[]; targets: string[]; length: number } {
  const found = { bodies: [] as string[], targets: [] as string[], length: 0 };
  for (;;) {
    const rest = bytes.subarray(found.length);
    const { outcome, head, length } = parse(kind, [rest]);
    if (outcome > 1) throw new Error(`no ${kind}: ${rest.subarray(0, 200).toString('latin1')}`);
    if (outcome === 0) return found;
    const framing = head.chunked ? 'chunked' : head.contentLength > 0 ? 'length' : 'none';
    const size = Math.max(0, head.contentLength);
    const body = rest.subarray(length);
    const { done, consumed } = feed(framing, [body], { length: size });
    if (!done) return found;
    found.bodies.push(feed(framing, [body], { length: size, decode: true }).forwarded.toString('latin1'));
    found.targets.push(head.target);
    found.length += length + consumed;
  }
}

/** Writes what it is given, as far as there is room, and reads on after a rest. */
abstract class Writer implements Events {
  connection!: Connection;
  received = Buffer.alloc(0);
  readonly #network: MemoryTransport;
  readonly #rests: number;
  #unsent: Buffer[] = [];

  constructor(network: MemoryTransport, rests: number) {
    this.#network = network;
    this.#rests = rests;
  }

  opened(connection: Connection): void {
    this.connection = connection;
  }

  protected write(bytes: Buffer): void {
    this.#unsent.push(bytes);
    this.drained();
  }

  drained(): void {
    while (this.#unsent.length > 0) {
      const bytes = this.#unsent[0]!;
      const taken = Math.max(0, this.connection.write(bytes, 0, bytes.length));
      if (taken < bytes.length) {
        this.#unsent[0] = bytes.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
  }

  data(bytes: Buffer): void {
    this.received = Buffer.concat([this.received, bytes]);
    if (this.#rests === 0) return;
    this.connection.pause();
    this.#readAfter(this.#rests);
  }

  #readAfter(turns: number): void {
    this.#network.later(() => (turns > 0 ? this.#readAfter(turns - 1) : this.connection.resume()));
  }

  ended(): void {}
  closed(): void {}
}

/** A client that sends piece by piece. */
class Sender extends Writer {
  readonly #pieces: Buffer[];

  constructor(network: MemoryTransport, rests: number, pieces: Buffer[]) {
    super(network, rests);
    this.#pieces = pieces;
  }

  next(): void {
    const piece = this.#pieces.shift();
    if (piece !== undefined) this.write(piece);
  }
}

/** A server that tells each request its target and its body. */
class Echo extends Writer {
  readonly #places: readonly number[];
  readonly #nextIsChunked: () => boolean;

  constructor(
    network: MemoryTransport,
    rests: number,
    places: readonly number[],
    nextIsChunked: () => boolean,
  ) {
    super(network, rests);
    this.#places = places;
    this.#nextIsChunked = nextIsChunked;
  }

  override data(bytes: Buffer): void {
    super.data(bytes);
    const { bodies, targets, length } = messages('request', this.received);
    this.received = this.received.subarray(length);
    bodies.forEach((body, i) => {
      const answer = `HTTP/1.1 200 OK\r\n${framed(`${targets[i]} ${body}`, this.#nextIsChunked())}`;
      for (const piece of cut(Buffer.from(answer, 'latin1'), this.#places))
        if (piece.length > 0) this.write(piece);
    });
  }
}
