/** Keys that belong to several numbers, against sets. */
import { expect, it } from 'vitest';
import { SharedAddressIndex } from '../../src/service/shared-address-index.js';
import { Random } from '../support/seed.js';
import { anyKey, type Key } from './any-key.js';

it('keeps a key as long as one of its owners is there', () => {
  const random = new Random();
  const index = new SharedAddressIndex();
  const model = new Map<string, Set<number>>();
  for (let round = 0; round < 20_000; round++) {
    const key = anyKey(random);
    const owner = random.below(6);
    const owners = model.get(key.join()) ?? new Set();
    model.set(key.join(), owners);
    if (random.bool()) {
      index.add(...key, owner);
      owners.add(owner);
    } else {
      index.remove(...key, owner);
      owners.delete(owner);
    }
    const found = index.find(...key);
    expect(found === -1 ? owners.size === 0 : owners.has(found), `seed ${random.seed}, round ${round}`).toBe(true);
  }
});

const KEY: Key = [0, 0, 0, 0x0a000001, 6, 80];

it('gives a key to the oldest of its other owners', () => {
  const index = new SharedAddressIndex();
  for (const owner of [5, 3, 9, 3, 5]) index.add(...KEY, owner);
  const found: number[] = [];
  for (let owner = index.find(...KEY); owner >= 0; owner = index.find(...KEY)) {
    found.push(owner);
    index.remove(...KEY, owner);
  }
  expect(found).toEqual([5, 3, 9]);
  expect(index.size).toBe(0);
});

it.each(['oldest', 'newest'])('takes 100,000 owners of one key and removes the %s first, without a walk', (first) => {
  const index = new SharedAddressIndex();
  const owners = Array.from({ length: 100_000 }, (_, i) => i);
  for (const owner of owners) index.add(...KEY, owner);
  const start = performance.now();
  for (const owner of first === 'oldest' ? owners : owners.reverse()) index.remove(...KEY, owner);
  expect(index.find(...KEY)).toBe(-1);
  // A walk along the owners would be 5 thousand million steps.
  expect(performance.now() - start).toBeLessThan(2000);
});
