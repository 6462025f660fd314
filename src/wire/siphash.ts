/**
 * SipHash-c-d (Aumasson, Bernstein 2012) of 32-bit words, the low 32 bits of the result. BigInt
 * would allocate, so that a 64-bit word v is the pair vh, vl.
 *
 *     message   words[0] words[1] | words[2] words[3] | … | 0 or the last word, length << 24
 *               low      high       a block: c rounds       last block: c rounds, then d rounds
 */

/**
 * Hash of the first `n` words. `key`: four words, k0 low and high, then k1. `c` and `d`: rounds of
 * a block, and at the end; 2 and 4 are those of the kernel's siphash.
 */
export function siphash(words: Int32Array, n: number, key: Int32Array, c = 2, d = 4): number {
  let v0l = 0x70736575 ^ key[0]!;
  let v0h = 0x736f6d65 ^ key[1]!;
  let v1l = 0x6e646f6d ^ key[2]!;
  let v1h = 0x646f7261 ^ key[3]!;
  let v2l = 0x6e657261 ^ key[0]!;
  let v2h = 0x6c796765 ^ key[1]!;
  let v3l = 0x79746573 ^ key[2]!;
  let v3h = 0x74656462 ^ key[3]!;
  let blockl = 0;
  let blockh = 0;
  let at = 0;
  const last = n & ~1;
  const end = c * ((n >> 1) + 1);
  for (let round = 0; round < end + d; round++) {
    if (round < end && round % c === 0) {
      v0l ^= blockl;
      v0h ^= blockh;
      blockl = at < n ? words[at]! : 0;
      blockh = at < last ? words[at + 1]! : n << 26;
      v3l ^= blockl;
      v3h ^= blockh;
      at += 2;
    } else if (round === end) {
      v0l ^= blockl;
      v0h ^= blockh;
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
  return v0l ^ v1l ^ v2l ^ v3l;
}

/** 1 when a 32-bit sum has overflowed, which makes it smaller than its terms. */
function carry(sum: number, term: number): number {
  return sum >>> 0 < term >>> 0 ? 1 : 0;
}
