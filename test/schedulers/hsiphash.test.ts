/** Tests hsiphash against a reference implementation, and the walks of mh that use it. */
import { expect, it } from 'vitest';
import { hsiphash } from '../../src/schedulers/hsiphash.js';
import { walkOf } from '../../src/schedulers/mh.js';
import { parse4 } from '../../src/wire/address.js';
import { Random } from '../support/seed.js';

const MASK = (1n << 64n) - 1n;
const rotl = (v: bigint, n: bigint): bigint => ((v << n) | (v >> (64n - n))) & MASK;

/** A reference: SipHash-c-d of the paper of Aumasson and Bernstein, over one last word. */
function siphash(c: number, d: number, key0: bigint, key1: bigint, words: readonly bigint[]): bigint {
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

it('has a reference that gives the paper’s own vector of SipHash-2-4', () => {
  const message = [0x0706050403020100n, (0x0f0e0d0c0b0a0908n & ((1n << 56n) - 1n)) | (15n << 56n)];
  expect(siphash(2, 4, 0x0706050403020100n, 0x0f0e0d0c0b0a0908n, message)).toBe(0xa129ca6149be45e5n);
});

it('is SipHash-1-3 of four bytes, its low 32 bits', () => {
  const random = new Random();
  for (let i = 0; i < 2000; i++) {
    const [value, key] = [random.u32(), random.u32()];
    const word = (4n << 56n) | BigInt(value);
    expect(hsiphash(value | 0, key, 2 ** 32)).toBe(
      Number(siphash(1, 3, BigInt(key), BigInt(key), [word]) & 0xffffffffn),
    );
  }
});

it('gives the walk of 172.16.0.2:80', () => {
  expect(walkOf(parse4('172.16.0.2')!, 80)).toEqual({ offset: 678, skip: 551 });
});
