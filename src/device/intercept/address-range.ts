/**
 * Converts the address texts of intercept rules to numbers and to prefixes. This happens when rules
 * change, never for a packet.
 */
import { bytes4, bytes6, parse4, parse6 } from '../../wire/address.js';
import { DeviceError } from '../error.js';

/** `address` in network order, host bits 0; `length` in bits. */
export interface Prefix {
  readonly address: Uint8Array;
  readonly length: number;
}

/**
 * First and last address of 'a', 'a/length' or 'a-b', as numbers. Throws a DeviceError for anything
 * else.
 */
export function addressRange(text: string, family: 4 | 6): [from: bigint, to: bigint] {
  const [first, last] = text.split('-');
  if (last !== undefined) {
    if (!isAddress(first!, family) || !isAddress(last, family)) throw notAnAddress(text, family);
    const pair: [bigint, bigint] = [addressNumber(first!), addressNumber(last)];
    if (pair[0] > pair[1]) throw notAnAddress(text, family);
    return pair;
  }
  const [address, length] = text.split('/');
  const bits = widthOf(family);
  const prefix = length === undefined ? bits : Number(length);
  if (!isAddress(address!, family) || !Number.isInteger(prefix) || prefix < 0 || prefix > bits)
    throw notAnAddress(text, family);
  const host = (1n << BigInt(bits - prefix)) - 1n;
  const from = addressNumber(address!) & ~host;
  return [from, from | host];
}

function notAnAddress(text: string, family: 4 | 6): DeviceError {
  return new DeviceError('intercept rule', `'${text}' is not an IPv${family} address, prefix or range`);
}

/** The text is one address, no prefix and no range. Throws a DeviceError as addressRange. */
export function isSingleAddress(text: string, family: 4 | 6): boolean {
  if (isAddress(text, family)) return true;
  if (!text.includes('/') && !text.includes('-')) throw notAnAddress(text, family);
  return false;
}

/**
 * The smallest set of prefixes that covers exactly these addresses. Throws a DeviceError as
 * addressRange.
 */
export function prefixesOf(text: string, family: 4 | 6): Prefix[] {
  const one = hostOf(text, family);
  if (one !== undefined) return [one];
  let [from, to] = addressRange(text, family);
  const bits = widthOf(family);
  const prefixes: Prefix[] = [];
  while (from <= to) {
    let free = 0;
    while (free < bits && (from & (1n << BigInt(free))) === 0n && from + (1n << BigInt(free + 1)) - 1n <= to) free++;
    prefixes.push({ address: bytesOf(from, bits / 8), length: bits - free });
    from += 1n << BigInt(free);
  }
  return prefixes;
}

/** The prefix of a single address, the most frequent text; undefined for other texts. */
function hostOf(text: string, family: 4 | 6): Prefix | undefined {
  const [four, six] = family === 4 ? [parse4(text), undefined] : [undefined, parse6(text)];
  if (four !== undefined) return { address: bytes4(four), length: 32 };
  return six && { address: bytes6(six), length: 128 };
}

function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

function isAddress(text: string, family: 4 | 6): boolean {
  return (family === 4 ? parse4(text) : parse6(text)) !== undefined;
}

function addressNumber(text: string): bigint {
  const four = parse4(text);
  const bytes = four === undefined ? bytes6(parse6(text)!) : bytes4(four);
  return bytes.reduce((sum, byte) => (sum << 8n) + BigInt(byte), 0n);
}

function bytesOf(value: bigint, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => Number((value >> BigInt(8 * (count - 1 - i))) & 0xffn));
}
