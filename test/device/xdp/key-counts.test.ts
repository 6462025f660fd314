/** The counted keys of the port table, compared with a Map. */
import { expect, it } from 'vitest';
import { KEY_WORDS, KeyCounts } from '../../../src/device/xdp/key-counts.js';
import { Random } from '../../support/seed.js';

const keyOf = (n: number) => Int32Array.of(0x0a000000 | (n & 15), 0, 0, 0, (n >> 4) << 8);
const texts = (bytes: Uint8Array) => {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const all: string[] = [];
  for (let at = 0; at < words.length; at += KEY_WORDS) all.push(words.subarray(at, at + KEY_WORDS).join());
  return all.sort();
};

it('counts as a Map does, while keys come and go', () => {
  const random = new Random();
  const counts = new KeyCounts();
  const map = new Map<string, number>();
  for (const most of [40, 3000, 40]) {
    for (let round = 0; round < 5000; round++) {
      const key = keyOf(random.below(most));
      const known = map.get(key.join()) ?? 0;
      const isNew = known === 0 || random.below(map.size > most / 2 ? 3 : 2) === 0;
      const wanted = known + (isNew ? 1 : -1);
      expect(isNew ? counts.add(key) : counts.remove(key), `seed ${random.seed}`).toBe(wanted);
      if (wanted === 0) map.delete(key.join());
      else map.set(key.join(), wanted);
    }
    expect(counts.size).toBe(map.size);
    expect(texts(counts.lackingIn().bytes)).toEqual([...map.keys()].sort());
  }
});

it('says which keys another table lacks', () => {
  const [one, other] = [new KeyCounts(), new KeyCounts()];
  for (let n = 0; n < 1000; n++) one.add(keyOf(n));
  for (let n = 500; n < 2000; n++) other.add(keyOf(n));
  const lacking = one.lackingIn(other);
  expect(texts(lacking.bytes)).toEqual(Array.from({ length: 500 }, (_, n) => keyOf(n).join()).sort());
  const [few, others] = lacking.split((words, at) => words[at] === keyOf(3)[0]);
  expect([few.length, others.length]).toEqual([32, 468]);
});
