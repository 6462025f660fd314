/** Tests hsiphash against a reference implementation, and the walks of mh that use it. */
import { expect, it } from 'vitest';
import { hsiphash } from '../../src/schedulers/hsiphash.js';
import { walkOf } from '../../src/schedulers/mh.js';
import { parse4 } from '../../src/wire/address.js';
import { Random } from '../support/seed.js';
import { siphash } from '../wire/siphash-reference.js';

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
