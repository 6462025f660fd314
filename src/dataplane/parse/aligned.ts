/** Frames read through aligned 16 and 32-bit words, in the little-endian order of the machine: what `express` is made of. */
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

/** Sum of the two 16-bit halves; in a ones' complement sum the byte order does not matter. */
export function halves(value: number): number {
  return (value & 0xffff) + (value >>> 16);
}

/** A checksum after a change by `delta`, both in the machine's byte order. */
export function adjusted(checksum: number, delta: number): number {
  return ~fold((~checksum & 0xffff) + delta) & 0xffff;
}

/**
 * A sound, whole IPv4 packet without options, TCP or UDP, with time to live left, on a 4-byte boundary: parse.ts would find
 * nothing against it.
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
