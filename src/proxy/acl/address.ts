/**
 * IP addresses as numbers. An address is 16 bytes in four 32-bit words; IPv4 stands in the last one with the
 * `::ffff:` prefix, so that networks of both families compare in one way (HAProxy manual, section 7.1.6).
 */

export interface Address {
  readonly family: 4 | 6;
  /** Four unsigned 32-bit words, most significant first. */
  readonly words: readonly [number, number, number, number];
}

export interface Network {
  readonly address: Address;
  /** Words of the mask, aligned with the address. */
  readonly mask: readonly [number, number, number, number];
}

/** A literal address, IPv4 or IPv6 (with or without brackets); undefined when the text is none. */
export function parseAddress(text: string): Address | undefined {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return { family: 4, words: [0, 0, 0xffff, v4] };
  const words = parseIpv6(text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text);
  return words && { family: 6, words };
}

/**
 * `10.0.0.0/8`, `192.168.1` (short for 192.168.0.1), `10.0.0.0/255.0.0.0`, `2001:db8::/32`; undefined when the text
 * is no network.
 */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const mask = slash < 0 ? undefined : text.slice(slash + 1);
  const short = parseShortIpv4(host);
  const address: Address | undefined =
    short === undefined ? parseAddress(host) : { family: 4, words: [0, 0, 0xffff, short] };
  if (address === undefined) return undefined;
  const bits = parseMask(mask, address.family);
  return bits && { address, mask: bits };
}

/** Whether an address is in a network; an IPv6 address that carries an IPv4 one matches IPv4 networks. */
export function isInNetwork(address: Address, network: Network): boolean {
  const { mask } = network;
  const wanted = network.address.words;
  let have = address.words;
  if (address.family === 6 && network.address.family === 4) {
    const v4 = embeddedIpv4(have);
    if (v4 === undefined) return false;
    have = [0, 0, 0xffff, v4];
  }
  for (let i = 0; i < 4; i++) if (((have[i]! ^ wanted[i]!) & mask[i]!) !== 0) return false;
  return true;
}

/** Applies a mask; the family stays. */
export function maskAddress(address: Address, mask: Network['mask']): Address {
  const words = address.words.map((word, i) => (word & mask[i]!) >>> 0) as unknown as Address['words'];
  return { family: address.family, words };
}

/** Mask words of `24`, `255.255.255.0` or a bit count up to 128; undefined when the text is no mask. */
export function parseMask(text: string | undefined, family: 4 | 6): Network['mask'] | undefined {
  const width = family === 4 ? 32 : 128;
  if (text === undefined) return maskOf(128);
  if (family === 4 && text.includes('.')) {
    const v4 = parseIpv4(text);
    return v4 === undefined ? undefined : [~0 >>> 0, ~0 >>> 0, ~0 >>> 0, v4];
  }
  if (family === 6 && text.includes(':')) return parseIpv6(text);
  const bits = /^\d{1,3}$/.test(text) ? Number(text) : -1;
  return bits < 0 || bits > width ? undefined : maskOf(bits + 128 - width);
}

/** As text: dotted for IPv4, RFC 5952 for IPv6. */
export function formatAddress(address: Address): string {
  if (address.family === 4) return formatIpv4(address.words[3]);
  const groups: number[] = [];
  for (const word of address.words) groups.push(word >>> 16, word & 0xffff);
  if (groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff)
    return `::ffff:${formatIpv4(address.words[3])}`;
  const gap = longestZeros(groups);
  const hex = groups.map((g) => g.toString(16));
  if (gap.length < 2) return hex.join(':');
  return `${hex.slice(0, gap.start).join(':')}::${hex.slice(gap.start + gap.length).join(':')}`;
}

/** Dotted IPv4 as an unsigned 32-bit number; four parts, no leading signs or spaces. */
function parseIpv4(text: string): number | undefined {
  let value = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 46) {
      if (part < 0) return undefined;
      value = value * 256 + part;
      part = -1;
      if (++dots > 3) return undefined;
    } else if (c >= 48 && c <= 57) {
      part = (part < 0 ? 0 : part * 10) + c - 48;
      if (part > 255) return undefined;
    } else {
      return undefined;
    }
  }
  return dots === 3 && part >= 0 ? value * 256 + part : undefined;
}

/** The short form of patterns: the last number stands at the end, zeros fill the middle (`10.12` is 10.0.0.12). */
function parseShortIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length < 2 || parts.length > 4 || !parts.every((p) => /^\d{1,3}$/.test(p) && Number(p) < 256))
    return undefined;
  const bytes = [...parts.slice(0, -1), ...Array(4 - parts.length).fill('0'), parts.at(-1)].map(Number);
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

function parseIpv6(text: string): Address['words'] | undefined {
  if (!text.includes(':') || /[^0-9a-fA-F:.]/.test(text)) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!);
  const tail = halves.length === 2 ? parseGroups(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  const word = (i: number) => ((groups[i]! << 16) | groups[i + 1]!) >>> 0;
  return [word(0), word(2), word(4), word(6)];
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    const v4 = i === parts.length - 1 && part.includes('.') ? parseIpv4(part) : undefined;
    if (v4 !== undefined) groups.push(v4 >>> 16, v4 & 0xffff);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** `2002:a.b.c.d::`, `::a.b.c.d` and `::ffff:a.b.c.d` carry an IPv4 address. */
function embeddedIpv4(words: Address['words']): number | undefined {
  if (words[0] === 0 && words[1] === 0 && (words[2] === 0xffff || words[2] === 0)) return words[3];
  if (words[0] >>> 16 === 0x2002) return (((words[0] & 0xffff) << 16) | (words[1] >>> 16)) >>> 0;
  return undefined;
}

function maskOf(bits: number): Network['mask'] {
  const word = (i: number) => {
    const n = Math.min(32, Math.max(0, bits - 32 * i));
    return n === 0 ? 0 : (~0 << (32 - n)) >>> 0;
  };
  return [word(0), word(1), word(2), word(3)];
}

function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < groups.length; i++) {
    let length = 0;
    while (groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
  }
  return best;
}
