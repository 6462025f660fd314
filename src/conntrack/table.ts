/**
 * The connection table: entries (entry.ts) chained in buckets. The bucket follows from the client's
 * side alone (protocol, caddr, cport), so that one bucket serves both directions of a NAT flow: the
 * destination of a reply is the client.
 *
 *     hash/buckets.ts      [ b0 | b1 | … | bn-1 ]
 *                             |
 *     hash/chain.ts         entry -> entry -> 0
 *     hash/tuple-index.ts   entries of clients that would make a chain long
 *
 * Memory for the largest table is reserved as virtual memory at the start and touched as the table
 * fills. Entries never move: their numbers serve as references for parents, timers and listings.
 * There is one writer; listings in another thread read at the same time.
 */
import { CONN_HASHED, CONN_INDEXED, ENTRY_SHIFT, ENTRY_WORDS, FLAGS, HASH, LIVE_WORD, NEXT, VADDR } from './entry.js';
import { Buckets } from './hash/buckets.js';
import { isChainFull, oldestOf, unlink } from './hash/chain.js';
import { TupleIndex } from './hash/tuple-index.js';
import { isIn4, isOut4 } from './match.js';
import { type TableMemory, tableMemory, wordsOf } from './memory.js';
import { sealOf } from './seal.js';
import { SHIFT_WORDS } from './seqadj.js';
import { VipCounts } from './vip-counts.js';

/** Entries that `linkAll` fetches at once. */
const PREFETCHED = 64;

/** The hash key of tests and replays: digits of pi. */
const FIXED_SECRET = Int32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e);

/** The connection table of one worker. */
export class ConnectionTable extends Buckets {
  /** By entry: its seal (seal.ts). Empty where the table ends with the process. */
  readonly seals: Int32Array;
  /** Rows of sequence shifts (seqadj.ts); empty as `seals`. */
  readonly shifts: Int32Array;
  /** Entries moved out of long chains. */
  readonly tupleIndex: TupleIndex;
  /** Of `prefetch`; longer than needed, so that V8 places it outside its heap. */
  private readonly heads = new Int32Array(2 * PREFETCHED);
  /** Virtual addresses of all inserted entries. */
  readonly vipCounts = new VipCounts();
  /**
   * Counts insertions and removals. A remembered look-up result is valid while it stays the same.
   */
  changes = 0;

  /**
   * `maxEntries`: lines, up to 2^26. `secret`: three words that key the hash; random on a live box.
   * Throws RangeError when the memory is not available.
   */
  constructor(maxEntries = 1 << 20, memory: TableMemory = tableMemory(maxEntries), secret: Int32Array = FIXED_SECRET) {
    super(wordsOf(memory.lines, (maxEntries + 1) * ENTRY_WORDS), maxEntries, secret);
    this.seals = wordsOf(memory.seals, maxEntries + 1);
    this.shifts = wordsOf(memory.shifts, (maxEntries + 1) * SHIFT_WORDS);
    this.tupleIndex = new TupleIndex(this.words, maxEntries, secret[0]! ^ secret[1]!);
  }

  /** Makes an entry findable. Its addresses, ports, protocol and flags are filled in. */
  insert(entry: number): void {
    this.changes = (this.changes + 1) | 0;
    const at = entry << ENTRY_SHIFT;
    const hash = this.hashEntry(at);
    this.words[at + HASH] = hash;
    if (this.seals.length !== 0) this.seals[entry] = sealOf(this.words, at, this.k0);
    this.vipCounts.add(this.words[at + VADDR]!);
    this.link(entry, at, this.bucketOf(hash));
    this.grow();
  }

  /** Writes the seal again, after a word was changed that it covers. */
  seal(entry: number): void {
    if (this.seals.length !== 0) this.seals[entry] = sealOf(this.words, entry << ENTRY_SHIFT, this.k0);
  }
  /** The entry has the words that it had when it was sealed. */
  isSealed(entry: number): boolean {
    return this.seals.length === 0 || this.seals[entry] === sealOf(this.words, entry << ENTRY_SHIFT, this.k0);
  }

  private link(entry: number, at: number, bucket: number): void {
    if (isChainFull(this.words, this.buckets[bucket]!, at)) {
      this.spill(bucket, at);
      this.addToIndex(entry, at);
      return;
    }
    this.words[at + NEXT] = this.buckets[bucket]!;
    this.buckets[bucket] = entry;
    this.words[at + FLAGS]! |= CONN_HASHED;
  }

  /**
   * Forgets the index and the free list, of a table whose memory a former writer left. `lines`: an
   * estimate of the lines in use. `adopt`, `linkAll` and `reclaim` then give each line its place.
   */
  forgetIndex(lines: number): void {
    // Buckets that were never written take no memory yet.
    if (this.changes !== 0) this.buckets.fill(0, 0, this.width);
    this.forgetBuckets(lines);
    this.forgetLines();
  }

