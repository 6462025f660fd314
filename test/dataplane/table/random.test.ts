/** Tests the seeded random numbers of the director. */
import { expect, it } from 'vitest';
import { Random } from '../../../src/dataplane/table/random.js';

it('gives the same numbers for the same seed, others for another', () => {
  const take = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => random.next());
  };
  expect(take(7)).toEqual(take(7));
  expect(take(7)).not.toEqual(take(8));
  expect(new Set(take(0)).size).toBe(20);
});

it('spreads evenly below a limit', () => {
  const random = new Random(1);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) counts[random.below(10)]!++;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
