/** Addresses and networks as text, of both families. */
import { isIPv6, maskWord, parse4, parse6 } from '../wire/address.js';

/** Bits of an address: the prefix length of a host. */
export function width(address: string): 32 | 128 {
  return isIPv6(address) ? 128 : 32;
}

export function isLinkLocal(address: string): boolean {
  return within(address, 'fe80::', 10);
}

/** False across families. */
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

/** `range` as text. False across families. */
export function covers(range: string, address: string): boolean {
  const { to, length } = network(range, isIPv6(address));
  return within(address, to, length);
}

/** `10.9.0.0/24` -> its two parts; a bare address is a host, `default` and `all` everything (`six`: of IPv6). */
export function network(text: string, six = false): { to: string; length: number } {
  if (text === 'default' || text === 'all') return { to: six ? '::' : '0.0.0.0', length: 0 };
  const [to = '', length = String(width(text))] = text.split('/');
  return { to, length: Number(length) };
}
