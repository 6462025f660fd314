/**
 * A reassembled datagram while it is the packet at hand. It lies in one stretch of the Umem that is set aside for that,
 * so everything between parser and sender treats it as any packet; the frames its fragments came in are kept for its
 * leaving in as many pieces, each with a fate of its own.
 *
 *     scratch: | headroom 258 | Ethernet | IP header | data of all pieces … up to 65,535 |       PacketInfo.parts = count
 *     frames:  frame 0, frame 1, … (first, last: which bytes of the data came in each)
 */
import { HEADROOM, type Umem } from '../../device/umem.js';
import * as ethernet from '../../wire/ethernet.js';
import type { FragmentQueue } from './fragment-queue.js';

const LONGEST = 65535;

export class Assembled {
  /** Where the Ethernet header goes, −1 when the Umem has no room to set aside: then nothing can be reassembled. */
  readonly frame: number;
  /** Fragments it came in. */
  count = 0;
  readonly frames: Int32Array;
  readonly lens: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** The longest of them as an IP packet: no piece that leaves is longer. */
  largest = 0;
  /** Where its IP header is before anything is put in front. */
  l3 = 0;
  /** IPv6: bytes in front of the fragment header, and the place of the byte that named it, from the IP header. */
  unfragmentable = 0;
  named = 0;

  constructor(umem: Umem, room: number) {
    const frames = Math.ceil((HEADROOM + ethernet.HEADER + LONGEST) / umem.frameSize);
    this.frame = umem.frameCount >= 4 * frames ? umem.reserve(frames) : -1;
    this.l3 = this.frame + ethernet.HEADER;
    this.frames = new Int32Array(room);
    this.lens = new Int32Array(room);
    this.from = new Int32Array(room);
    this.to = new Int32Array(room);
  }

  /** Takes the datagram's data and frames over; `data` is where the former goes, absolute. */
  gather(u8: Uint8Array, datagram: FragmentQueue, data: number): void {
    this.largest = datagram.largest;
    this.count = 0;
    for (let piece = datagram.first; piece !== undefined; piece = piece.next) {
      const { from, to } = piece;
      u8.copyWithin(data + from, piece.data, piece.data + to - from);
      this.frames[this.count] = piece.frame;
      this.lens[this.count] = piece.len;
      this.from[this.count] = from;
      this.to[this.count++] = to;
    }
  }
}
