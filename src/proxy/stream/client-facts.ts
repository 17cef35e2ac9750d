/** What rules and logs may ask about the client's connection. Text is made when first asked for. */
import type { Connection } from '../../sockets/transport.ts';
import type { Sample } from '../expressions.ts';
import type { Client } from '../transaction.ts';
import type { ProxiedAddresses } from './proxy-protocol.ts';

export class ClientFacts implements Client {
  readonly secure: boolean;
  readonly listener: { readonly id: number; readonly name: string };
  readonly acceptedAt: number;
  requests = 0;
  vars: Map<string, Sample> | undefined = undefined;
  readonly #connection: Connection;
  #address: string | undefined;
  #port: number | undefined;
  #localAddress: string | undefined;
  #localPort: number | undefined;
  #tls: Connection['tls'] | null = null;

  constructor(
    connection: Connection,
    listener: { id: number; name: string },
    secure: boolean,
    acceptedAt: number,
  ) {
    this.#connection = connection;
    this.listener = listener;
    this.secure = secure;
    this.acceptedAt = acceptedAt;
  }

  get address(): string {
    return (this.#address ??= this.#connection.remoteAddress);
  }

  get port(): number {
    return (this.#port ??= this.#connection.remotePort);
  }

  get localAddress(): string {
    return (this.#localAddress ??= this.#connection.localAddress);
  }

  get localPort(): number {
    return (this.#localPort ??= this.#connection.localPort);
  }

  get sni(): string | undefined {
    return this.#facts?.sni;
  }

  get alpn(): string | undefined {
    return this.#facts?.alpn;
  }

  get tlsVersion(): string | undefined {
    return this.#facts?.version;
  }

  get tlsCipher(): string | undefined {
    return this.#facts?.cipher;
  }

  /** A PROXY protocol header told who the client really is. */
  override({ source, sourcePort, destination, destinationPort }: ProxiedAddresses): void {
    this.#address = source;
    this.#port = sourcePort;
    this.#localAddress = destination;
    this.#localPort = destinationPort;
  }

  get #facts(): Connection['tls'] {
    if (this.#tls === null) this.#tls = this.secure ? this.#connection.tls : undefined;
    return this.#tls;
  }
}
