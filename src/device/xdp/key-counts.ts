/**
 * KeyCounts: numbers of rules by keys of a BPF map, for hundreds of thousands of keys. It is a hash
 * table in typed arrays, by linear probing, because strings in a Map are work for V8's collector.
 *
 *     keys     ├ key 0 ┼ key 1 ┼ … ┤   WORDS words each
 *     counts   ├   2   ┼   0   ┼ … ┤   0: the place is free
 */
import { PORT_KEY } from './layout.js';

/** Words of a key. */
export const KEY_WORDS = PORT_KEY / 4;
const SMALLEST = 256;

export class KeyCounts {
  private keys = new Int32Array(SMALLEST * KEY_WORDS);
  private counts = new Int32Array(SMALLEST);
  private used = 0;

  /** Number of keys. */
  get size(): number {
    return this.used;
  }

  has(from: Int32Array, at = 0): boolean {
    return this.counts[this.placeOf(from, at)]! > 0;
  }

  /** One more rule needs the key in `from` at `at`. Returns their number. */
  add(from: Int32Array, at = 0): number {
    const place = this.placeOf(from, at);
    const count = ++this.counts[place]!;
    if (count > 1) return count;
    for (let i = 0; i < KEY_WORDS; i++) this.keys[place * KEY_WORDS + i] = from[at + i]!;
    if (++this.used * 2 > this.counts.length) this.grow();
    return 1;
  }

  /** One rule less needs the key. Returns their number. */
  remove(from: Int32Array, at = 0): number {
    const place = this.placeOf(from, at);
    const count = --this.counts[place]!;
    if (count > 0) return count;
    this.used--;
    this.close(place);
    return 0;
  }

  /** The keys that `other` lacks; without it all keys. */
  lackingIn(other?: KeyCounts): KeyList {
    const list = new KeyList();
    for (let place = 0; place < this.counts.length; place++)
      if (this.counts[place]! > 0 && other?.has(this.keys, place * KEY_WORDS) !== true)
        list.push(this.keys, place * KEY_WORDS);
    return list;
  }

  /** The place of a key, or the free place where it would be. */
  private placeOf(from: Int32Array, at: number): number {
    const last = this.counts.length - 1;
    let place = hash(from, at) & last;
    while (this.counts[place]! > 0 && !this.isAt(place, from, at)) place = (place + 1) & last;
    return place;
  }

  private isAt(place: number, from: Int32Array, at: number): boolean {
    for (let i = 0; i < KEY_WORDS; i++) if (this.keys[place * KEY_WORDS + i] !== from[at + i]) return false;
    return true;
  }

  /** A place became free: keys behind it that a look-up would no longer find move up. */
  private close(free: number): void {
    const { keys, counts } = this;
    const last = counts.length - 1;
    for (let place = (free + 1) & last; counts[place]! > 0; place = (place + 1) & last) {
      const wanted = hash(keys, place * KEY_WORDS) & last;
      if (((place - wanted) & last) < ((place - free) & last)) continue;
      keys.copyWithin(free * KEY_WORDS, place * KEY_WORDS, (place + 1) * KEY_WORDS);
      counts[free] = counts[place]!;
      counts[place] = 0;
      free = place;
    }
  }

  private grow(): void {
    const { keys, counts } = this;
    this.keys = new Int32Array(2 * keys.length);
    this.counts = new Int32Array(2 * counts.length);
    // Without an object for each key, for there may be a million.
    for (let old = 0; old < counts.length; old++) {
      if (counts[old] === 0) continue;
      const place = this.placeOf(keys, old * KEY_WORDS);
      this.counts[place] = counts[old]!;
      for (let i = 0; i < KEY_WORDS; i++) this.keys[place * KEY_WORDS + i] = keys[old * KEY_WORDS + i]!;
    }
  }
}

/** Keys, one after the other. */
export class KeyList {
  private words = new Int32Array(new ArrayBuffer(4 * KEY_WORDS * SMALLEST));
  length = 0;

  push(from: Int32Array, at = 0): void {
    const end = this.length++ * KEY_WORDS;
    if (end === this.words.length) {
      const more = new Int32Array(new ArrayBuffer(8 * end));
      more.set(this.words);
      this.words = more;
    }
    for (let i = 0; i < KEY_WORDS; i++) this.words[end + i] = from[at + i]!;
  }

  /** Calls `then` with each key: it is in `words` at `at`. */
  each(then: (words: Int32Array, at: number) => void): void {
    for (let at = 0; at < this.length * KEY_WORDS; at += KEY_WORDS) then(this.words, at);
  }

  /** Those for which `isFirst` holds, and the others. */
  split(isFirst: (words: Int32Array, at: number) => boolean): [KeyList, KeyList] {
    const lists: [KeyList, KeyList] = [new KeyList(), new KeyList()];
    this.each((words, at) => lists[isFirst(words, at) ? 0 : 1].push(words, at));
    return lists;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.words.buffer, 0, 4 * this.length * KEY_WORDS);
  }
}

/** Murmur3's steps over the words. */
function hash(words: Int32Array, at: number): number {
  let sum = 0;
  for (let i = at; i < at + KEY_WORDS; i++) {
    const mixed = Math.imul(words[i]!, 0xcc9e2d51);
    sum ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    sum = (Math.imul((sum << 13) | (sum >>> 19), 5) + 0xe6546b64) | 0;
  }
  sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  return sum ^ (sum >>> 13);
}
