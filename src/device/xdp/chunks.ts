/**
 * Chunks: frames longer than a page, which AF_XDP receives and sends in several descriptors
 * (XDP_USE_SG, Linux 6.6). The kernel divides the Umem into chunks of a page; a long frame of the
 * Umem is several chunks, of which only the first one is posted for receiving:
 *
 *     a frame of the Umem   | – | headroom 258 | chunk 0 … | chunk 1 | chunk 2 | chunk 3 |
 *                             └ word 0: descriptors that are being sent
 *
 *     received   | chunk 0 of a frame, CONTD | chunk 0 of another one, CONTD | chunk 0 of a third |
 *                  └────────────── ◄ copied behind it, and freed ◄ ──────────────────────────┘
 *     sent       | from the frame's first byte to the end of its chunk, CONTD | next chunk, CONTD | rest |
 */
import { XDP_PKT_CONTD } from '../../sys/xdp-socket.js';
import type { Batch } from '../batch.js';
import type { Umem } from '../umem.js';
import type { Ring } from './ring.js';

/** Bytes of a chunk at most: a page. */
export const CHUNK = 4096;
const SHIFT = Math.log2(CHUNK);

export class Chunks {
  /** Received frames that were longer than a frame of the Umem. */
  tooLong = 0;
  private readonly shift: number;

  /** `number`: of the socket, for `held` of the Umem. */
  constructor(
    private readonly umem: Umem,
    private readonly number: number,
  ) {
    this.shift = Math.log2(umem.frameSize);
  }

  /**
   * Appends the frames of the rx ring from index `from` on to `batch`, as many as have room.
   * `waiting`: descriptors in the ring. Returns how many descriptors were read.
   */
  gather(rx: Ring, from: number, waiting: number, batch: Batch): number {
    let read = 0;
    while (batch.n < batch.capacity) {
      const parts = partsAt(rx, from + read, waiting - read);
      if (parts === 0) break;
      this.join(rx, from + read, parts, batch);
      read += parts;
    }
    return read;
  }

  private join(rx: Ring, from: number, parts: number, batch: Batch): void {
    const { umem, shift } = this;
    const { words, descriptors, mask } = rx;
    const first = words[descriptors + ((from & mask) << 2)]!;
    let len = 0;
    for (let i = 0; i < parts; i++) {
      const at = descriptors + (((from + i) & mask) << 2);
      const offset = words[at]!;
      const bytes = words[at + 2]!;
      umem.held[offset >>> shift] = 0;
      if (i > 0) {
        if (len + bytes <= umem.capacity) umem.u8.copyWithin(first + len, offset, offset + bytes);
        umem.free(offset);
      }
      len += bytes;
    }
    if (len <= umem.capacity) batch.push(first, len);
    else {
      this.tooLong++;
      umem.free(first);
    }
  }

  /**
   * Writes the descriptors of a frame to the tx ring from index `to` on. Returns how many; 0 when
   * there are more than `room`.
   */
  split(tx: Ring, to: number, offset: number, len: number, room: number): number {
    const { umem, shift } = this;
    const parts = ((offset + len - 1) >>> SHIFT) - (offset >>> SHIFT) + 1;
    if (parts > room) return 0;
    umem.held[offset >>> shift] = this.number;
    umem.i32[((offset >>> shift) << shift) >> 2] = parts;
    const { words, descriptors, mask } = tx;
    for (let i = 0, from = offset; i < parts; i++) {
      const end = Math.min(offset + len, (from & ~(CHUNK - 1)) + CHUNK);
      const at = descriptors + (((to + i) & mask) << 2);
      words[at] = from;
      words[at + 2] = end - from;
      words[at + 3] = i + 1 < parts ? XDP_PKT_CONTD : 0;
      from = end;
    }
    return parts;
  }

  /**
   * Counts the descriptor at `offset` as sent. Returns true when it was the last one of its frame.
   */
  countSent(offset: number): boolean {
    const { umem, shift } = this;
    const word = ((offset >>> shift) << shift) >> 2;
    return --umem.i32[word]! === 0;
  }
}

/** Descriptors of the frame that begins at an index; 0: its end is not there yet. */
function partsAt({ words, descriptors, mask }: Ring, from: number, waiting: number): number {
  for (let i = 0; i < waiting; i++)
    if ((words[descriptors + (((from + i) & mask) << 2) + 3]! & XDP_PKT_CONTD) === 0) return i + 1;
  return 0;
}
