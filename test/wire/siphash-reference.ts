/** A reference: SipHash-c-d of the paper of Aumasson and Bernstein, by BigInt. */
const MASK = (1n << 64n) - 1n;
const rotl = (v: bigint, n: bigint): bigint => ((v << n) | (v >> (64n - n))) & MASK;

/** The hash of 64-bit words; the last one has the length of the message in its top byte. */
export function siphash(c: number, d: number, key0: bigint, key1: bigint, words: readonly bigint[]): bigint {
  let v0 = 0x736f6d6570736575n ^ key0;
  let v1 = 0x646f72616e646f6dn ^ key1;
  let v2 = 0x6c7967656e657261n ^ key0;
  let v3 = 0x7465646279746573n ^ key1;
  const rounds = (n: number) => {
    for (let i = 0; i < n; i++) {
      v0 = (v0 + v1) & MASK;
      v1 = rotl(v1, 13n) ^ v0;
      v0 = rotl(v0, 32n);
      v2 = (v2 + v3) & MASK;
      v3 = rotl(v3, 16n) ^ v2;
      v0 = (v0 + v3) & MASK;
      v3 = rotl(v3, 21n) ^ v0;
      v2 = (v2 + v1) & MASK;
      v1 = rotl(v1, 17n) ^ v2;
      v2 = rotl(v2, 32n);
    }
  };
  for (const word of words) {
    v3 ^= word;
    rounds(c);
    v0 ^= word;
  }
  v2 ^= 0xffn;
  rounds(d);
  return v0 ^ v1 ^ v2 ^ v3;
}
