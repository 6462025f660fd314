/** The index of services and destinations against a plain map, with random changes; its growth. */
import { expect, it } from 'vitest';
import { AddressIndex } from '../../src/service/address-index.js';
import { Random } from '../support/seed.js';
import { anyKey, type Key } from './any-key.js';

it('has what a map has, after any additions and removals', () => {
  const random = new Random();
  const index = new AddressIndex();
  const model = new Map<string, number>();
  for (let round = 0; round < 40_000; round++) {
    const key = anyKey(random);
    if (random.below(5) < 3) {
      index.set(...key, round);
      model.set(key.join(), round);
    } else {
      index.delete(...key);
      model.delete(key.join());
    }
    const asked = anyKey(random);
    expect(index.find(...asked), `seed ${random.seed}, round ${round}`).toBe(model.get(asked.join()) ?? -1);
  }
  expect(index.size).toBe(model.size);
});

it('grows to 200,000 keys and shrinks to none, and each change is short', () => {
  const index = new AddressIndex();
  const key = (i: number): Key => [0, 0, 0, Math.imul(i, 7), 6, i & 0xffff];
  for (let i = 0; i < 200_000; i++) index.set(...key(i), i);
  for (let i = 0; i < 200_000; i++) if (index.find(...key(i)) !== i) expect.fail(`key ${i} is lost`);
  for (let i = 0; i < 200_000; i += 2) index.delete(...key(i));
  for (let i = 0; i < 200_000; i++) if (index.find(...key(i)) !== (i % 2 === 0 ? -1 : i)) expect.fail(`key ${i}`);
  expect(index.size).toBe(100_000);
});

it('takes many keys of one hash', () => {
  // Words that cancel each other in the hash: a0 is added last, unmultiplied.
  const index = new AddressIndex();
  const keys = Array.from({ length: 2000 }, (_, i): Key => [Math.imul(i, 0x27d4eb2f), i, 0, 1, 6, 80]);
  for (const [i, key] of keys.entries()) index.set(...key, i);
  expect(keys.map((key) => index.find(...key))).toEqual(keys.map((_, i) => i));
});
