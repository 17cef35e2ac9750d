/** Addresses of the language (manual, sections 4.2 `bind`, 5 and 11): `*:80`, `[::1]:443`, `unix@/run/x.sock`, `fd@3`. */
import { isIPv4, isIPv6 } from 'node:net';
import { WordError } from '../../config/cursor.ts';
import type { Word } from '../../config/language.ts';
import type { Endpoint } from '../settings.ts';

/** One address with its ports: `low` and `high` are equal but for ranges, and absent when none was written. */
export interface Address {
  readonly kind: 'tcp' | 'unix' | 'fd';
  /** Host, path (abstract names begin with a NUL) or number of the descriptor. */
  readonly host: string;
  readonly family?: 4 | 6;
  readonly low?: number;
  readonly high?: number;
  /** `+` or `-` before the port: an offset to another port. */
  readonly sign?: '+' | '-';
  readonly datagram: boolean;
}

/** Reads one address. Host names are kept as they are. */
export function readAddress(text: string, word: Word, what: string): Address {
  const [, prefix, rest] = /^([a-z0-9+]+)@([\s\S]*)$/.exec(text) ?? [undefined, undefined, text];
  const datagram = prefix?.startsWith('udp') ?? false;
  const refused = prefix === undefined ? undefined : UNSUPPORTED[prefix];
  if (refused !== undefined) {
    throw new WordError(`${refused} ('${prefix}@') is not supported by this engine yet`, word.place);
  }
  if (prefix === 'fd') {
    if (!/^\d{1,9}$/.test(rest!))
      throw new WordError(`'${rest}' is not the number of a file descriptor`, word.place);
    return { kind: 'fd', host: rest!, datagram };
  }
  if (prefix === 'abns') return { kind: 'unix', host: `\0${rest}`, datagram };
  if (prefix === 'unix' || (prefix === undefined && text.startsWith('/'))) {
    if (rest === '') throw new WordError(`${what} wants a path after 'unix@'`, word.place);
    return { kind: 'unix', host: rest!, datagram };
  }
  if (prefix !== undefined && !(prefix in FAMILIES)) {
    throw new WordError(`unknown kind of address '${prefix}@'`, word.place, `there are ${KINDS.join(', ')}`);
  }
  return readInternet(rest!, word, datagram, prefix === undefined ? undefined : FAMILIES[prefix]);
}

function readInternet(text: string, word: Word, datagram: boolean, wanted: 4 | 6 | undefined): Address {
  const { host: written, port } = splitPort(text);
  const range =
    port === undefined || port === '' ? undefined : /^([+-]?)(\d{1,5})(?:-(\d{1,5}))?$/.exec(port);
  if (range === null)
    throw new WordError(`'${port}' is not a port`, word.place, 'ports are numbers from 1 to 65535');
  const low = range && Number(range[2]);
  const high = range && Number(range[3] ?? range[2]);
  if (high !== undefined && high > 65535)
    throw new WordError(`'${port}' is not a port`, word.place, 'the highest is 65535');
  if (low !== undefined && high! < low)
    throw new WordError(`'${port}' is a range that ends before it begins`, word.place);
  const ports = { low, high, sign: range?.[1] ? (range[1] as '+' | '-') : undefined, datagram };
  if (written === '' || written === '*') {
    return { kind: 'tcp', host: wanted === 6 ? '::' : '0.0.0.0', family: wanted ?? 4, ...ports };
  }
  const family = isIPv4(written) ? 4 : isIPv6(written) ? 6 : undefined;
  if (family !== undefined && wanted !== undefined && family !== wanted) {
    throw new WordError(`'${written}' is not an IPv${wanted} address`, word.place);
  }
  if (family === undefined && (!/^[A-Za-z0-9_.-]+$/.test(written) || /^[\d.]+$/.test(written))) {
    throw new WordError(`'${written}' is neither an address nor a name`, word.place);
  }
  return { kind: 'tcp', host: written, family: family ?? wanted, ...ports };
}

/** The last colon stands before the port, unless it stands inside of brackets. */
function splitPort(text: string): { host: string; port: string | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (bracketed !== null) return { host: bracketed[1]!, port: bracketed[2] };
  const colon = text.lastIndexOf(':');
  if (colon < 0) return { host: text, port: undefined };
  return { host: text.slice(0, colon), port: text.slice(colon + 1) };
}

/** Where to connect or listen, with one port of the address. */
export function endpointOf(address: Address, port = address.low ?? 0): Endpoint {
  if (address.kind === 'unix') return { kind: 'unix', path: address.host };
  if (address.kind === 'fd') return { kind: 'fd', fd: Number(address.host) };
  return address.family === undefined
    ? { kind: 'tcp', host: address.host, port }
    : { kind: 'tcp', host: address.host, port, family: address.family };
}

const FAMILIES: Readonly<Record<string, 4 | 6 | undefined>> = {
  ipv4: 4,
  ipv6: 6,
  udp: undefined,
  udp4: 4,
  udp6: 6,
  tcp: undefined,
  tcp4: 4,
  tcp6: 6,
  'stream+ipv4': 4,
  'stream+ipv6': 6,
};

const KINDS = ['ipv4@', 'ipv6@', 'tcp@', 'udp@', 'unix@', 'abns@', 'fd@'];

const UNSUPPORTED: Readonly<Record<string, string | undefined>> = {
  sockpair: 'a pair of sockets',
  quic4: 'QUIC',
  quic6: 'QUIC',
  rhttp: 'reverse HTTP',
  mptcp: 'Multipath TCP',
  mptcp4: 'Multipath TCP',
  mptcp6: 'Multipath TCP',
  abnsz: 'a padded abstract socket',
};
