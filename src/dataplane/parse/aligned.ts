/**
 * Reads frames through aligned 16-bit and 32-bit words in the byte order of the machine (little
 * endian). The fast path is built on it.
 */
import { fold } from '../../wire/checksum.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';

const IP = ethernet.HEADER;
const SHORTEST = IP + ipv4.HEADER + 8;
const NO_FRAGMENT = 0xff3f;

export function swap16(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
}
export function swap32(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

/**
 * Sum of the two 16-bit halves. The byte order does not matter in a ones' complement sum (RFC
 * 1071).
 */
export function halves(value: number): number {
  return (value & 0xffff) + (value >>> 16);
}

/** The checksum after a change by `delta`. Both are in the byte order of the machine (RFC 1624). */
export function adjusted(checksum: number, delta: number): number {
  return ~fold((~checksum & 0xffff) + delta) & 0xffff;
}

/**
 * Returns true for an IPv4 packet that parse.ts would accept and that the fast path can read: no
 * options, no fragment, TCP or UDP, TTL above 1, IP header on a 4-byte boundary, good header
 * checksum.
 */
export function isFastPathFrame(i32: Int32Array, frame: number, len: number): boolean {
  if (len < SHORTEST || (frame & 3) !== 2) return false;
  const ip = (frame + IP) >> 2;
  const first = i32[ip]!;
  if (i32[ip - 1]! >>> 16 !== 8 || (first & 0xff) !== 0x45) return false;
  const total = swap16(first >>> 16);
  const third = i32[ip + 2]!;
  if ((i32[ip + 1]! & (NO_FRAGMENT << 16)) !== 0 || (third & 0xff) < 2 || total > len - IP) return false;
  const protocol = (third >>> 8) & 0xff;
  if (protocol === ipv4.TCP ? total < 40 : protocol !== ipv4.UDP || total < 28) return false;
  const net = i32[ip + 3]! & 0xff;
  if (net === 127 || net >= 224 || net === 0) return false;
  const sum = halves(first) + halves(i32[ip + 1]!) + halves(third) + halves(i32[ip + 3]!) + halves(i32[ip + 4]!);
  return fold(sum) === 0xffff;
}
