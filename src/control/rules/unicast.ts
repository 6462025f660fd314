/** The check of destination addresses in the kernel. */
import { parse4, parse6 } from '../../wire/address.js';

/**
 * A destination may have the address: what ip_vs_new_dest asks of inet_addr_type and
 * ipv6_addr_type, as far as it does not depend on interfaces. Not 0.0.0.0, multicast or
 * 255.255.255.255; for IPv6 not ::, multicast, link-local or IPv4-mapped.
 */
export function isUnicast(address: string): boolean {
  const v4 = parse4(address);
  if (v4 !== undefined) return isUnicast4(v4 >>> 0);
  const v6 = parse6(address);
  return v6 !== undefined && isUnicast6(v6);
}

function isUnicast4(address: number): boolean {
  if (address === 0 || address === 0xffffffff) return false;
  return address >>> 28 !== 14;
}

function isUnicast6(words: Int32Array): boolean {
  const [first, second, third, last] = words as unknown as [number, number, number, number];
  if (first >>> 24 === 0xff || first >>> 22 === 0xfe80 >>> 6) return false;
  if (first !== 0 || second !== 0) return true;
  return third !== 0xffff && (third !== 0 || last !== 0);
}
