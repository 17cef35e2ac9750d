/** What a sample becomes when the next step wants another type (HAProxy's casts; manual, section 7.1). */
import type { Sample, SampleType } from '../expressions.ts';
import { formatAddress, parseAddress } from './address.ts';

/** A function from samples of one type to samples of another; undefined when there is no way. */
export function castOf(from: SampleType, to: SampleType | 'any'): ((value: Sample) => Sample) | undefined {
  if (to === 'any' || from === to) return same;
  switch (to) {
    case 'bin':
      return from === 'bool' || from === 'int' ? numberToBytes : from === 'ip' ? addressToBytes : same;
    case 'str':
      // Text ends at the first NUL, as in HAProxy.
      if (from === 'bin') return upToNul;
      return from === 'bool' || from === 'int' ? toText : same;
    case 'meth':
      return from === 'bool' || from === 'int' ? toText : same;
    case 'int':
      return from === 'bool' || from === 'meth' ? toNumber : from === 'ip' ? addressToNumber : toNumber;
    case 'bool':
      return from === 'ip' || from === 'bin' ? undefined : toBoolean;
    case 'ip':
      return from === 'bool' || from === 'meth' ? undefined : toAddress;
  }
}

/** As text: booleans are 1 and 0. */
export function toText(value: Sample): string | undefined {
  if (typeof value === 'string' || value === undefined) return value;
  if (typeof value === 'number') return String(value);
  return value ? '1' : '0';
}

/** As a number: text counts as far as it is one ("12ab" is 12, "ab" is 0); empty text is none. */
export function toNumber(value: Sample): number | undefined {
  if (typeof value === 'number' || value === undefined) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value === '' ? undefined : leadingInteger(value);
}

function same(value: Sample): Sample {
  return value;
}

function upToNul(value: Sample): Sample {
  const end = typeof value === 'string' ? value.indexOf('\0') : -1;
  return end < 0 ? value : (value as string).slice(0, end);
}

function toBoolean(value: Sample): Sample {
  const number = toNumber(value);
  return number === undefined ? undefined : number !== 0;
}

/** Eight bytes, most significant first. */
function numberToBytes(value: Sample): Sample {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(Math.trunc(toNumber(value) ?? 0))));
  return bytes.toString('latin1');
}

/** Four bytes, or sixteen. */
function addressToBytes(value: Sample): Sample {
  const address = typeof value === 'string' ? parseAddress(value) : undefined;
  if (address === undefined) return undefined;
  const bytes = Buffer.allocUnsafe(16);
  for (const [i, word] of address.words.entries()) bytes.writeUInt32BE(word, 4 * i);
  return bytes.toString('latin1', address.family === 4 ? 12 : 0);
}

function toAddress(value: Sample): Sample {
  if (typeof value === 'number') return formatAddress({ family: 4, words: [0, 0, 0xffff, value >>> 0] });
  if (typeof value !== 'string') return undefined;
  const address = parseAddress(value);
  return address && formatAddress(address);
}

function addressToNumber(value: Sample): Sample {
  const address = typeof value === 'string' ? parseAddress(value) : undefined;
  return address?.family === 4 ? address.words[3] : undefined;
}

function leadingInteger(text: string): number {
  let i = text[0] === '-' || text[0] === '+' ? 1 : 0;
  let value = 0;
  for (; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return text[0] === '-' && value !== 0 ? -value : value;
}
