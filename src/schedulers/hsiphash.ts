/**
 * The kernel's hsiphash of one 32-bit word (lib/siphash.c, hsiphash_1u32 on 64-bit machines): the
 * low 32 bits of SipHash-1-3 with the 128-bit key (key, key).
 */
import { siphash } from '../wire/siphash.js';

const word = new Int32Array(1);
const keys = new Int32Array(4);

/**
 * Hash of `value` under `key`, both 32 bits, unsigned modulo `size`. The byte order is that of a
 * little-endian kernel. The modulo is taken here because V8 boxes a result of 2^31 or more.
 */
export function hsiphash(value: number, key: number, size: number): number {
  word[0] = value;
  keys[0] = key;
  keys[2] = key;
  return (siphash(word, 1, keys, 1, 3) >>> 0) % size;
}
