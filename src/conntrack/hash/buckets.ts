/**
 * The buckets of a connection table: linear hashing. An insertion over one entry in two buckets
 * splits just two of them, so that growth never pauses.
 *
 *     [ b0 | b1 | … | b(level-1) | b(level) | … | b(n-1) ]     b(level + i) has half of what b(i) had; b(n - level) is
 *         |                                                    split next; at n = 2 * level the level doubles
 *       entry -> entry -> 0     a chain (chain.ts)
 *
 * The hash is that of the client's side, and keyed.
 */
import { CADDR, DPORT_PROTO_STATE, ENTRY_SHIFT, HASH, LIVE_WORD, NEXT, PORTS } from '../entry.js';
import { Lines } from '../lines.js';

const INITIAL_BUCKETS = 4096;
/**
 * Buckets per line in use. Most chains are then one entry long: each further entry is a cache miss.
 */
const BUCKETS_EACH = 2;

/** Lines with buckets in which they are found. */
export abstract class Buckets extends Lines {
  /** The first entry of the chain of each bucket. */
  readonly buckets: Int32Array;
  private nBuckets = INITIAL_BUCKETS;
  /** Number of buckets after the last complete doubling: level <= nBuckets < 2 * level. */
  private level = INITIAL_BUCKETS;
  protected readonly k0: number;
  private readonly k1: number;
  private readonly k2: number;

  /** `secret`: three words that key the hash. */
  constructor(
    words: Int32Array,
    maxEntries: number,
    readonly secret: Int32Array,
  ) {
    super(words, maxEntries);
    this.buckets = new Int32Array(
      new SharedArrayBuffer(4 * Math.max(INITIAL_BUCKETS, 2 ** Math.ceil(Math.log2(BUCKETS_EACH * maxEntries)))),
    );
    this.k0 = secret[0]!;
    this.k1 = secret[1]! | 1;
    this.k2 = secret[2]! | 1;
  }

  /**
   * The first entry of the chain for a client's side, or 0; `next` gives the others. For IPv6
   * `caddr` is the `fold`. A chain holds entries of both families and templates: the caller
   * compares.
   */
  chain(protocol: number, caddr: number, cport: number): number {
    return this.buckets[this.bucket(protocol, caddr, cport)]!;
  }
  bucket(protocol: number, caddr: number, cport: number): number {
    return this.bucketOf(this.hash(caddr, (protocol << 16) | cport));
  }
  /** Number of buckets. */
  get width(): number {
    return this.nBuckets;
  }
  /** The bucket of the inserted entry at word `at`. */
  bucketOfEntry(at: number): number {
    return this.bucketOf(this.words[at + HASH]!);
  }

  /** Splits as many buckets as one more entry may want. */
  protected grow(): void {
    for (let i = 0; i < BUCKETS_EACH && this.isNarrow(); i++) this.split();
  }

  /** Splits buckets until there are enough for the lines in use. */
  protected growWide(): void {
    while (this.isNarrow()) this.split();
  }

  /** From now on there are buckets for `lines` lines; the caller has emptied them. */
  protected forgetBuckets(lines: number): void {
    this.nBuckets = Math.max(INITIAL_BUCKETS, Math.min(lines * BUCKETS_EACH, this.buckets.length));
    this.level = INITIAL_BUCKETS;
    while (this.level * 2 <= this.nBuckets) this.level *= 2;
  }

  private isNarrow(): boolean {
    return this.words[LIVE_WORD]! * BUCKETS_EACH > this.nBuckets && this.nBuckets < this.buckets.length;
  }

  /** Splits one bucket in two (linear hashing). */
  private split(): void {
    const { words, buckets } = this;
    const from = this.nBuckets - this.level;
    const to = this.nBuckets++;
    let entry = buckets[from]!;
    let stay = 0;
    let move = 0;
    const mask = this.level * 2 - 1;
    while (entry !== 0) {
      const at = entry << ENTRY_SHIFT;
      const next = words[at + NEXT]!;
      if ((words[at + HASH]! & mask) === to) {
        words[at + NEXT] = move;
        move = entry;
      } else {
        words[at + NEXT] = stay;
        stay = entry;
      }
      entry = next;
    }
    buckets[from] = stay;
    buckets[to] = move;
    if (this.nBuckets === this.level * 2) this.level *= 2;
  }

  /** The bucket of a hash. */
  bucketOf(hash: number): number {
    const bucket = hash & (this.level * 2 - 1);
    return bucket < this.nBuckets ? bucket : hash & (this.level - 1);
  }

  protected hashEntry(at: number): number {
    const { words } = this;
    return this.hash(
      words[at + CADDR]!,
      ((words[at + DPORT_PROTO_STATE]! & 0xff00) << 8) | (words[at + PORTS]! >>> 16),
    );
  }

  /** Keyed: a sender who does not know k0..k2 cannot choose a bucket. `rest`: protocol << 16 | cport. */
  private hash(caddr: number, rest: number): number {
    let h = Math.imul(caddr ^ this.k0, this.k1);
    h ^= h >>> 15;
    h = Math.imul(h + Math.imul(rest, this.k2), (0x2c1b3c6d ^ this.k0) | 1) ^ (h >>> 7);
    h ^= h >>> 16;
    h = Math.imul(h, this.k1);
    return h ^ (h >>> 13);
  }
}
