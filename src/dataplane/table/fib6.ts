/**
 * A table of IPv6 prefixes, cut into ranges of addresses with one answer each, as fib.ts does for
 * IPv4. The ranges are those of a part of the address; where the rest of the address decides, the
 * answer is another node of the tree:
 *
 *     bits of a node's key     0–15 | 16–47 | 48–79 | 80–111 | 112–127      most prefixes end in the second node
 *
 *     node     [ SHIFT | FIRST: range in which the first key of each bucket is ×2^n | the last range ]
 *              a key's bucket is key >>> SHIFT; it narrows the binary search
 *     range    starts: its first key, left-aligned     answers: number of the route, −1 for none, or −2 − node
 *
 * What a look-up costs hardly depends on the number of routes.
 */

const SHIFT = 0;
const FIRST = 1;
/** −2 − number of a node is an answer. */
const NODE = -2;
/** The bit after the last one of each level's key. */
const ENDS = [16, 48, 80, 112, 128];
/** Most bits of a key that choose the bucket. */
const MOST_BITS = 16;
/** Bits beyond those of the number of ranges. The first node's keys lie close together. */
const MORE_BITS_FIRST = 8;
const MORE_BITS = 1;

export interface Prefix6 {
  readonly words: Int32Array;
  readonly length: number;
}

/** The tree as plain data. The sign bit of each start is flipped, as in fib.ts. */
export interface FibTree {
  readonly nodes: Int32Array;
  readonly starts: Int32Array;
  readonly answers: Int32Array;
}

/** Look-ups in the tree. */
export class Fib6 {
  private readonly nodes: Int32Array;
  private readonly starts: Int32Array;
  private readonly answers: Int32Array;

  constructor({ nodes, starts, answers }: FibTree = fibTreeOf([], [])) {
    this.nodes = nodes;
    this.starts = starts;
    this.answers = answers;
  }

  /** The number of the route to the address in the four words from `from`; −1 for none. */
  find(addresses: Int32Array, from: number): number {
    const { nodes, starts, answers } = this;
    const last = from + 3;
    // Bits behind a key of 16 bits do not matter: its ranges begin at multiples of 65536.
    let key = addresses[from]!;
    for (let node = 0, i = from; ; i++) {
      const turned = key ^ -0x80000000;
      const bucket = node + FIRST + (key >>> nodes[node + SHIFT]!);
      let lo = nodes[bucket]!;
      let hi = nodes[bucket + 1]!;
      while (lo < hi) {
        const middle = (lo + hi + 1) >>> 1;
        if (starts[middle]! <= turned) lo = middle;
        else hi = middle - 1;
      }
      const answer = answers[lo]!;
      if (answer > NODE) return answer;
      node = NODE - answer;
      key = (addresses[i]! << 16) | (i < last ? addresses[i + 1]! >>> 16 : 0);
    }
  }
}

/** A prefix without host bits, and its place in the order of preference. */
interface Placed extends Prefix6 {
  readonly place: number;
  /** The first 48 bits, to sort by. */
  readonly high: number;
}

/**
 * `prefixes` in order of preference: of all that cover an address the first one decides. `numbers`:
 * the number of each one's route. Host bits are ignored.
 */
export function fibTreeOf(prefixes: readonly Prefix6[], numbers: readonly number[]): FibTree {
  const tree = new Tree(numbers);
  tree.add(0, prefixes.map(placed).sort(inOrder), -1);
  return tree.data();
}

function placed({ words, length }: Prefix6, place: number): Placed {
  const network = words.every((word, i) => word === masked(word, length - 32 * i))
    ? words
    : words.map((word, i) => masked(word, length - 32 * i));
  return { words: network, length, place, high: (network[0]! >>> 0) * 2 ** 16 + (network[1]! >>> 16) };
}

/** The first `left` bits of a word. */
function masked(word: number, left: number): number {
  return left >= 32 ? word : left <= 0 ? 0 : word & (-1 << (32 - left));
}

/** By address, the shorter prefix first. Of equal ones the preferred one is last, and so on top. */
function inOrder(a: Placed, b: Placed): number {
  if (a.high !== b.high) return a.high - b.high;
  for (let i = 1; i < 4; i++) if (a.words[i] !== b.words[i]) return (a.words[i]! >>> 0) - (b.words[i]! >>> 0);
  return a.length - b.length || b.place - a.place;
}