  /**
   * Counts an entry of `lines` lines that a former writer left. Returns its hash. `linkAll` makes
   * it findable.
   */
  adopt(entry: number, lines: number): number {
    const at = entry << ENTRY_SHIFT;
    const { words } = this;
    words[LIVE_WORD]! += lines;
    this.growWide();
    const hash = this.hashEntry(at);
    words[at + FLAGS]! &= ~CONN_INDEXED;
    words[at + HASH] = hash;
    words[at + NEXT] = 0;
    this.vipCounts.add(words[at + VADDR]!);
    return hash;
  }

  /** Makes entries findable that were adopted (rebuild/radix.ts). */
  linkAll(entries: Int32Array, hashes: Int32Array, first: number, end: number): void {
    this.changes = (this.changes + 1) | 0;
    for (let from = first; from < end; from += PREFETCHED) {
      const to = Math.min(end, from + PREFETCHED);
      this.prefetch(entries, hashes, from, to);
      for (let i = from; i < to; i++) {
        const bucket = this.bucketOf(hashes[i]!);
        if (this.buckets[bucket] === 0) this.buckets[bucket] = entries[i]!;
        else this.link(entries[i]!, entries[i]! << ENTRY_SHIFT, bucket);
      }
    }
  }

  /**
   * Loads buckets into the cache, and where one has an entry already, the lines of both: the loads
   * are independent, so that their cache misses overlap.
   */
  private prefetch(entries: Int32Array, hashes: Int32Array, first: number, end: number): void {
    const { buckets, heads, words } = this;
    let unread = 0;
    for (let i = first; i < end; i++) heads[i - first] = buckets[this.bucketOf(hashes[i]!)]!;
    for (let i = first; i < end; i++) {
      const head = heads[i - first]!;
      // Line 0 where there is no other entry; without a branch.
      unread ^= words[head << ENTRY_SHIFT]! ^ words[(entries[i]! & (-head >> 31)) << ENTRY_SHIFT]!;
    }
    heads[PREFETCHED] = unread;
  }

  /**
   * Moves all connections of this client from the chain to the index, the oldest first. A look-up
   * searches the chain first, so that entries there must be newer than like ones in the index.
   */
  private spill(bucket: number, at: number): void {
    const { buckets, words } = this;
    for (let last = oldestOf(words, buckets[bucket]!, at); last !== 0; last = oldestOf(words, buckets[bucket]!, at)) {
      unlink(words, buckets, bucket, last);
      this.addToIndex(last, last << ENTRY_SHIFT);
    }
  }

  private addToIndex(entry: number, at: number): void {
    this.words[at + FLAGS]! |= CONN_HASHED | CONN_INDEXED;
    this.tupleIndex.add(entry);
  }

  override remove(entry: number): void {
    const { words } = this;
    const at = entry << ENTRY_SHIFT;
    if ((words[at + FLAGS]! & CONN_HASHED) === 0) return;
    const indexed = (words[at + FLAGS]! & CONN_INDEXED) !== 0;
    words[at + FLAGS]! &= ~(CONN_HASHED | CONN_INDEXED);
    this.vipCounts.remove(words[at + VADDR]!);
    this.changes = (this.changes + 1) | 0;
    if (indexed) {
      this.tupleIndex.remove(entry);
      return;
    }
    unlink(words, this.buckets, this.bucketOfEntry(at), entry);
  }

  /** The IPv4 connection of a packet from the client, or 0. `ports`: cport << 16 | vport. Templates do not match. */
  findIn4(protocol: number, caddr: number, vaddr: number, ports: number): number {
    const { words } = this;
    let entry = this.chain(protocol, caddr, ports >>> 16);
    for (; entry !== 0; entry = words[(entry << ENTRY_SHIFT) + NEXT]!)
      if (isIn4(words, entry << ENTRY_SHIFT, protocol, caddr, vaddr, ports)) return entry;
    return this.tupleIndex.size === 0 ? 0 : this.tupleIndex.findIn4(protocol, caddr, vaddr, ports);
  }

  /**
   * The IPv4 connection of a packet from daddr:dport to caddr:cport, or 0. For full NAT it is the
   * reverse line.
   */
  findOut4(protocol: number, daddr: number, dport: number, caddr: number, cport: number): number {
    const { words } = this;
    let entry = this.chain(protocol, caddr, cport);
    for (; entry !== 0; entry = words[(entry << ENTRY_SHIFT) + NEXT]!)
      if (isOut4(words, entry << ENTRY_SHIFT, protocol, daddr, dport, caddr, cport)) return entry;
    return this.tupleIndex.size === 0 ? 0 : this.tupleIndex.findOut4(protocol, daddr, dport, caddr, cport);
  }
}
