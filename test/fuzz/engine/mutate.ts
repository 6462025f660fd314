/**
 * Changes bytes at random, as AFL's havoc stage does: bits, bytes, numbers, words, pieces of another
 * input. All in one block of memory, since a campaign does this millions of times.
 */
import type { Random } from '../../support/seed.js';

/** Bytes of the longest input. */
const LONGEST = 4096;
/** Numbers at which lengths and signs go wrong. */
const ODD = [0, 1, 2, 3, 4, 7, 8, 15, 16, 19, 20, 31, 32, 63, 64, 127, 128, 255, 256, 1500, 0x7fff, 0x8000, 0xffff];
const ODD32 = [...ODD, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

const scratch = new Uint8Array(2 * LONGEST);
const view = new DataView(scratch.buffer);
let length = 0;

/**
 * `input`, changed. `other`: an input from which pieces may come. The result is valid until the next
 * call: copy what is kept.
 */
export function mutate(
  random: Random,
  input: Uint8Array,
  other: Uint8Array,
  words: readonly Uint8Array[] = [],
): Uint8Array {
  length = 0;
  insert(0, input, 0, input.length);
  for (let n = 1 << random.below(4); n > 0; n--) step(random, other, words);
  return scratch.subarray(0, length);
}

function step(random: Random, other: Uint8Array, words: readonly Uint8Array[]): void {
  const at = random.below(length + 1);
  const kind = random.below(words.length > 0 ? 12 : 10);
  if (kind >= 10) {
    const word = random.pick(words);
    if (random.bool()) remove(at, word.length);
    insert(at, word, 0, word.length);
  } else if (kind < 5 && at < length) change(random, at, kind);
  else pieces(random, at, kind, other);
}

function pieces(random: Random, at: number, kind: number, other: Uint8Array): void {
  const size = 1 + random.below(1 << random.below(8));
  const from = random.below(other.length + 1);
  if (kind === 5) remove(at, size);
  else if (kind === 6) double(at, size);
  else if (kind === 7) insert(at, other, from, size);
  else if (kind === 8) {
    length = at;
    insert(at, other, from, other.length);
  } else if (kind === 9) length = Math.min(length, at + size);
  else {
    double(at, 1 + random.below(4));
    if (at < length) scratch[at] = random.u8();
  }
}

/** Changes what lies at `at`, which is inside. */
function change(random: Random, at: number, kind: number): void {
  if (kind === 0) scratch[at]! ^= 1 << random.below(8);
  else if (kind === 1) scratch[at] = random.u8();
  else if (kind === 2) scratch[at]! += random.below(9) - 4;
  else if (kind === 3 && at + 2 <= length) view.setUint16(at, random.pick(ODD), random.bool());
  else if (at + 4 <= length) view.setUint32(at, random.pick(ODD32), random.bool());
}

/** Removes up to `size` bytes. */
function remove(at: number, size: number): void {
  const end = Math.min(length, at + size);
  scratch.copyWithin(at, end, length);
  length -= end - at;
}

/** Repeats up to `size` bytes. */
function double(at: number, size: number): void {
  const n = Math.min(size, length - at, LONGEST - length);
  if (n <= 0) return;
  scratch.copyWithin(at + n, at, length);
  length += n;
}

/** Inserts up to `size` bytes of `what` from `from` on, as far as there is room. */
function insert(at: number, what: Uint8Array, from: number, size: number): void {
  const n = Math.min(size, what.length - from, LONGEST - length);
  if (n <= 0) return;
  scratch.copyWithin(at + n, at, length);
  for (let i = 0; i < n; i++) scratch[at + i] = what[from + i]!;
  length += n;
}

/** The parts one after the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length: n }) => sum + n, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
