/**
 * The connection table: entries (entry.ts) chained in buckets. The bucket follows from the client's
 * side alone (protocol, caddr, cport), so that one bucket serves both directions of a NAT flow: the
 * destination of a reply is the client.
 *
 *     buckets  [ b0 | b1 | … | bn-1 ]        linear hashing: an insertion over one entry in two buckets splits just two,
 *                 |                          so that growth never pauses
 *               entry -> entry -> 0
 *
 * Memory for the largest table is reserved as virtual memory at the start and touched as the table
 * fills. Entries never move: their numbers serve as references for parents, timers and listings.
 * There is one writer; listings in another thread read at the same time.
 */
import { isChainFull, oldestOf, unlink } from './chain.js';
import {
  CADDR,
  CONN_HASHED,
  CONN_INDEXED,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  ENTRY_WORDS,
  FLAGS,
  HASH,
  LIVE_WORD,
  NEXT,
  PORTS,
  VADDR,
} from './entry.js';
import { Lines } from './lines.js';
import { isIn4, isOut4 } from './match.js';
import { type TableMemory, tableMemory, wordsOf } from './memory.js';
import { sealOf } from './seal.js';
import { SHIFT_WORDS } from './seqadj.js';
import { TupleIndex } from './tuple-index.js';
import { VipCounts } from './vip-counts.js';

export const INITIAL_BUCKETS = 4096;
/**
 * Buckets per line in use. Most chains are then one entry long: each further entry is a cache miss.
 */
const BUCKETS_EACH = 2;

/** Entries that `linkAll` fetches at once. */
const PREFETCHED = 64;

/** The hash key of tests and replays: digits of pi. */
const FIXED_SECRET = Int32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e);

/** The connection table of one worker. */
export class ConnectionTable extends Lines {
  /** By entry: its seal (seal.ts). Empty where the table ends with the process. */
  readonly seals: Int32Array;
  /** Rows of sequence shifts (seqadj.ts); empty as `seals`. */
  readonly shifts: Int32Array;
  /** Entries moved out of long chains. */
  readonly tupleIndex: TupleIndex;
  /** The first entry of the chain of each bucket. */
  readonly buckets: Int32Array;
  /** Of `prefetch`; longer than needed, so that V8 places it outside its heap. */
  private readonly heads = new Int32Array(2 * PREFETCHED);
  /** Virtual addresses of all inserted entries. */
  readonly vipCounts = new VipCounts();
  private nBuckets = INITIAL_BUCKETS;
  /** Number of buckets after the last complete doubling: level <= nBuckets < 2 * level. */
  private level = INITIAL_BUCKETS;
  /**
   * Counts insertions and removals. A remembered look-up result is valid while it stays the same.
   */
  changes = 0;
  private readonly k0: number;
  private readonly k1: number;
  private readonly k2: number;

  /**
   * `maxEntries`: lines, up to 2^26. `secret`: three words that key the hash; random on a live box.
   * Throws RangeError when the memory is not available.
   */
  constructor(
    maxEntries = 1 << 20,
    memory: TableMemory = tableMemory(maxEntries),
    readonly secret: Int32Array = FIXED_SECRET,
  ) {
    super(wordsOf(memory.lines, (maxEntries + 1) * ENTRY_WORDS), maxEntries);
    this.seals = wordsOf(memory.seals, maxEntries + 1);
    this.shifts = wordsOf(memory.shifts, (maxEntries + 1) * SHIFT_WORDS);
    this.buckets = new Int32Array(
      new SharedArrayBuffer(4 * Math.max(INITIAL_BUCKETS, 2 ** Math.ceil(Math.log2(BUCKETS_EACH * maxEntries)))),
    );
    this.tupleIndex = new TupleIndex(this.words, maxEntries, secret[0]! ^ secret[1]!);
    this.k0 = secret[0]!;
    this.k1 = secret[1]! | 1;
    this.k2 = secret[2]! | 1;
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
    for (let i = 0; i < BUCKETS_EACH && this.isNarrow(); i++) this.split();
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
    if (this.changes !== 0) this.buckets.fill(0, 0, this.nBuckets);
    this.nBuckets = Math.max(INITIAL_BUCKETS, Math.min(lines * BUCKETS_EACH, this.buckets.length));
    this.level = INITIAL_BUCKETS;
    while (this.level * 2 <= this.nBuckets) this.level *= 2;
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
    while (this.isNarrow()) this.split();
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

  private isNarrow(): boolean {
    return this.words[LIVE_WORD]! * BUCKETS_EACH > this.nBuckets && this.nBuckets < this.buckets.length;
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

  private hashEntry(at: number): number {
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
