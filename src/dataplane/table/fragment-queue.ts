/**
 * The fragments of one IP datagram (the kernel's inet_frag_queue). The pieces are a list in the
 * order of their offsets:
 *
 *      first ─► [0, 1480) ─► [1480, 2960) ┄┄ gap ┄┄ [4440, 5000) ◄─ last        total 5000 (the piece without MF arrived)
 *               └──── one run ──────────┘           └─ a run ─┘
 *
 * A run holds pieces that arrived one after the other at the end of the list. The rules are the
 * kernel's (inet_frag_queue_insert): a piece that lies within a run is a duplicate; a piece that
 * overlaps in another way discards the whole datagram (RFC 5722).
 */
import type { PacketInfo } from '../parse/packet.js';

export const Placing = { placed: 0, duplicate: 1, overlap: 2 } as const;

export class Piece {
  frame = 0;
  /** Length of the frame, and of the IP packet in it. */
  len = 0;
  l3len = 0;
  /** Absolute offset of its data, and the range of the datagram's bytes that it holds. */
  data = 0;
  from = 0;
  to = 0;
  /** It continued its predecessor when it arrived: it belongs to the same run. */
  joined = false;
  next: Piece | undefined;
}

export class FragmentQueue {
  family = 0;
  id = 0;
  protocol = 0;
  readonly src = new Int32Array(4);
  readonly dst = new Int32Array(4);
  /** Device that received the first fragment. */
  device = 0;
  /** The pieces were forwarded one by one: their TTL is decremented already. */
  crossed = false;
  first: Piece | undefined;
  last: Piece | undefined;
  pieces = 0;
  /** Bytes that arrived; the end of the highest piece; whether that is the end of the datagram. */
  bytes = 0;
  end = 0;
  ended = false;
  /** The longest IP packet among the pieces, and the longest with DF. */
  largest = 0;
  largestDf = 0;
  /** One bit for each ECN value seen. */
  ecn = 0;
  /** Time (ms) at which the datagram expires. */
  due = 0;
  older: FragmentQueue | undefined;
  newer: FragmentQueue | undefined;
  /** Next datagram in the bucket of the table. */
  chain: FragmentQueue | undefined;
  bucket = 0;

  start(p: PacketInfo, id: number, protocol: number, due: number): void {
    this.family = p.family;
    this.id = id;
    this.protocol = protocol;
    this.device = p.device;
    this.due = due;
    if (p.family === 4) {
      this.src[3] = p.src;
      this.dst[3] = p.dst;
    } else {
      this.src.set(p.src6);
      this.dst.set(p.dst6);
    }
    this.first = undefined;
    this.last = undefined;
    this.pieces = 0;
    this.bytes = 0;
    this.end = 0;
    this.ended = false;
    this.crossed = false;
    this.largest = 0;
    this.largestDf = 0;
    this.ecn = 0;
  }

  is(p: PacketInfo, id: number, protocol: number): boolean {
    if (this.id !== id || this.family !== p.family || this.protocol !== protocol) return false;
    if (p.family === 4) return this.src[3] === p.src && this.dst[3] === p.dst;
    return same(this.src, p.src6) && same(this.dst, p.dst6);
  }

  get complete(): boolean {
    return this.ended && this.bytes === this.end && this.first!.from === 0;
  }

  /** Inserts `piece`. `more`: the MF flag. Returns a Placing. */
  place(piece: Piece, more: boolean): number {
    if (!this.agreesOnEnd(piece.to, more)) return Placing.overlap;
    const { last } = this;
    const placing = last === undefined || last.to < piece.to ? this.append(piece, last) : this.insert(piece);
    if (placing !== Placing.placed) return placing;
    this.pieces++;
    this.bytes += piece.to - piece.from;
    this.largest = Math.max(this.largest, piece.l3len);
    return Placing.placed;
  }

  /**
   * The piece without MF tells where the datagram ends. Returns false for a piece that contradicts
   * it.
   */
  private agreesOnEnd(to: number, more: boolean): boolean {
    if (more ? this.ended && to > this.end : to < this.end || (this.ended && to !== this.end)) return false;
    if (!more) this.ended = true;
    this.end = Math.max(this.end, to);
    return true;
  }

  private append(piece: Piece, last: Piece | undefined): number {
    if (last !== undefined && piece.from < last.to) return Placing.overlap;
    piece.joined = last !== undefined && piece.from === last.to;
    piece.next = undefined;
    if (last === undefined) this.first = piece;
    else last.next = piece;
    this.last = piece;
    return Placing.placed;
  }

  private insert(piece: Piece): number {
    let before: Piece | undefined;
    for (let run = this.first; run !== undefined; ) {
      if (piece.to <= run.from) break;
      const end = endOfRun(run);
      if (piece.from < end.to)
        return piece.from >= run.from && piece.to <= end.to ? Placing.duplicate : Placing.overlap;
      before = end;
      run = end.next;
    }
    piece.joined = false;
    piece.next = before === undefined ? this.first : before.next;
    if (before === undefined) this.first = piece;
    else before.next = piece;
    return Placing.placed;
  }
}

function endOfRun(piece: Piece): Piece {
  let end = piece;
  while (end.next?.joined) end = end.next;
  return end;
}

function same(a: Int32Array, b: Int32Array): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}