/** The key of a level, left-aligned. */
function keyOf({ words }: Prefix6, level: number): number {
  if (level === 0) return (words[0]! & 0xffff0000) >>> 0;
  const high = words[level - 1]! << 16;
  return (level === 4 ? high : high | (words[level]! >>> 16)) >>> 0;
}

class Tree {
  private readonly nodes: number[] = [];
  private readonly starts: number[] = [];
  private readonly answers: number[] = [];

  constructor(private readonly numbers: readonly number[]) {}

  data(): FibTree {
    const { nodes, starts, answers } = this;
    return {
      nodes: Int32Array.from(nodes),
      starts: Int32Array.from(starts, (start) => (start ^ -0x80000000) | 0),
      answers: Int32Array.from(answers),
    };
  }

  /**
   * Adds the node of these prefixes, which are in order and equal up to the level's key. `outer`:
   * the place of the prefix that decides where none of them does, −1 for none. Returns the node.
   */
  add(level: number, prefixes: readonly Placed[], outer: number): number {
    const ranges = new Ranges(level, outer);
    const children: { readonly range: number; readonly prefixes: Placed[]; readonly outer: number }[] = [];
    for (let i = 0; i < prefixes.length; ) {
      const one = prefixes[i]!;
      if (one.length <= ENDS[level]!) ranges.open(one);
      else {
        const inside = sameKey(prefixes, i, level);
        children.push({ ...ranges.child(keyOf(one, level)), prefixes: inside });
        i += inside.length - 1;
      }
      i++;
    }
    ranges.close(2 ** 32);
    const [node, first] = this.write(level, ranges);
    for (const { range, prefixes, outer } of children)
      this.answers[first + range] = NODE - this.add(level + 1, prefixes, outer);
    return node;
  }

  private write(level: number, { starts, places }: Ranges): [node: number, first: number] {
    const [node, first] = [this.nodes.length, this.starts.length];
    const more = level === 0 ? MORE_BITS_FIRST : MORE_BITS;
    const bits = Math.min(MOST_BITS, Math.ceil(Math.log2(starts.length)) + more);
    this.nodes.push(32 - bits);
    for (let bucket = 0, i = 0; bucket < 1 << bits; bucket++) {
      while (i + 1 < starts.length && starts[i + 1]! <= bucket * 2 ** (32 - bits)) i++;
      this.nodes.push(first + i);
    }
    this.nodes.push(first + starts.length - 1);
    for (const start of starts) this.starts.push(start);
    for (const place of places) this.answers.push(place < 0 ? -1 : this.numbers[place]!);
    return [node, first];
  }
}

/** The longer prefixes from `i` on that have the same key. */
function sameKey(prefixes: readonly Placed[], i: number, level: number): Placed[] {
  const key = keyOf(prefixes[i]!, level);
  let end = i + 1;
  while (end < prefixes.length && keyOf(prefixes[end]!, level) === key) end++;
  return prefixes.slice(i, end);
}

/** The ranges of a node: a stack of open prefixes, which are nested or disjoint. */
class Ranges {
  readonly starts: number[] = [];
  readonly places: number[] = [];
  private readonly stack: { readonly end: number; readonly place: number }[] = [];

  constructor(
    private readonly level: number,
    private readonly outer: number,
  ) {
    this.mark(0, outer);
  }

  open(prefix: Placed): void {
    const start = keyOf(prefix, this.level);
    this.close(start);
    const outer = this.current();
    const place = outer < 0 ? prefix.place : Math.min(prefix.place, outer);
    this.mark(start, place);
    this.stack.push({ end: start + this.unit() * 2 ** (ENDS[this.level]! - prefix.length), place });
  }

  /** A range of one key, whose answer is a node. Returns its number, and what decides around it. */
  child(key: number): { readonly range: number; readonly outer: number } {
    this.close(key);
    const outer = this.current();
    this.mark(key, outer);
    const range = this.starts.length - 1;
    this.mark(key + this.unit(), outer);
    return { range, outer };
  }

  close(until: number): void {
    while (this.stack.length > 0 && this.stack.at(-1)!.end <= until) {
      const { end } = this.stack.pop()!;
      this.mark(end, this.current());
    }
  }

  private current(): number {
    return this.stack.at(-1)?.place ?? this.outer;
  }

  /** What one is in a left-aligned key. */
  private unit(): number {
    return this.level === 0 || this.level === 4 ? 2 ** 16 : 1;
  }

  private mark(start: number, place: number): void {
    if (this.starts.at(-1) === start) this.places[this.places.length - 1] = place;
    else if (start < 2 ** 32) {
      this.starts.push(start);
      this.places.push(place);
    }
  }
}
