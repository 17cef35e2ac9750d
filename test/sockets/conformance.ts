/**
 * What every Transport does, as its contract says. The cases use nothing of a test framework: they also run where the
 * real transports do, in Bun (see run.ts).
 */
import { ok, strictEqual } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type {
  ConnectAddress,
  Connection,
  Events,
  ListenAddress,
  Transport,
} from '../../src/sockets/transport.ts';

export interface Subject {
  readonly transport: Transport;
  /** Where nobody listens yet: a Unix socket's path, in a folder of the test's own. */
  unixPath(): string;
  /** Unix sockets are files. */
  readonly hasFiles: boolean;
}

export interface Case {
  readonly name: string;
  run(subject: Subject): Promise<void>;
}

const PATIENCE_MS = 5000;
/** Longer than anything takes that should not come. */
const QUIET_MS = 30;
const MEGABYTE = 1 << 20;

/** One end of a connection: keeps what it was told, sends all it is asked to. */
class End implements Events {
  readonly log: string[] = [];
  connection!: Connection;
  received = Buffer.alloc(0);
  drains = 0;
  failed: boolean | undefined;
  #unsent = Buffer.alloc(0);
  #watchers: (() => void)[] = [];

  opened(connection: Connection): void {
    this.connection = connection;
    this.#note('opened');
  }

  data(bytes: Buffer): void {
    this.received = Buffer.concat([this.received, bytes]);
    this.#note('data');
  }

  drained(): void {
    this.drains++;
    this.#send();
    this.#note('drained');
  }

  ended(): void {
    this.#note('ended');
  }

  closed(failed: boolean): void {
    this.failed = failed;
    this.#note('closed');
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  get unsent(): number {
    return this.#unsent.length;
  }

  send(data: string | Buffer): void {
    this.#unsent = Buffer.concat([this.#unsent, Buffer.from(data)]);
    this.#send();
  }

  #send(): void {
    const taken = this.connection.write(this.#unsent, 0, this.#unsent.length);
    ok(taken <= this.#unsent.length);
    if (taken > 0) this.#unsent = this.#unsent.subarray(taken);
  }

  has(event: string): boolean {
    return this.log.includes(event);
  }

  /** Resolves once it holds; looks again whenever something is told. */
  until(holds: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new Error(
            `waited in vain for ${what}; told so far: ${this.log.join(' ')}; ${this.received.length} bytes`,
          ),
        );
      }, PATIENCE_MS);
      const look = (): void => {
        if (!holds()) return;
        clearTimeout(timer);
        this.#watchers = this.#watchers.filter((each) => each !== look);
        resolve();
      };
      this.#watchers.push(look);
      look();
    });
  }

  untilTold(event: string): Promise<void> {
    return this.until(() => this.has(event), event);
  }

  untilText(text: string): Promise<void> {
    return this.until(() => this.text.endsWith(text), JSON.stringify(text));
  }

  #note(event: string): void {
    if (this.log.at(-1) !== event) this.log.push(event);
    for (const look of this.#watchers) look();
  }
}

interface Pair {
  readonly client: End;
  readonly server: End;
}

/** A connection with an End at each side. */
async function withPair(
  { transport }: Subject,
  run: (pair: Pair) => Promise<void>,
  at: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 },
): Promise<void> {
  const server = new End();
  const client = new End();
  const listener = transport.listen(at, () => server);
  try {
    transport.connect(addressOf(at, listener.port), client);
    await client.untilTold('opened');
    await server.untilTold('opened');
    await run({ client, server });
  } finally {
    client.connection?.reset();
    server.connection?.reset();
    listener.stop();
  }
}

function addressOf(at: ListenAddress, port: number): ConnectAddress {
  if (at.kind === 'fd') throw new Error('not by descriptor');
  return at.kind === 'unix' ? at : { kind: 'tcp', host: at.host, port };
}

function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, QUIET_MS));
}

function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 255;
  return bytes;
}

