/**
 * Radix partitioning of a rebuild (rebuild.ts). Entries come in the order of their lines, and their
 * buckets lie anywhere in memory: each would be a miss of cache and TLB. So entries wait in parts,
 * by the upper bits of their bucket, and a full part is linked at once: its buckets lie close
 * together.
 *
 *     entry, hash ─► part 0  [ 7 12 31 …        ]     buckets 0 … n/64
 *                    part 1  [ 3 8 9 22 40 … 99 ] ─ full ─► its entries are linked
 *                      …
 *                    part 63 [ 5 11 …           ]
 */

const PART_BITS = 6;
export const PARTS = 1 << PART_BITS;
/** Entries of a full part. */
export const PART_ROOM = 2048;

/** Makes the entries of `entries` from `first` to before `end` findable, by their hashes. */
export type LinkAll = (entries: Int32Array, hashes: Int32Array, first: number, end: number) => void;

/** The entries that wait to be linked. */
export class RadixParts {
  /** Number of parts that were linked because they were full. */
  flushes = 0;
  private readonly entries = new Int32Array(PARTS * PART_ROOM);
  private readonly hashes = new Int32Array(PARTS * PART_ROOM);
  /** By part: the place after its last entry. */
  private readonly tops = new Int32Array(2 * PARTS);
  private readonly shift: number;

  /** `buckets`: number of buckets of the table. */
  constructor(
    buckets: number,
    private readonly linkAll: LinkAll,
  ) {
    this.shift = Math.max(0, 32 - Math.clz32(buckets - 1) - PART_BITS);
    for (let part = 0; part < PARTS; part++) this.tops[part] = part * PART_ROOM;
  }

  /** Adds an entry, which is linked with its part. */
  add(entry: number, hash: number, bucket: number): void {
    const part = (bucket >>> this.shift) & (PARTS - 1);
    const top = this.tops[part]!;
    this.entries[top] = entry;
    this.hashes[top] = hash;
    this.tops[part] = top + 1;
    if (((top + 1) & (PART_ROOM - 1)) !== 0) return;
    this.flushes++;
    this.flush(part);
  }

  /** Links the entries of a part. Returns their number. */
  flush(part: number): number {
    const first = part * PART_ROOM;
    const end = this.tops[part]!;
    this.linkAll(this.entries, this.hashes, first, end);
    this.tops[part] = first;
    return end - first;
  }
}
