/**
 * Shared by the hashing schedulers: addresses as one word, and the kernel's multiplicative hash.
 */
import type { Arrival } from '../service/service.js';

/** The source address as one int32 in host order; IPv6 addresses are folded. */
export function sourceWord(arrival: Arrival): number {
  return arrival.family === 4 ? arrival.src : folded(arrival.src6);
}
/**
 * The destination address in the same form; for a packet quoted by an ICMP error the source (see
 * Arrival).
 */
export function destinationWord(arrival: Arrival): number {
  if (arrival.quoted === true) return sourceWord(arrival);
  return arrival.family === 4 ? arrival.dst : folded(arrival.dst6);
}
/** Exclusive or of the four words of an IPv6 address (ip_vs_sh_hashkey). */
export function folded(words: Int32Array): number {
  return words[0]! ^ words[1]! ^ words[2]! ^ words[3]!;
}

/** The kernel's hash_32 (GOLDEN_RATIO_32): the top `bits` bits of value * 0x61C88647. */
export function hash32(value: number, bits: number): number {
  return Math.imul(value, 0x61c88647) >>> (32 - bits);
}
