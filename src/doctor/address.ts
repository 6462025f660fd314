/** IPv4 and IPv6 addresses and networks as text. */
import { isIPv6, maskWord, parse4, parse6 } from '../wire/address.js';

/** The number of bits in an address of this family: the prefix length of a host route. */
export function width(address: string): 32 | 128 {
  return isIPv6(address) ? 128 : 32;
}

export function isLinkLocal(address: string): boolean {
  return within(address, 'fe80::', 10);
}

/** Whether the first `length` bits of both addresses are equal. False if the families differ. */
export function within(address: string, network: string, length: number): boolean {
  const one = wordsOf(address);
  const other = wordsOf(network);
  if (one === undefined || one.length !== other?.length) return false;
  return one.every((word, i) => {
    const mask = maskWord(length, i);
    return (word & mask) === (other[i]! & mask);
  });
}

function wordsOf(address: string): readonly number[] | undefined {
  const four = parse4(address);
  if (four !== undefined) return [four];
  const six = parse6(address);
  return six && [...six];
}

/**
 * Whether the range, `10.9.0.0/24` or a single address, contains the address. False if the families
 * differ.
 */
export function covers(range: string, address: string): boolean {
  const { to, length } = network(range, isIPv6(address));
  return within(address, to, length);
}

/**
 * Splits `10.9.0.0/24` into address and prefix length. An address without a length is a host;
 * `default` and `all` are the whole address space, of IPv6 if `six`.
 */
export function network(text: string, six = false): { to: string; length: number } {
  if (text === 'default' || text === 'all') return { to: six ? '::' : '0.0.0.0', length: 0 };
  const [to = '', length = String(width(text))] = text.split('/');
  return { to, length: Number(length) };
}