export const cases: readonly Case[] = [
  {
    name: 'opens both ends, and carries bytes both ways',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        client.send('hello');
        await server.untilText('hello');
        server.send('and back');
        await client.untilText('and back');
        strictEqual(client.log[0], 'opened');
        strictEqual(server.log[0], 'opened');
      }),
  },
  {
    name: 'tells nothing within the call that caused it',
    async run({ transport }) {
      const client = new End();
      const server = new End();
      const listener = transport.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, () => server);
      const connection = transport.connect({ kind: 'tcp', host: '127.0.0.1', port: listener.port }, client);
      strictEqual(client.log.length, 0);
      await client.untilTold('opened');
      await server.untilTold('opened');
      client.connection.write(Buffer.from('x'), 0, 1);
      strictEqual(server.received.length, 0);
      strictEqual(client.connection, connection);
      connection.reset();
      listener.stop();
      await server.untilTold('closed');
    },
  },
  {
    name: 'knows the addresses of both sides',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        strictEqual(server.connection.remoteAddress, '127.0.0.1');
        strictEqual(server.connection.localAddress, '127.0.0.1');
        strictEqual(client.connection.remotePort, server.connection.localPort);
        strictEqual(client.connection.localPort, server.connection.remotePort);
        ok(client.connection.localPort > 0);
      }),
  },
  {
    name: 'takes part of a write when the peer does not read, and says when there is room',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        const all = pattern(16 * MEGABYTE);
        server.connection.pause();
        client.send(all);
        await quiet();
        ok(client.unsent > 0, 'all of 16 MB was taken');
        strictEqual(client.drains, 0);
        ok(server.received.length < all.length);
        server.connection.resume();
        await server.until(() => server.received.length >= all.length, 'all bytes');
        ok(server.received.equals(all), 'the bytes are others');
        ok(client.drains > 0);
        strictEqual(client.unsent, 0);
      }),
  },
  {
    name: 'writes from the middle of a buffer',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        strictEqual(client.connection.write(Buffer.from('abcdefgh'), 2, 3), 3);
        await server.untilText('cde');
        strictEqual(server.text, 'cde');
      }),
  },
  {
    name: 'leaves the bytes of a write to their owner at once',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        const bytes = Buffer.from('first');
        client.connection.write(bytes, 0, 5);
        bytes.fill(120);
        client.send('!');
        await server.untilText('!');
        strictEqual(server.text, 'first!');
      }),
  },
  {
    name: 'delivers nothing while paused, and all of it after',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        server.connection.pause();
        client.send('held');
        client.connection.finish();
        await quiet();
        strictEqual(server.text, '');
        ok(!server.has('ended'));
        server.connection.resume();
        await server.untilTold('ended');
        strictEqual(server.text, 'held');
      }),
  },
  {
    name: 'sends FIN after what was written, and goes on reading',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        client.send('request');
        client.connection.finish();
        await server.untilTold('ended');
        strictEqual(server.text, 'request');
        ok(!server.has('closed'));
        server.send('answer');
        await client.untilText('answer');
        ok(!client.has('ended'));
      }),
  },
  {
    name: 'is closed, and not broken, when both sides have finished',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        client.connection.finish();
        await server.untilTold('ended');
        server.send('last');
        server.connection.finish();
        await client.untilTold('closed');
        await server.untilTold('closed');
        strictEqual(client.text, 'last');
        strictEqual(client.failed, false);
        strictEqual(server.failed, false);
        strictEqual(client.connection.write(Buffer.from('x'), 0, 1), -1);
      }),
  },
  {
    name: 'delivers what was written before close, then the end',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        server.send('all of it');
        server.connection.close();
        await client.untilTold('ended');
        strictEqual(client.text, 'all of it');
      }),
  },
  {
    name: 'tells its owner nothing after close',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        server.connection.close();
        const told = server.log.length;
        await client.untilTold('ended');
        client.send('too late');
        client.connection.finish();
        await quiet();
        strictEqual(server.log.length, told);
        strictEqual(server.connection.write(Buffer.from('x'), 0, 1), -1);
      }),
  },
  {
    name: 'breaks the peer on reset, and tells its owner nothing',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        server.connection.reset();
        const told = server.log.length;
        await client.untilTold('closed');
        strictEqual(client.failed, true);
        await quiet();
        strictEqual(server.log.length, told);
        ok(!client.has('ended'));
      }),
  },
  {
    name: 'is gone for writes after a break, and tells nothing more',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        server.connection.reset();
        await client.untilTold('closed');
        strictEqual(client.connection.write(Buffer.from('x'), 0, 1), -1);
        const told = client.log.length;
        await quiet();
        strictEqual(client.log.length, told);
        // Nothing to do any more, and no harm.
        client.connection.finish();
        client.connection.close();
        client.connection.reset();
      }),
  },
  {
    name: 'ends for who writes to a peer that has closed',
    run: (subject) =>
      withPair(subject, async ({ client, server }) => {
        server.connection.close();
        await client.untilTold('ended');
        for (let i = 0; i < 100 && !client.has('closed'); i++) {
          client.connection.write(Buffer.from('x'), 0, 1);
          await quiet();
        }
        ok(client.has('closed'));
      }),
  },
  {
    name: 'says that a connection was refused',
    async run({ transport }) {
      const listener = transport.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, () => new End());
      const { port } = listener;
      listener.stop();
      const client = new End();
      transport.connect({ kind: 'tcp', host: '127.0.0.1', port }, client);
      await client.untilTold('closed');
      strictEqual(client.failed, true);
      strictEqual(client.log.join(' '), 'closed');
    },
  },
  {
    name: 'tells nothing of a connection that was given up before it was made',
    async run({ transport }) {
      for (const how of ['reset', 'close'] as const) {
        const server = new End();
        const listener = transport.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, () => server);
        const client = new End();
        transport.connect({ kind: 'tcp', host: '127.0.0.1', port: listener.port }, client)[how]();
        await quiet();
        strictEqual(client.log.join(' '), '');
        listener.stop();
        server.connection?.reset();
      }
    },
  },
  {
    name: 'lets its owner close or reset while it is told something',
    async run(subject) {
      for (const how of ['reset', 'close'] as const)
        for (const event of ['opened', 'data', 'ended'] as const) {
          class Leaving extends End {
            override opened(connection: Connection): void {
              super.opened(connection);
              if (event === 'opened') connection[how]();
            }
            override data(bytes: Buffer): void {
              super.data(bytes);
              if (event === 'data') this.connection[how]();
            }
            override ended(): void {
              super.ended();
              if (event === 'ended') this.connection[how]();
            }
          }
          const server = new Leaving();
          const client = new End();
          const listener = subject.transport.listen(
            { kind: 'tcp', host: '127.0.0.1', port: 0 },
            () => server,
          );
          subject.transport.connect({ kind: 'tcp', host: '127.0.0.1', port: listener.port }, client);
          await client.until(() => client.log.length > 0, 'anything');
          if (!client.has('closed')) {
            client.send('x');
            client.connection.finish();
          }
          await client.until(
            () => client.has('ended') || client.has('closed'),
            `an end (${how} on ${event})`,
          );
          await quiet();
          strictEqual(server.log.at(-1), event, `${how} on ${event}`);
          client.connection.reset();
          listener.stop();
        }
    },
  },
  {
    name: 'stops accepting, and lets connections live',
    async run(subject) {
      const { transport } = subject;
      const server = new End();
      const listener = transport.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, () => server);
      const to: ConnectAddress = { kind: 'tcp', host: '127.0.0.1', port: listener.port };
      const client = new End();
      transport.connect(to, client);
      await client.untilTold('opened');
      await server.untilTold('opened');
      listener.stop();
      client.send('still here');
      await server.untilText('still here');
      const late = new End();
      transport.connect(to, late);
      await late.untilTold('closed');
      strictEqual(late.failed, true);
      client.connection.reset();
      await server.untilTold('closed');
    },
  },
  {
    name: 'gives each accepted connection an owner of its own, and changes owners',
    async run({ transport }) {
      const owners: End[] = [];
      const listener = transport.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, () => {
        owners.push(new End());
        return owners.at(-1)!;
      });
      const clients = [new End(), new End(), new End()];
      for (const client of clients)
        transport.connect({ kind: 'tcp', host: '127.0.0.1', port: listener.port }, client);
      for (const [i, client] of clients.entries()) {
        await client.untilTold('opened');
        client.send(`I am ${i}`);
      }
      await clients[0]!.until(() => true, '');
      for (const client of clients) {
        const mine = () => owners.find((o) => o.connection?.remotePort === client.connection.localPort);
        for (let i = 0; i < 100 && mine()?.text === ''; i++) await quiet();
        strictEqual(mine()?.text, `I am ${clients.indexOf(client)}`);
      }
      const heir = new End();
      heir.connection = owners[0]!.connection;
      owners[0]!.connection.events = heir;
      const peer = clients.find((c) => c.connection.localPort === heir.connection.remotePort)!;
      peer.send('hello, heir');
      await heir.untilText('hello, heir');
      ok(!owners[0]!.text.includes('heir'));
      for (const client of clients) client.connection.reset();
      listener.stop();
    },
  },
  {
    name: 'speaks over IPv6',
    run: (subject) =>
      withPair(
        subject,
        async ({ client, server }) => {
          client.send('six');
          await server.untilText('six');
          strictEqual(server.connection.remoteAddress, '::1');
        },
        { kind: 'tcp', host: '::1', port: 0 },
      ),
  },
  {
    name: 'speaks over Unix sockets, and leaves no file behind',
    async run(subject) {
      const path = subject.unixPath();
      await withPair(
        subject,
        async ({ client, server }) => {
          client.send('local');
          await server.untilText('local');
          server.send('answer');
          server.connection.close();
          await client.untilTold('ended');
          strictEqual(client.text, 'answer');
          strictEqual(existsSync(path), subject.hasFiles);
        },
        { kind: 'unix', path },
      );
      strictEqual(existsSync(path), false);
      const late = new End();
      subject.transport.connect({ kind: 'unix', path }, late);
      await late.untilTold('closed');
      strictEqual(late.failed, true);
    },
  },
  {
    name: 'leaves a Unix socket to who takes it over',
    async run(subject) {
      const at = { kind: 'unix', path: subject.unixPath() } as const;
      const before = subject.transport.listen(at, () => new End());
      const after = subject.transport.listen(at, () => new End());
      before.stop();
      strictEqual(existsSync(at.path), subject.hasFiles);
      const guest = new End();
      subject.transport.connect(at, guest);
      await guest.untilTold('opened');
      after.stop();
      strictEqual(existsSync(at.path), false);
    },
  },
];
