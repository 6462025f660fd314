/**
 * The table of incomplete datagrams, by addresses, protocol and identification (the kernel's
 * nf_defrag). The fragments stay in the Umem frames that they arrived in. The number of frames is
 * limited, so that a flood of fragments does not take the frames that the rings need: the oldest
 * datagram is discarded.
 *
 *      buckets ─► FragmentQueue ─► FragmentQueue (chain)     oldest ─► … ─► newest (newer)
 *                       └─ Piece ─► Piece ─► …               spent queues and pieces are kept for reuse
 */
import { Drop } from '../../stats/drops.js';
import type { PacketInfo } from '../parse/packet.js';
import { FragmentQueue, Piece, Placing } from './fragment-queue.js';

const BUCKETS = 1024;
const DATAGRAMS = 1024;

/** Called for each fragment that is discarded, with the number of a drop reason. */
export type Lose = (frame: number, len: number, reason: number) => void;

export class FragmentTable {
  /** The datagram of the last `add`. */
  current: FragmentQueue | undefined;
  /** Number of frames held, and of datagrams that they belong to. */
  held = 0;
  waiting = 0;
  private readonly buckets: (FragmentQueue | undefined)[] = new Array<FragmentQueue | undefined>(BUCKETS).fill(
    undefined,
  );
  private readonly spentDatagrams: FragmentQueue[] = [];
  private readonly spentPieces: Piece[] = [];
  private oldest: FragmentQueue | undefined;
  private newest: FragmentQueue | undefined;
  /** `overdue` has nothing before this time, ms. */
  nextDue = Number.POSITIVE_INFINITY;

  /** `room`: the limit of frames. `lose` frees a frame and counts it. */
  constructor(
    private readonly room: number,
    private readonly lose: Lose,
  ) {}

  /**
   * Adds the current fragment. Its `size` bytes of data begin at the absolute offset `data`.
   * Returns a Placing. After `placed` the frame is held here until `take` or `discard`. After
   * `overlap` the other frames of the datagram are discarded; the current frame stays with the
   * caller.
   */
  add(p: PacketInfo, id: number, protocol: number, data: number, size: number, due: number): number {
    while (this.held >= this.room) this.discard(this.oldest!, Drop.fragmentLimit);
    const datagram = this.find(p, id, protocol) ?? this.open(p, id, protocol, due);
    const piece = this.spentPieces.pop() ?? new Piece();
    piece.frame = p.frame;
    piece.len = p.len;
    piece.l3len = p.l3len;
    piece.data = data;
    piece.from = p.fragmentOffset;
    piece.to = p.fragmentOffset + size;
    this.current = datagram;
    const placing = datagram.place(piece, p.moreFragments);
    if (placing === Placing.placed) this.note(datagram, p);
    else this.spentPieces.push(piece);
    if (placing === Placing.overlap) this.discard(datagram, Drop.fragmentOverlap);
    return placing;
  }

  private note(datagram: FragmentQueue, p: PacketInfo): void {
    this.held++;
    datagram.ecn |= 1 << (p.tos & 3);
    if (p.dontFragment) datagram.largestDf = Math.max(datagram.largestDf, p.l3len);
  }

  /** Hands the frames of `datagram` to the caller. Call `spend` when its pieces have been read. */
  take(datagram: FragmentQueue): void {
    this.unlink(datagram);
    this.held -= datagram.pieces;
  }

  spend(datagram: FragmentQueue): void {
    for (let piece = datagram.first; piece !== undefined; piece = piece.next) this.spentPieces.push(piece);
    datagram.first = undefined;
    datagram.last = undefined;
    this.spentDatagrams.push(datagram);
  }

  discard(datagram: FragmentQueue, reason: number): void {
    this.take(datagram);
    for (let piece = datagram.first; piece !== undefined; piece = piece.next) this.lose(piece.frame, piece.len, reason);
    this.spend(datagram);
  }

  /** Returns the oldest expired datagram, undefined when there is none. The caller discards it. */
  overdue(now: number): FragmentQueue | undefined {
    this.nextDue = Number.POSITIVE_INFINITY;
    for (let datagram = this.oldest; datagram !== undefined; datagram = datagram.newer) {
      if (datagram.due <= now) {
        this.nextDue = now;
        return datagram;
      }
      this.nextDue = Math.min(this.nextDue, datagram.due);
    }
    return undefined;
  }

  private find(p: PacketInfo, id: number, protocol: number): FragmentQueue | undefined {
    let datagram = this.buckets[bucketOf(p, id)];
    while (datagram !== undefined && !datagram.is(p, id, protocol)) datagram = datagram.chain;
    return datagram;
  }

  private open(p: PacketInfo, id: number, protocol: number, due: number): FragmentQueue {
    if (this.waiting >= DATAGRAMS) this.discard(this.oldest!, Drop.fragmentLimit);
    const datagram = this.spentDatagrams.pop() ?? new FragmentQueue();
    datagram.start(p, id, protocol, due);
    const bucket = bucketOf(p, id);
    datagram.bucket = bucket;
    datagram.chain = this.buckets[bucket];
    this.buckets[bucket] = datagram;
    datagram.newer = undefined;
    datagram.older = this.newest;
    if (this.newest === undefined) this.oldest = datagram;
    else this.newest.newer = datagram;
    this.newest = datagram;
    this.waiting++;
    this.nextDue = Math.min(this.nextDue, due);
    return datagram;
  }

  private unlink(datagram: FragmentQueue): void {
    const { bucket, older, newer } = datagram;
    if (this.buckets[bucket] === datagram) this.buckets[bucket] = datagram.chain;
    else {
      let before = this.buckets[bucket]!;
      while (before.chain !== datagram) before = before.chain!;
      before.chain = datagram.chain;
    }
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    this.waiting--;
  }
}

function bucketOf(p: PacketInfo, id: number): number {
  const addresses = p.family === 4 ? p.src ^ Math.imul(p.dst, 3) : fold(p.src6) ^ Math.imul(fold(p.dst6), 3);
  return (Math.imul(addresses ^ Math.imul(id, 0x85ebca77), 0x9e3779b1) >>> 16) & (BUCKETS - 1);
}

function fold(words: Int32Array): number {
  return words[0]! ^ words[1]! ^ words[2]! ^ words[3]!;
}
