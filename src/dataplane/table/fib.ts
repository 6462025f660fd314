/**
 * A table of IPv4 prefixes, cut into stretches of addresses that have one answer each, the longest prefix's:
 *
 *     0.0.0.0/0     |───────────────────────────────────────────|
 *     10.0.0.0/8          |──────────────────────|
 *     10.0.0.0/24         |────|
 *     starts        |  0  | 1  |        2        |       3      |       a binary search, begun at the address's first byte
 *
 * Look-ups cost the same for every client, however many there are: a cache of answers does not.
 */
import { mask4 } from '../../wire/address.js';

export interface Prefix4 {
  /** The address is its last word. */
  readonly words: Int32Array;
  readonly length: number;
}

/** Stretches of addresses; addresses are kept with the sign bit turned, so that signed comparison orders them. */
export class Fib4 {
  private readonly starts: Int32Array;
  /** By stretch: the place of its prefix in the list, −1 for none. */
  private readonly answers: Int32Array;
  /** By first byte: the stretch that its first address is in; one more row, so that the next byte's is the last to try. */
  private readonly byByte = new Int32Array(257);

  /** `prefixes` in order of preference: the longest first. Host bits are ignored. */
  constructor(prefixes: readonly Prefix4[], [starts, answers] = stretches(prefixes)) {
    this.starts = Int32Array.from(starts, turned);
    this.answers = Int32Array.from(answers);
    for (let byte = 0, i = 0; byte < 256; byte++) {
      while (i + 1 < starts.length && starts[i + 1]! <= byte * 2 ** 24) i++;
      this.byByte[byte] = i;
    }
    this.byByte[256] = starts.length - 1;
  }

  /** As one: the first that has an answer gives it. Places are counted on from list to list; `sizes` are the lists' lengths. */
  static chained(fibs: readonly Fib4[], sizes: readonly number[]): Fib4 {
    const starts = [...new Set(fibs.flatMap((fib) => [...fib.starts].map((start) => turned(start) >>> 0)))];
    starts.sort((a, b) => a - b);
    const answers = starts.map((start) => {
      let before = 0;
      for (const [i, fib] of fibs.entries()) {
        const place = fib.find(start | 0);
        if (place >= 0) return before + place;
        before += sizes[i]!;
      }
      return -1;
    });
    return new Fib4([], starts.length === 0 ? stretches([]) : [starts, answers]);
  }

  /** The place in the list of the prefix that decides about `address`, or −1. */
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

/** Prefixes lie in each other or apart, so a stack of those that are open knows whose turn it is at every boundary. */
function stretches(prefixes: readonly Prefix4[]): [starts: number[], answers: number[]] {
  const spans = prefixes
    .map(({ words, length }, place) => {
      const start = (words[3]! & mask4(length)) >>> 0;
      return { start, end: start + 2 ** (32 - length), place };
    })
    // Of equals the preferred one last, so that it ends up on top.
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
