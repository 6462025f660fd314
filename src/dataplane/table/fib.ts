/**
 * A table of IPv4 prefixes, cut into ranges of addresses with one answer each, that of the longest
 * prefix:
 *
 *      0.0.0.0/0     |───────────────────────────────────────────|
 *      10.0.0.0/8          |──────────────────────|
 *      10.0.0.0/24         |────|
 *      starts        |  0  | 1  |        2        |       3      |       a binary search, narrowed by the address's first byte
 *
 * A look-up costs the same for every client. A cache of answers does not, when there are many
 * clients.
 */
import { mask4 } from '../../wire/address.js';

export interface Prefix4 {
  /** Four words; the IPv4 address is the last one. */
  readonly words: Int32Array;
  readonly length: number;
}

/**
 * The ranges, as plain data. The sign bit of each address is flipped, so that signed comparison
 * orders them.
 */
export interface Fib {
  readonly starts: Int32Array;
  /** Per range: the number of its prefix, −1 for none. */
  readonly answers: Int32Array;
  /**
   * Per first byte: the range of its first address. One row more, so that the next row bounds the
   * search.
   */
  readonly byByte: Int32Array;
}

/**
 * `prefixes` in order of preference, the longest first; they are numbered from `first` on. Host
 * bits are ignored.
 */
export function fibOf(prefixes: readonly Prefix4[], first = 0): Fib {
  const [starts, answers] = stretches(prefixes);
  return fibWith(
    starts,
    answers.map((place) => (place < 0 ? place : first + place)),
  );
}

/** Several tables as one: the first table with an answer decides. */
export function chainedFib(list: readonly Fib[]): Fib {
  const fibs = list.map((data) => new Fib4(data));
  const starts = [...new Set([0, ...list.flatMap((data) => [...data.starts].map((start) => turned(start) >>> 0))])];
  starts.sort((a, b) => a - b);
  const answers = starts.map((start) => {
    for (const fib of fibs) {
      const found = fib.find(start | 0);
      if (found >= 0) return found;
    }
    return -1;
  });
  return fibWith(starts, answers);
}

function fibWith(starts: readonly number[], answers: readonly number[]): Fib {
  const byByte = new Int32Array(257);
  for (let byte = 0, i = 0; byte < 256; byte++) {
    while (i + 1 < starts.length && starts[i + 1]! <= byte * 2 ** 24) i++;
    byByte[byte] = i;
  }
  byByte[256] = starts.length - 1;
  return { starts: Int32Array.from(starts, turned), answers: Int32Array.from(answers), byByte };
}

/** Look-ups in the ranges. */
export class Fib4 {
  private readonly starts: Int32Array;
  private readonly answers: Int32Array;
  private readonly byByte: Int32Array;

  constructor({ starts, answers, byByte }: Fib = fibOf([])) {
    this.starts = starts;
    this.answers = answers;
    this.byByte = byByte;
  }

  /** Returns the number of the prefix that decides about `address`, −1 for none. */
  find(address: number): number {
    const { starts, byByte } = this;
    const key = turned(address);
    let lo = byByte[address >>> 24]!;
    let hi = byByte[(address >>> 24) + 1]!;
    while (lo < hi) {
      const middle = (lo + hi + 1) >>> 1;
      if (starts[middle]! <= key) lo = middle;
      else hi = middle - 1;
    }
    return this.answers[lo]!;
  }
}

function turned(address: number): number {
  return (address ^ -0x80000000) | 0;
}

/**
 * Prefixes are nested or disjoint, so a stack of open prefixes knows the answer at each boundary.
 */
function stretches(prefixes: readonly Prefix4[]): [starts: number[], answers: number[]] {
  const spans = prefixes
    .map(({ words, length }, place) => {
      const start = (words[3]! & mask4(length)) >>> 0;
      return { start, end: start + 2 ** (32 - length), place };
    })
    // Of equal prefixes the preferred one comes last, so that it ends on top.
    .sort((a, b) => a.start - b.start || b.end - a.end || b.place - a.place);
  const starts: number[] = [];
  const answers: number[] = [];
  const mark = (start: number, place: number) => {
    if (starts.at(-1) === start) answers[answers.length - 1] = place;
    else if (start < 2 ** 32) {
      starts.push(start);
      answers.push(place);
    }
  };
  mark(0, -1);
  const open: typeof spans = [];
  const close = (until: number) => {
    while (open.length > 0 && open.at(-1)!.end <= until) {
      const { end } = open.pop()!;
      mark(end, open.at(-1)?.place ?? -1);
    }
  };
  for (const span of spans) {
    close(span.start);
    mark(span.start, span.place);
    open.push(span);
  }
  close(2 ** 32);
  return [starts, answers];
}
