/**
 * The kernel's hsiphash of one 32-bit word (lib/siphash.c, hsiphash_1u32 on 64-bit machines): the
 * low 32 bits of SipHash-1-3 with the 128-bit key (key, key). BigInt would allocate, so that a
 * 64-bit word v is the pair vh, vl.
 */
const ROUNDS_IN = 1;
const ROUNDS = ROUNDS_IN + 3;
/** SipHash puts the length of the message, 4 bytes, into the top byte of the last word. */
const LENGTH = 4 << 24;

/**
 * Hash of `value` under `key`, both 32 bits, unsigned modulo `size`. The byte order is that of a
 * little-endian kernel. The modulo is taken here because V8 boxes a result of 2^31 or more.
 */
export function hsiphash(value: number, key: number, size: number): number {
  let v0h = 0x736f6d65;
  let v0l = 0x70736575 ^ key;
  let v1h = 0x646f7261;
  let v1l = 0x6e646f6d ^ key;
  let v2h = 0x6c796765;
  let v2l = 0x6e657261 ^ key;
  let v3h = 0x74656462 ^ LENGTH;
  let v3l = 0x79746573 ^ key ^ value;
  for (let round = 0; round < ROUNDS; round++) {
    if (round === ROUNDS_IN) {
      v0h ^= LENGTH;
      v0l ^= value;
      v2l ^= 0xff;
    }
    // v0 += v1; v1 <<<= 13; v1 ^= v0
    let low = (v0l + v1l) | 0;
    v0h = (v0h + v1h + carry(low, v1l)) | 0;
    v0l = low;
    let high = (v1h << 13) | (v1l >>> 19);
    v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
    v1h = high ^ v0h;
    // v2 += v3; v3 <<<= 16; v3 ^= v2
    low = (v2l + v3l) | 0;
    v2h = (v2h + v3h + carry(low, v3l)) | 0;
    v2l = low;
    high = (v3h << 16) | (v3l >>> 16);
    v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
    v3h = high ^ v2h;
    // v0 <<<= 32, by swapping its halves; v0 += v3; v3 <<<= 21; v3 ^= v0
    low = (v0h + v3l) | 0;
    v0h = (v0l + v3h + carry(low, v3l)) | 0;
    v0l = low;
    high = (v3h << 21) | (v3l >>> 11);
    v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
    v3h = high ^ v0h;
    // v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
    low = (v2l + v1l) | 0;
    v2h = (v2h + v1h + carry(low, v1l)) | 0;
    high = (v1h << 17) | (v1l >>> 15);
    v1l = ((v1l << 17) | (v1h >>> 15)) ^ low;
    v1h = high ^ v2h;
    v2l = v2h;
    v2h = low;
  }
  return ((v0l ^ v1l ^ v2l ^ v3l) >>> 0) % size;
}

/** 1 when a 32-bit sum has overflowed, which makes it smaller than its terms. */
function carry(sum: number, term: number): number {
  return sum >>> 0 < term >>> 0 ? 1 : 0;
}
