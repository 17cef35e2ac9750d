/** The 32-bit hash functions of `hash-type` and of the converters named after them, over [start, end) of `bytes`. */

export function sdbm(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 0;
  for (let i = start; i < end; i++) hash = (bytes[i]! + (hash << 6) + (hash << 16) - hash) | 0;
  return hash >>> 0;
}

export function djb2(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 5381;
  for (let i = start; i < end; i++) hash = ((hash << 5) + hash + bytes[i]!) | 0;
  return hash >>> 0;
}

/** Willy Tarreau's hash: two words that rotate by amounts taken from the data. */
export function wt6(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let h0 = 0xa53c965a | 0;
  let h1 = 0x5ca6953a | 0;
  let step0 = 6;
  let step1 = 18;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    h0 = ~(h0 ^ byte);
    h1 = ~(h1 + byte);
    const turned = rotate(h1, step0);
    h1 = rotate(h0, step1);
    h0 = turned;
    const mixed = ((h0 >>> 16) ^ h1) & 0xffff;
    step0 = mixed & 31;
    step1 = mixed >>> 11;
  }
  return (h0 ^ h1) >>> 0;
}

/** The checksum of Ethernet, gzip and PNG. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1;
  for (let i = start; i < end; i++) crc = CRC_TABLE[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Spreads a hash over all bits (Bob Jenkins' full avalanche), then over the ring of servers. */
export function avalanche(hash: number): number {
  let a = hash | 0;
  a = (a + 0x7ed55d16 + (a << 12)) | 0;
  a = a ^ 0xc761c23c ^ (a >>> 19);
  a = (a + 0x165667b1 + (a << 5)) | 0;
  a = (a + 0xd3a2646c) ^ (a << 9);
  a = (a + 0xfd7046c5 + (a << 3)) | 0;
  a = a ^ 0xb55a4f09 ^ (a >>> 16);
  return Math.imul(a, 3221225473) >>> 0;
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
