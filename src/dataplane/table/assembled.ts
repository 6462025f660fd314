/**
 * The reassembled datagram while it is the current packet. Its bytes lie in a reserved stretch of
 * the Umem, so that everything between parser and output treats it like any packet. The frames of
 * its fragments are kept: the datagram leaves in fragments again, and each frame gets a verdict of
 * its own.
 *
 *      scratch: | headroom 258 | Ethernet | IP header | data of all pieces … up to 65,535 |       PacketInfo.parts = count
 *      frames:  frame 0, frame 1, … (from, to: which bytes of the data arrived in each)
 */
import { HEADROOM, type Umem } from '../../device/umem.js';
import * as ethernet from '../../wire/ethernet.js';
import type { FragmentQueue } from './fragment-queue.js';

const LONGEST = 65535;

export class Assembled {
  /**
   * Offset of the Ethernet header. −1: the Umem is too small to reserve the stretch, and no
   * datagram can be reassembled.
   */
  readonly frame: number;
  /** Number of fragments. */
  count = 0;
  readonly frames: Int32Array;
  readonly lens: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Length of the longest fragment as an IP packet. No fragment that leaves is longer. */
  largest = 0;
  /** Offset of the IP header before a tunnel puts a header in front. */
  l3 = 0;
  /**
   * IPv6: length of the headers in front of the fragment header, and the offset (from the IP
   * header) of the next-header byte that announced it.
   */
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

  /** Copies the datagram's data to the absolute offset `data`, and takes over its frames. */
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
