/** The PROXY protocol, versions 1 and 2: who the client is, told before its first byte (proxy-protocol.txt). */
import { isIP } from 'node:net';
import { Deadline } from '../../sockets/timers.ts';
import type { Connection, Events } from '../../sockets/transport.ts';
import { type Address, formatAddress, parseAddress } from '../acl/address.ts';
import type { Client } from '../transaction.ts';
import type { Runtime } from './plan.ts';

export interface ProxiedAddresses {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** The longest line of version 1, CRLF included. */
const LONGEST_LINE = 107;
const HEADER_V2 = 16;

/** The header for a server (`send-proxy`, `send-proxy-v2`). */
export function proxyHeader(version: 1 | 2, client: Client): Buffer {
  const family = isIP(client.address);
  const usable = family !== 0 && isIP(client.localAddress) === family;
  if (version === 1) {
    const { address, localAddress, port, localPort } = client;
    const text = usable ? `TCP${family} ${address} ${localAddress} ${port} ${localPort}` : 'UNKNOWN';
    return Buffer.from(`PROXY ${text}\r\n`, 'latin1');
  }
  const addresses = usable ? binaryAddresses(client, family) : Buffer.alloc(0);
  const header = Buffer.alloc(HEADER_V2);
  SIGNATURE.copy(header);
  header[12] = 0x21; // version 2, PROXY
  header[13] = !usable ? 0x00 : family === 4 ? 0x11 : 0x21; // family, stream
  header.writeUInt16BE(addresses.length, 14);
  return Buffer.concat([header, addresses]);
}

function binaryAddresses({ address, localAddress, port, localPort }: Client, family: number): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(port, 0);
  ports.writeUInt16BE(localPort, 2);
  return Buffer.concat([binaryAddress(address, family), binaryAddress(localAddress, family), ports]);
}

function binaryAddress(text: string, family: number): Buffer {
  const bytes = Buffer.alloc(16);
  for (const [i, word] of parseAddress(text)!.words.entries()) bytes.writeUInt32BE(word, 4 * i);
  return family === 4 ? bytes.subarray(12) : bytes;
}

/** `undefined`: more bytes are needed. `'bad'`: this is no PROXY header. */
export type ReadHeader =
  | { readonly length: number; readonly addresses: ProxiedAddresses | undefined }
  | 'bad'
  | undefined;

export function readProxyHeader(bytes: Buffer): ReadHeader {
  const start = bytes.subarray(0, SIGNATURE.length);
  if (start.equals(SIGNATURE.subarray(0, start.length))) return readVersion2(bytes);
  return readVersion1(bytes);
}

function readVersion1(bytes: Buffer): ReadHeader {
  const text = bytes.latin1Slice(0, Math.min(bytes.length, LONGEST_LINE));
  const end = text.indexOf('\r\n');
  if (end < 0) return 'PROXY '.startsWith(text.slice(0, 6)) && text.length < LONGEST_LINE ? undefined : 'bad';
  const [word, family, source = '', destination = '', sourcePort, destinationPort, extra] = text
    .slice(0, end)
    .split(' ');
  if (word !== 'PROXY') return 'bad';
  if (family === 'UNKNOWN') return { length: end + 2, addresses: undefined };
  const wanted = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : -1;
  const ports = [sourcePort, destinationPort].map((port) =>
    /^\d{1,5}$/.test(port ?? '') ? Number(port) : 65536,
  );
  if (
    extra !== undefined ||
    isIP(source) !== wanted ||
    isIP(destination) !== wanted ||
    ports.some((p) => p > 65535)
  )
    return 'bad';
  const addresses = { source, destination, sourcePort: ports[0]!, destinationPort: ports[1]! };
  return { length: end + 2, addresses };
}

function readVersion2(bytes: Buffer): ReadHeader {
  if (bytes.length < HEADER_V2) return undefined;
  const length = HEADER_V2 + bytes.readUInt16BE(14);
  if (bytes[12]! >> 4 !== 2) return 'bad';
  if (bytes.length < length) return undefined;
  const local = (bytes[12]! & 0xf) === 0;
  const size = bytes[13] === 0x11 ? 4 : bytes[13] === 0x21 ? 16 : 0;
  if (local || size === 0) return { length, addresses: undefined };
  if (length < HEADER_V2 + 2 * size + 4) return 'bad';
  const family = size === 4 ? 4 : 6;
  const at = HEADER_V2;
  const address = (from: number): string => {
    const words = [0, 0, 0xffff, 0];
    for (let i = 0; i < size / 4; i++) words[4 - size / 4 + i] = bytes.readUInt32BE(from + 4 * i);
    return formatAddress({ family, words: words as unknown as Address['words'] });
  };
  const addresses = {
    source: address(at),
    destination: address(at + size),
    sourcePort: bytes.readUInt16BE(at + 2 * size),
    destinationPort: bytes.readUInt16BE(at + 2 * size + 2),
  };
  return { length, addresses };
}

/** Called once: with the connection, or with none when no header came. */
type ProxyHeaderDone = (connection: Connection | undefined, addresses: ProxiedAddresses | undefined) => void;

/** `bind … accept-proxy`: reads the header, then hands the connection over. Without one it is closed. */
export class ProxyHeaderReader extends Deadline implements Events {
  readonly #runtime: Runtime;
  readonly #timeout: number | undefined;
  readonly #done: ProxyHeaderDone;
  #connection!: Connection;
  #bytes = Buffer.alloc(0);
  #ended = false;

  constructor(runtime: Runtime, timeout: number | undefined, done: ProxyHeaderDone) {
    super();
    this.#runtime = runtime;
    this.#timeout = timeout;
    this.#done = done;
  }

  opened(connection: Connection): void {
    this.#connection = connection;
    if (this.#timeout) this.#runtime.clock.arm(this, performance.now() + this.#timeout);
  }

  data(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const header = readProxyHeader(this.#bytes);
    if (header === undefined) return;
    if (header === 'bad') return this.expired();
    this.#runtime.clock.drop(this);
    const rest = this.#bytes.subarray(header.length);
    this.#done(this.#connection, header.addresses);
    // Whoever it was handed to may have refused it.
    if (rest.length > 0) this.#connection.events.data(rest);
    if (this.#ended) this.#connection.events.ended();
  }

  drained(): void {}

  ended(): void {
    this.#ended = true;
    this.expired();
  }

  closed(): void {
    this.#runtime.clock.drop(this);
    this.#done(undefined, undefined);
  }

  override expired(): void {
    this.#runtime.clock.drop(this);
    this.#connection.close();
    this.#done(undefined, undefined);
  }
}
