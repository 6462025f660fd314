/**
 * Addresses and prefixes of both families, as text and as words. For configuration only: functions
 * allocate.
 */
import type { Family } from '../../service/config.js';
import { format4, format6, mask4, maskWord, parse4, parse6 } from '../../wire/address.js';

/** An address. `words`: int32 in host order, one for IPv4, four for IPv6. */
export interface Ip {
  readonly family: Family;
  readonly words: Int32Array;
}

/** An address with a prefix length; host bits may be set. */
export interface Prefix {
  readonly ip: Ip;
  readonly length: number;
}

/** Reads an address; undefined: it is none. */
export function parseIp(text: string): Ip | undefined {
  const four = parse4(text);
  if (four !== undefined) return { family: 4, words: Int32Array.of(four) };
  const six = parse6(text);
  return six && { family: 6, words: six };
}

/** The canonical text. */
export function formatIp(ip: Ip): string {
  return ip.family === 4 ? format4(ip.words[0]!) : format6(ip.words);
}

/** Bits of an address. */
export function widthOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32`, `10.0.0.0/255.0.0.0`, or an address, which is a prefix of
 * full length. Host bits are kept.
 */
export function parsePrefix(text: string): Prefix | undefined {
  const [address, tail, ...more] = text.split('/');
  const ip = parseIp(address!);
  if (!ip || more.length > 0) return undefined;
  const length = tail === undefined ? widthOf(ip.family) : prefixLength(tail, ip.family);
  return length === undefined ? undefined : { ip, length };
}

function prefixLength(text: string, family: Family): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text) <= widthOf(family) ? Number(text) : undefined;
  const mask = family === 4 ? parse4(text) : undefined;
  if (mask === undefined) return undefined;
  const length = Math.clz32(~mask);
  return mask === mask4(length) ? length : undefined;
}

/** The address with host bits 0. */
export function networkOf({ ip, length }: Prefix): Ip {
  return { family: ip.family, words: ip.words.map((word, i) => word & maskWord(length, i)) };
}

/** Text as 10.0.0.0/8. */
export function formatPrefix({ ip, length }: Prefix): string {
  return `${formatIp(ip)}/${length}`;
}

/** The addresses are equal. */
export function sameIp(a: Ip, b: Ip): boolean {
  return a.family === b.family && a.words.every((word, i) => word === b.words[i]);
}

/** The address is in the network of the prefix. */
export function contains({ ip: { family, words }, length }: Prefix, ip: Ip): boolean {
  if (family !== ip.family) return false;
  for (let i = 0; i < words.length; i++) if (((words[i]! ^ ip.words[i]!) & maskWord(length, i)) !== 0) return false;
  return true;
}

/** The address can be that of a host: not unspecified, multicast or the limited broadcast. */
export function isHostAddress(ip: Ip): boolean {
  const first = ip.words[0]! >>> 24;
  if (ip.words.every((word) => word === 0)) return false;
  return ip.family === 4 ? first < 224 && first !== 0 : first !== 0xff;
}
