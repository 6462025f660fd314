/**
 * A map from address, protocol and port to a number. Services, masq destinations (the sources of
 * replies) and neighbours are found by it. A change costs a bounded time, however many keys there
 * are: the map is a directory of segments, and a full segment is split in two (extendible hashing).
 *
 *     hash ─ first bits ─► directory ─┬─► segment   rows with open addressing, at most half of them used
 *                                     ├─► segment
 *                                     └─► …         several places may name one segment
 *     hash ─ last bits ──► row:       [ a0 a1 a2 a3 | protocol << 16 | port | number + 1 ]     IPv4: 0 0 0 address
 *     row 0 of a segment:             [ mask of the rows | rows in use | bits of the directory that lead here ]
 */
const ROW = 6;
/** Rows of a new segment, and of one that is split when it is half full. */
const FEWEST = 64;
const MOST = 512;
/** Bits of the directory at most. Segments grow from there on, as they do for keys of one hash. */
const DEEPEST = 16;

const MASK = 0;
const USED = 1;
const DEPTH = 2;

export class AddressIndex {
  private directory: Int32Array[] = [];
  /** 32 less the bits of the directory, which has one bit at least. */
  private shift = 31;
  private count = 0;

  constructor() {
    this.clear();
  }

  get size(): number {
    return this.count;
  }

  /** The number stored for a key, or −1. For IPv4 a0..a2 are 0. */
  find(a0: number, a1: number, a2: number, a3: number, protocol: number, port: number): number {
    const key = (protocol << 16) | port;
    const hash = mix(a0, a1, a2, a3, key);
    const rows = this.directory[hash >>> this.shift]!;
    const mask = rows[MASK]!;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const row = (i + 1) * ROW;
      const index = rows[row + 5]!;
      if (index === 0) return -1;
      if (matches(rows, row, a0, a1, a2, a3, key)) return index - 1;
    }
  }

  /** Stores `index`, 0 or more, for a key. */
  set(a0: number, a1: number, a2: number, a3: number, protocol: number, port: number, index: number): void {
    const key = (protocol << 16) | port;
    const hash = mix(a0, a1, a2, a3, key);
    if ((this.directory[hash >>> this.shift]![USED]! + 1) * 2 > this.directory[hash >>> this.shift]![MASK]!)
      this.makeRoom(hash);
    if (put(this.directory[hash >>> this.shift]!, hash, a0, a1, a2, a3, key, index + 1)) this.count++;
  }

  /** Removes a key, if it is there. */
  delete(a0: number, a1: number, a2: number, a3: number, protocol: number, port: number): void {
    const key = (protocol << 16) | port;
    const hash = mix(a0, a1, a2, a3, key);
    if (take(this.directory[hash >>> this.shift]!, hash, a0, a1, a2, a3, key)) this.count--;
  }

  /** Removes all keys. */
  clear(): void {
    this.directory = [newSegment(FEWEST, 1), newSegment(FEWEST, 1)];
    this.shift = 31;
    this.count = 0;
  }

  /** The segment of a hash is half full: it gets twice the rows, or is split. */
  private makeRoom(hash: number): void {
    const old = this.directory[hash >>> this.shift]!;
    const depth = old[DEPTH]!;
    const rows = old[MASK]! + 1;
    if (rows < MOST || depth === DEEPEST) return this.replace(old, newSegment(rows * 2, depth));
    if (depth === 32 - this.shift) this.doubleDirectory();
    this.split(old, newSegment(rows, depth + 1), newSegment(rows, depth + 1));
  }

  private replace(old: Int32Array, wider: Int32Array): void {
    move(old, () => wider);
    this.directory = this.directory.map((one) => (one === old ? wider : one));
  }

  private doubleDirectory(): void {
    this.directory = this.directory.flatMap((one) => [one, one]);
    this.shift--;
  }

  private split(old: Int32Array, low: Int32Array, high: Int32Array): void {
    const bit = 1 << (32 - low[DEPTH]!);
    move(old, (hash) => ((hash & bit) === 0 ? low : high));
    const placeBit = bit >>> this.shift;
    this.directory = this.directory.map((one, i) => (one !== old ? one : (i & placeBit) === 0 ? low : high));
  }
}

function newSegment(rows: number, depth: number): Int32Array {
  const segment = new Int32Array((rows + 1) * ROW);
  segment[MASK] = rows - 1;
  segment[DEPTH] = depth;
  return segment;
}

/** Puts all keys of a segment into others. */
function move(old: Int32Array, into: (hash: number) => Int32Array): void {
  for (let row = ROW; row < old.length; row += ROW) {
    if (old[row + 5] === 0) continue;
    const a0 = old[row]!;
    const a1 = old[row + 1]!;
    const a2 = old[row + 2]!;
    const a3 = old[row + 3]!;
    const key = old[row + 4]!;
    const hash = mix(a0, a1, a2, a3, key);
    put(into(hash), hash, a0, a1, a2, a3, key, old[row + 5]!);
  }
}

/** Returns true for a new key. */
function put(
  rows: Int32Array,
  hash: number,
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  key: number,
  stored: number,
): boolean {
  const mask = rows[MASK]!;
  let i = hash & mask;
  while (rows[(i + 1) * ROW + 5] !== 0 && !matches(rows, (i + 1) * ROW, a0, a1, a2, a3, key)) i = (i + 1) & mask;
  const row = (i + 1) * ROW;
  const isNew = rows[row + 5] === 0;
  if (isNew) rows[USED]!++;
  rows[row] = a0;
  rows[row + 1] = a1;
  rows[row + 2] = a2;
  rows[row + 3] = a3;
  rows[row + 4] = key;
  rows[row + 5] = stored;
  return isNew;
}

/**
 * Removes a key; rows behind it move up, so that no look-up meets a gap. Returns false without it.
 */
function take(rows: Int32Array, hash: number, a0: number, a1: number, a2: number, a3: number, key: number): boolean {
  const mask = rows[MASK]!;
  let i = hash & mask;
  while (rows[(i + 1) * ROW + 5] !== 0 && !matches(rows, (i + 1) * ROW, a0, a1, a2, a3, key)) i = (i + 1) & mask;
  if (rows[(i + 1) * ROW + 5] === 0) return false;
  for (let next = (i + 1) & mask; rows[(next + 1) * ROW + 5] !== 0; next = (next + 1) & mask) {
    if (((next - homeOf(rows, next)) & mask) < ((next - i) & mask)) continue;
    rows.copyWithin((i + 1) * ROW, (next + 1) * ROW, (next + 2) * ROW);
    i = next;
  }
  rows.fill(0, (i + 1) * ROW, (i + 2) * ROW);
  rows[USED]!--;
  return true;
}

/** The place where the key of a row would be without others. */
function homeOf(rows: Int32Array, i: number): number {
  const row = (i + 1) * ROW;
  return mix(rows[row]!, rows[row + 1]!, rows[row + 2]!, rows[row + 3]!, rows[row + 4]!) & rows[MASK]!;
}

function matches(rows: Int32Array, row: number, a0: number, a1: number, a2: number, a3: number, key: number): boolean {
  return (
    rows[row + 3] === a3 && rows[row + 4] === key && rows[row + 2] === a2 && rows[row + 1] === a1 && rows[row] === a0
  );
}

function mix(a0: number, a1: number, a2: number, a3: number, key: number): number {
  let h =
    Math.imul(a3, 0x9e3779b1) ^ Math.imul(key, 0x85ebca77) ^ Math.imul(a2, 0xc2b2ae3d) ^ Math.imul(a1, 0x27d4eb2f) ^ a0;
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return h ^ (h >>> 13);
}
