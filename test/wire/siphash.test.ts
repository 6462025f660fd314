/** SipHash of 32-bit words, against a reference implementation. */
import { expect, it } from 'vitest';
import { siphash } from '../../src/wire/siphash.js';
import { Random } from '../support/seed.js';
import { siphash as reference } from './siphash-reference.js';

it('has a reference that gives the paper’s own vector of SipHash-2-4', () => {
  const message = [0x0706050403020100n, (0x0f0e0d0c0b0a0908n & ((1n << 56n) - 1n)) | (15n << 56n)];
  expect(reference(2, 4, 0x0706050403020100n, 0x0f0e0d0c0b0a0908n, message)).toBe(0xa129ca6149be45e5n);
});

it('is SipHash of any number of words, its low 32 bits', () => {
  const random = new Random();
  for (let i = 0; i < 500; i++) {
    const n = random.below(14);
    const words = random.words(n);
    const key = random.words(4);
    const wide = (of: Int32Array, at: number) => BigInt(of[at]! >>> 0) | (BigInt(of[at + 1]! >>> 0) << 32n);
    const blocks = Array.from({ length: n >> 1 }, (_, at) => wide(words, 2 * at));
    const last = (BigInt((4 * n) & 0xff) << 56n) | (n % 2 === 1 ? BigInt(words[n - 1]! >>> 0) : 0n);
    const [c, d] = random.pick([[2, 4] as const, [1, 3] as const, [3, 6] as const]);
    const right = reference(c, d, wide(key, 0), wide(key, 2), [...blocks, last]) & 0xffffffffn;
    expect(siphash(words, n, key, c, d) >>> 0).toBe(Number(right));
  }
});
